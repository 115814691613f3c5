/** Measures of predictions, and the interval of a mean over repeated splits. */
import { checkNumbers } from "./check-given.ts";
import { checkOptions } from "../program/internal.ts";
import { moments } from "./moments.ts";
import { studentQuantile } from "../random/index.ts";

/** Share of classes predicted right. Both [n], class indices. */
export function accuracy(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkLengths("accuracy", actual, predicted);
  let right = 0;
  for (let i = 0; i < actual.length; i++) if (actual[i] === predicted[i]) right++;
  return right / actual.length;
}

/** Mean over the classes that occur in `actual` of the share predicted right (the mean recall). */
export function balancedAccuracy(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkLengths("balancedAccuracy", actual, predicted);
  const classes = new Map<number, { rows: number; right: number }>();
  for (let i = 0; i < actual.length; i++) {
    const entry = classes.get(actual[i]!) ?? { rows: 0, right: 0 };
    entry.rows++;
    if (actual[i] === predicted[i]) entry.right++;
    classes.set(actual[i]!, entry);
  }
  let sum = 0;
  for (const { rows, right } of classes.values()) sum += right / rows;
  return sum / classes.size;
}

/**
 * Mean of −ln p(actual class), natural logarithm.
 *
 * @param actual - [n] class indices.
 * @param probabilities - [n, classes] row-major, or [n] probabilities of class 1 for two classes. Kept
 *   away from 0 by 1e-15, so that one certain error costs 34.5 and not infinity.
 */
export function logLoss(actual: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  checkNumbers("logLoss", "the actual values", actual);
  checkNumbers("logLoss", "the probabilities", probabilities);
  const n = actual.length;
  const classes = probabilities.length / n;
  if (n === 0 || !Number.isInteger(classes) || classes < 1) {
    throw new RangeError(
      `logLoss: needs probabilities of shape [n] or [n, classes] for n > 0 rows, got ${probabilities.length} for ${n} rows.`,
    );
  }
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const label = actual[i]!;
    const last = classes === 1 ? 1 : classes - 1;
    if (!Number.isInteger(label) || label < 0 || label > last) {
      throw new RangeError(
        `logLoss: a class is a whole number from 0 to ${last}, row ${i} has ${label}.`,
      );
    }
    const p =
      classes === 1
        ? label === 1
          ? probabilities[i]!
          : 1 - probabilities[i]!
        : probabilities[i * classes + label]!;
    sum -= Math.log(Math.max(p, 1e-15));
  }
  return sum / n;
}

/**
 * Area under the ROC curve: the probability that a row of class 1 scores higher than one of class 0, ties
 * counting half, from the ranks of the scores (Mann and Whitney). NaN when a class has no rows.
 *
 * @param actual - [n] of 0 and 1.
 * @param scores - [n], higher for class 1; only their order matters.
 */
export function rocAuc(actual: ArrayLike<number>, scores: ArrayLike<number>): number {
  checkLengths("rocAuc", actual, scores);
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end++;
    const rank = (start + 1 + end) / 2;
    for (let k = start; k < end; k++) {
      const label = actual[order[k]!];
      if (label !== 0 && label !== 1)
        throw new RangeError(`rocAuc: classes are 0 and 1, not ${label}.`);
      if (label === 0) continue;
      positives++;
      rankSum += rank;
    }
    start = end;
  }
  const negatives = order.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Root of the mean squared error, in the target's unit. */
export function rmse(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkLengths("rmse", actual, predicted);
  const difference = (i: number): number => actual[i]! - predicted[i]!;
  const unit = unitOf(actual.length, difference);
  let sum = 0;
  for (let i = 0; i < actual.length; i++) sum += (difference(i) / unit) ** 2;
  return Math.sqrt(sum / actual.length) * unit;
}

/** Mean absolute error, in the target's unit. */
export function mae(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkLengths("mae", actual, predicted);
  let sum = 0;
  for (let i = 0; i < actual.length; i++) sum += Math.abs(actual[i]! - predicted[i]!);
  return sum / actual.length;
}

/** R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)²; 0 predicts the mean as well, negative is worse. NaN for constant y. */
export function r2(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkLengths("r2", actual, predicted);
  const { sd } = moments(Float64Array.from(actual));
  return sd === 0 ? NaN : 1 - (rmse(actual, predicted) / sd) ** 2;
}

/** A mean and its 95 % interval. */
export interface MeanInterval {
  readonly mean: number;
  /** The 95 % interval is mean ± halfWidth; NaN for a single value. */
  readonly halfWidth: number;
  readonly n: number;
  /** Sample standard deviation (n − 1); NaN for a single value. */
  readonly sd: number;
}

/**
 * Mean with a 95 % interval by Student's t with n − 1 degrees of freedom.
 *
 * Results of repeated random splits of one data set are not independent: their training sets overlap, and
 * the ordinary interval is too narrow. Give `testFraction` f for them; the variance of the mean is then
 * sd² (1/n + f/(1 − f)), where f/(1 − f) is test rows over all other rows, instead of sd²/n.
 * Source: Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52 (2003).
 *
 * @param options.testFraction - share of rows in the test part of each split, in [0, 1). Default: none,
 *   the values are independent.
 */
export function meanInterval(
  values: readonly number[],
  options: { testFraction?: number } = {},
): MeanInterval {
  checkNumbers("meanInterval", "values", values);
  checkOptions("meanInterval", options, { testFraction: "number" });
  const { testFraction = 0 } = options;
  const n = values.length;
  if (n === 0 || !(testFraction >= 0 && testFraction < 1)) {
    throw new RangeError(
      `meanInterval: needs a value and a testFraction in [0, 1), got ${n} values and ${testFraction}.`,
    );
  }
  const mean = meanOf(values);
  if (n === 1) return { mean, halfWidth: NaN, n, sd: NaN };
  const sd = Math.sqrt(sumSquares(values, () => mean) / (n - 1));
  const halfWidth =
    studentQuantile(n - 1) * sd * Math.sqrt(1 / n + testFraction / (1 - testFraction));
  return { mean, halfWidth, n, sd };
}

/** Differences beyond these limits are measured in units of the largest, so that no square overflows or vanishes. */
function unitOf(count: number, difference: (i: number) => number): number {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(difference(i)));
  return (largest > 1e100 && largest < Infinity) || (largest > 0 && largest < 1e-100) ? largest : 1;
}

function sumSquares(values: ArrayLike<number>, other: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - other(i)) ** 2;
  return sum;
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function checkLengths(where: string, actual: ArrayLike<number>, others: ArrayLike<number>): void {
  checkNumbers(where, "the actual values", actual);
  checkNumbers(where, "the predictions", others);
  const other = others.length;
  if (actual.length !== other || other === 0) {
    throw new RangeError(
      `${where}: needs as many predictions as actual values and at least one, got ${other} and ${actual.length}.`,
    );
  }
}
