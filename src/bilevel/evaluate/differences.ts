/** Reading a table of central differences at falling step sizes. */

/** One central difference. */
export interface Difference {
  readonly h: number;
  /** (F(λ + h·d) − F(λ − h·d)) / 2h. */
  readonly numeric: number;
  /** max |F| of the two evaluations: rounding enters the difference at about ε·magnitude/h. */
  readonly magnitude: number;
}

/**
 * The difference that its neighbours confirm best. Chosen without looking at the gradient under test, so that a wrong
 * gradient cannot win by meeting a truncation error by chance.
 */
export function settle(table: readonly Difference[]): { numeric: number; uncertainty: number } {
  let best = { numeric: NaN, uncertainty: Infinity };
  table.forEach(({ numeric }, i) => {
    const neighbours = [table[i - 1], table[i + 1]].filter((row) => row !== undefined);
    const uncertainty = Math.max(...neighbours.map((row) => Math.abs(row.numeric - numeric)));
    if (uncertainty < best.uncertainty) best = { numeric, uncertainty };
  });
  return best;
}

/**
 * Slope of log |numeric − exact| against log h, by least squares over the steps whose error stands well above rounding;
 * of these the (at most) three smallest, where the leading term dominates.
 *
 * @param epsilon - the spacing of floating-point numbers at 1.
 * @returns undefined when fewer than two steps qualify.
 */
export function observedOrder(
  exact: number,
  table: readonly Difference[],
  epsilon: number,
): number | undefined {
  const points: [x: number, y: number][] = [];
  for (const { h, numeric, magnitude } of table) {
    const error = Math.abs(numeric - exact);
    const rounding = epsilon * Math.max(magnitude / h, Math.abs(exact));
    if (!(error > ABOVE_ROUNDING * rounding)) break;
    points.push([Math.log(h), Math.log(error)]);
  }
  const used = points.slice(-3);
  if (used.length < 2) return undefined;
  const mean = (k: 0 | 1): number => used.reduce((sum, point) => sum + point[k], 0) / used.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = used.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  const variance = used.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return covariance / variance;
}

/** An evaluation of F makes hundreds of roundings, so its noise is a multiple of the spacing. */
const ABOVE_ROUNDING = 100;
