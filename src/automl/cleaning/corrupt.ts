/** Planted label errors, to measure how well they are found. */
import { randomKey, randomStream } from "../../data/index.ts";

/** Labels of which some are wrong, and which. */
export interface CorruptedLabels {
  readonly labels: Int32Array;
  /** 1 where the label is not the true one, 0 elsewhere. */
  readonly isWrong: Uint8Array;
  /** The share of wrong labels that came out. */
  readonly rate: number;
}

/**
 * Gives round(rate · n) rows another label, each of the other classes with the same probability ("true flip"): the rate
 * that comes out is the one asked for, up to rounding.
 *
 * @param options.rate - share of wrong labels, 0 to 1.
 * @throws RangeError for a rate outside [0, 1] or fewer than two classes.
 */
export function corruptLabels(
  labels: ArrayLike<number>,
  options: { readonly classes: number; readonly rate: number; readonly seed: number },
): CorruptedLabels {
  const { classes, rate, seed } = options;
  if (!(rate >= 0 && rate <= 1)) {
    throw new RangeError(`corruptLabels: rate must be from 0 to 1; ${rate} came.`);
  }
  if (!(classes >= 2)) {
    throw new RangeError(`corruptLabels: classes must be at least 2; ${classes} came.`);
  }
  const stream = randomStream(randomKey(seed, "label errors"));
  const rows = stream.shuffle(Int32Array.from({ length: labels.length }, (_, i) => i));
  const result = Int32Array.from(labels);
  const isWrong = new Uint8Array(labels.length);
  const count = Math.round(rate * labels.length);
  for (const row of rows.subarray(0, count)) {
    result[row] = (result[row]! + 1 + stream.integer(classes - 1)) % classes;
    isWrong[row] = 1;
  }
  return { labels: result, isWrong, rate: labels.length === 0 ? 0 : count / labels.length };
}
