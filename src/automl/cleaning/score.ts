/** How well a ranking finds the wrong labels. */

/**
 * Mean over the wrong rows of the precision down to each of them: Σ_k precision(k)·wrong(k) / Σ wrong, the rows taken from
 * the largest score down. A random order gives about the share of wrong rows. NaN when no row is wrong.
 */
export function averagePrecision(scores: ArrayLike<number>, isWrong: ArrayLike<number>): number {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  let [found, sum] = [0, 0];
  order.forEach((row, k) => {
    if (isWrong[row] === 0) return;
    found++;
    sum += found / (k + 1);
  });
  return sum / found;
}
