/**
 * The linear model as jax-js functions: scores of a stack of weights, and the losses of squares, logistic and softmax
 * regression. Tuning and cleaning are different problems about this one model.
 */
import { lax, numpy as np } from "@jax-js/jax";
import type { Task } from "../../../data/index.ts";

/** Bound on the loss's second derivative by the score: squares, logistic, softmax (Böhning 1992). */
export const curvatureBounds: Readonly<Record<Task, number>> = {
  regression: 1,
  binary: 1 / 4,
  multiclass: 1 / 2,
};

/**
 * Terms of a loss, [followers, outputs, rows], whose sum over outputs is each row's loss. Exponentials are taken
 * relative to `shift`, any constant near the largest score, so that none overflows.
 */
export const lossTerms: Readonly<Record<Task, (score: np.Array, y: np.Array) => np.Array>> = {
  regression: (score, y) => np.square(score.sub(y)).mul(0.5),
  binary: (score, y) => {
    const shift = lax.stopGradient(np.maximum(score, 0));
    const softplus = np.log(np.exp(score.sub(shift)).add(np.exp(shift.neg()))).add(shift);
    return softplus.sub(score.mul(y));
  },
  // y sums to 1 over the classes, so it spreads the normalizer.
  multiclass: (score, y) => {
    const shift = lax.stopGradient(np.max(score, 1, { keepdims: true }));
    const normalizer = np.log(np.sum(np.exp(score.sub(shift)), 1, { keepdims: true })).add(shift);
    return normalizer.sub(score).mul(y);
  },
};

/** w Xᵀ of all followers in one product, [followers, outputs, rows]. */
export function scoresOf(weights: np.Array, x: np.Array): np.Array {
  const [followers, outputs, columns] = weights.shape as [number, number, number];
  const flat = np.reshape(weights, [followers * outputs, columns]);
  return np.reshape(np.matmul(flat, np.transpose(x)), [followers, outputs, x.shape[0]!]);
}
