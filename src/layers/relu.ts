/** ReLU by a mask. */
import { lax, numpy as np } from "@jax-js/jax";

/**
 * max(x, 0) as x times a mask of 0 and 1 that is not differentiated: the derivative is one product with the mask, where
 * that of a maximum is a choice between two arrays, which ONNX Runtime makes in three passes. At 0 the derivative is 0.
 * Not for infinite x: ∞ · 0 is not a number.
 */
export function relu(x: np.Array): np.Array {
  return x.mul(lax.stopGradient(np.greater(x, 0).astype(x.dtype)));
}
