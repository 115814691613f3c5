/** From fold models and influences to one score a row. */
import type { Tensor } from "../../program/index.ts";

/** What models that were trained without a row think of it. */
export interface HeldOut {
  /** Mean probability of the row's label over the repeats, [n]. */
  readonly probability: Float64Array;
  /** The class with the largest mean probability, [n]. */
  readonly suggested: Int32Array;
  /** Mean of −ln p over rows and repeats. */
  readonly logLoss: number;
}

/**
 * Softmax probabilities of each row by the model of each repeat that did not train on it.
 *
 * @param x - [n, width]
 * @param models - [repeats · folds, classes, width]
 * @param draws - as from `drawFolds`.
 */
export function heldOutProbabilities(
  x: Tensor,
  models: Tensor,
  labels: Int32Array,
  draws: readonly Int32Array[],
  folds: number,
): HeldOut {
  const [n, width] = x.shape as [number, number];
  const classes = models.shape[1]!;
  const probability = new Float64Array(n);
  const suggested = new Int32Array(n);
  let logLoss = 0;
  for (let i = 0; i < n; i++) {
    const row = x.data.subarray(i * width, (i + 1) * width) as Float32Array;
    const mean = new Float64Array(classes);
    draws.forEach((draw, repeat) => {
      const start = (repeat * folds + draw[i]!) * classes * width;
      const logits = Array.from({ length: classes }, (_, c) => {
        let sum = 0;
        for (let j = 0; j < width; j++)
          sum += row[j]! * (models.data[start + c * width + j] as number);
        return sum;
      });
      const largest = Math.max(...logits);
      const total = logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
      logits.forEach((z, c) => (mean[c]! += Math.exp(z - largest) / total / draws.length));
      logLoss += (largest + Math.log(total) - logits[labels[i]!]!) / (n * draws.length);
    });
    probability[i] = mean[labels[i]!]!;
    suggested[i] = mean.indexOf(Math.max(...mean));
  }
  return { probability, suggested, logLoss };
}

/**
 * The mean of two ranks, from 0 to 1: by falling probability and by rising influence. `order` has the entries from the
 * largest score down; ties keep their order.
 */
export function suspicion(
  probability: ArrayLike<number>,
  influence: ArrayLike<number>,
): { score: Float64Array; order: Int32Array } {
  const n = probability.length;
  const byProbability = ranksOf(Array.from(probability, (p) => -p));
  const byInfluence = ranksOf(influence);
  const score = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    score[i] = n === 1 ? 1 : (byProbability[i]! + byInfluence[i]!) / (2 * (n - 1));
  }
  return {
    score,
    order: Int32Array.from(score, (_, i) => i).sort((a, b) => score[b]! - score[a]!),
  };
}

/** Ranks from 0 for the smallest value; equal values share the mean of theirs. */
function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(order.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) ranks[order[k]!] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}
