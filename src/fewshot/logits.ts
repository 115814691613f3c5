/** Logits and labels; jax-js functions. */
import { nn, numpy as np, type DType } from "@jax-js/jax";

/** A linear classifier on features. */
export type Head<T> = {
  /** [features, ways] */
  readonly weight: T;
  /** [ways] */
  readonly bias: T;
};

/** features · weight + bias, [n, ways]. */
export function linear({ weight, bias }: Head<np.Array>, features: np.Array): np.Array {
  return np.matmul(features, weight).add(bias);
}

/** Cross-entropy of logits [n, ways] with labels [n]: the mean over the n. */
export function crossEntropy(logits: np.Array, y: np.Array): np.Array {
  const [n, ways] = logits.shape as [number, number];
  return np.sum(np.where(isLabel(y, ways), nn.logSoftmax(logits), 0)).div(-n);
}

/** Labels [n] as rows of 0 and 1, [n, ways]. */
export function oneHot(y: np.Array, ways: number, dtype: DType): np.Array {
  return isLabel(y, ways).astype(dtype);
}

/** [n, ways]: whether image i has label k. */
function isLabel(y: np.Array, ways: number): np.Array {
  return np.equal(y.reshape([-1, 1]), np.arange(ways));
}
