/**
 * Adjoints that no number holds. Where a gradient is exactly 0 in every step (an absent feature, a bias that rests at 0),
 * each of Adam's steps multiplies the adjoint by some s/ε, 1e7, and what the hyperparameters contribute there is 0 times it.
 * For an infinite adjoint that is NaN, where 0 is right. So the adjoint is carried on at the largest size that leaves room
 * for a step; and a hypergradient in which such an adjoint stands with a factor other than 0 is marked as infinite.
 */
import { numpy as np } from "@jax-js/jax";
import { treeMap } from "../../program/internal.ts";
import type { Arrays } from "../problem.ts";

/** α with no element beyond {@link largestAdjoint}; NaN stays, and float16, whose numbers leave no such room. A jax-js function. */
export function keepFinite(alpha: np.Array): np.Array {
  if (alpha.dtype === np.float16) return alpha;
  const limit = largestAdjoint(alpha.dtype);
  return np.clip(alpha, -limit, limit);
}

/** Infinity for elements so large that an adjoint which was not carried on in full stands in them; a jax-js function. */
export function markOverflow(gradient: Arrays): Arrays {
  return treeMap((h: np.Array) => {
    if (h.dtype === np.float16) return h;
    const isTooLarge = np.greater(np.abs(h), SMALLEST_FACTOR * largestAdjoint(h.dtype));
    return np.where(isTooLarge, np.sign(h).mul(Infinity), h);
  }, gradient);
}

/** 1e-14 of the type's greatest number: a step may multiply by 1e14. */
function largestAdjoint(dtype: np.DType): number {
  return dtype === np.float64 ? 1e-14 * Number.MAX_VALUE : 3e24;
}

/** A derivative of a step by a hyperparameter that is smaller than this, and not 0, would be a rounding error. */
const SMALLEST_FACTOR = 1e-10;
