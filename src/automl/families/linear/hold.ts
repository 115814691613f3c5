/**
 * How far the coefficients of the columns may leave the best single one: chosen on held-out rows that the coefficients were
 * not tuned on. Each set of coefficients was tuned on the held-out rows of its own followers; here it judges the others'.
 */
import type { Hold } from "../search-record.ts";
import { heldOutLosses, type Choice, type OpenSplit } from "./open-split.ts";

/** The shares that are tried. */
const shares: readonly number[] = [1 / 4, 1 / 2, 3 / 4, 1];

/**
 * The share with the largest mean gain over the single coefficient on held-out rows, each under the coefficients of the
 * set that was not tuned on it. A gain below its standard error is no reason to leave the single coefficient (the
 * one-standard-error rule of Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984).
 *
 * @param tuned - [sets][inputs], ln of the tuned coefficients.
 */
export async function chooseHold(
  split: OpenSplit,
  single: Choice,
  tuned: readonly Float64Array[],
): Promise<Hold> {
  const { sets } = split.plan;
  let best: Hold = { share: 0, gain: -Infinity, standardError: 0 };
  let start = single.fit.weights;
  for (const share of shares) {
    // Two sets: each follower gets the one that it did not judge.
    const crossed = Array.from(sets, (set) =>
      between(single.logCoefficient, tuned[1 - set]!, share),
    );
    const fit = await split.fitter.fit(crossed, start);
    start = fit.weights;
    const losses = heldOutLosses(split, fit);
    const gains = losses.map((loss, i) => single.losses[i]! - loss).filter((gain) => gain === gain);
    const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
    const squares = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0);
    const standardError = Math.sqrt(squares / (gains.length - 1) / gains.length);
    if (mean > best.gain) best = { share, gain: mean, standardError };
  }
  return best.gain > best.standardError ? best : { ...best, share: 0 };
}

/** single + share·(tuned − single) */
export function between(single: Float64Array, tuned: Float64Array, share: number): Float64Array {
  return single.map((value, i) => value + share * (tuned[i]! - value));
}
