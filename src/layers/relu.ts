/** ReLU by a mask. */
import { lax, numpy as np } from "@jax-js/jax";

/**
 * max(x, 0) as x times a mask of 0 and 1 that is not differentiated: the derivative is one product with the mask, where
 * that of a maximum is a choice between two arrays, which ONNX Runtime makes in three passes. At 0 the derivative is 0.
 * Not for infinite x: ∞ · 0 is not a number.
 */
export function relu(x: np.Array): np.Array {
  return x.mul(isPositive(x));
}

/**
 * 1 where x > 0 and 0 elsewhere, in x's type and not differentiated. In float32 it is min(max(2^126·x, 0), 1), which is
 * the same for all but denormal numbers: one pass over memory, where a comparison and a cast are two, the second of them
 * on one thread.
 */
export function isPositive(x: np.Array): np.Array {
  const mask =
    x.dtype === np.float32
      ? np.minimum(np.maximum(x.mul(2 ** 126), 0), 1)
      : np.greater(x, 0).astype(x.dtype);
  return lax.stopGradient(mask as np.Array);
}
