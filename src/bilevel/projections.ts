/**
 * Euclidean projections onto simple sets, as jax-js functions from a tree to the same tree: for a follower they are
 * applied after every inner step and differentiated through, for a leader after every outer step.
 */
import { lax, numpy as np, tree } from "@jax-js/jax";
import type { Arrays } from "./problem.ts";

/** Maps a tree to the nearest point of a set; a jax-js function. */
export interface Projection {
  readonly label: string;
  (values: Arrays): Arrays;
}

/**
 * Every element into [lower, upper]. The derivative is 1 inside and 0 outside.
 *
 * @param options.lower - default −∞.
 * @param options.upper - default +∞.
 * @throws RangeError when lower > upper or a bound is NaN.
 */
export function box(options: { lower?: number; upper?: number }): Projection {
  const { lower = -Infinity, upper = Infinity } = options;
  if (!(lower <= upper)) {
    throw new RangeError(`box: lower must not exceed upper, [${lower}, ${upper}] came.`);
  }
  return leafwise(`box [${lower}, ${upper}]`, (x) => {
    const raised = Number.isFinite(lower) ? np.where(np.less(x, lower), lower, x) : x;
    return Number.isFinite(upper) ? np.where(np.greater(raised, upper), upper, raised) : raised;
  });
}

/** Every element to max(x, 0). */
export function nonNegative(): Projection {
  return leafwise("non-negative", (x) => np.where(np.less(x, 0), 0, x));
}

/**
 * Each leaf, as one vector, onto the simplex {x ≥ 0, Σx = total}.
 *
 * @param options.total - default 1, > 0.
 * @see Duchi et al., "Efficient projections onto the ℓ1-ball for learning in high dimensions", ICML 2008.
 */
export function simplex(options: { total?: number } = {}): Projection {
  const { total = 1 } = options;
  checkPositive("simplex: total", total);
  return leafwise(`simplex of total ${total}`, (x) => shiftAndClip(x, Infinity, total));
}

/**
 * Each leaf, as one vector, onto {0 ≤ x ≤ upper, Σx ≤ radius}: weights of which only a budget may be switched on.
 *
 * @param options.radius - > 0.
 * @param options.upper - default 1, > 0.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, section 5.1.
 */
export function boxWithinL1Ball(options: { radius: number; upper?: number }): Projection {
  const { radius, upper = 1 } = options;
  checkPositive("boxWithinL1Ball: radius", radius);
  checkPositive("boxWithinL1Ball: upper", upper);
  return leafwise(`[0, ${upper}] within the l1 ball of radius ${radius}`, (x) => {
    const clipped = clip(x, upper);
    return np.where(np.greater(np.sum(clipped), radius), shiftAndClip(x, upper, radius), clipped);
  });
}

/**
 * clip(x − τ, 0, upper) with τ such that the sum is `total`. Bisection finds which elements lie strictly between the
 * bounds; on those the sum is linear in τ, which gives τ exactly and with its derivative.
 */
function shiftAndClip(x: np.Array, upper: number, total: number): np.Array {
  const u = lax.stopGradient(x);
  const sumAt = (tau: np.Array): np.Array => np.sum(clip(u.sub(tau), upper));
  // Σ ≥ total at `low`: the largest element alone, or all elements at min(upper, their share), reach it.
  let low = np.min(u).sub(Math.min(upper, total));
  let high = np.max(u);
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = low.add(high).mul(0.5);
    const isTooLarge = np.greater(sumAt(middle), total);
    low = np.where(isTooLarge, middle, low);
    high = np.where(isTooLarge, high, middle);
  }
  const tau = low.add(high).mul(0.5);
  const shifted = u.sub(tau);
  const isSaturated = np.greaterEqual(shifted, upper);
  const isBetween = np.logicalAnd(np.greater(shifted, 0), np.logicalNot(isSaturated));
  const count = np.sum(np.where(isBetween, np.onesLike(u), 0));
  const saturated = Number.isFinite(upper)
    ? np.sum(np.where(isSaturated, np.fullLike(u, upper), 0))
    : 0;
  const excess = np
    .sum(np.where(isBetween, x, 0))
    .add(saturated)
    .sub(total);
  const exact = np.where(np.greater(count, 0), excess.div(np.maximum(count, 1)), tau);
  return clip(x.sub(exact), upper);
}

/** Halvings of an interval as wide as the data's range: below float64's resolution of it. */
const BISECTIONS = 60;

function clip(x: np.Array, upper: number): np.Array {
  const raised = np.where(np.less(x, 0), 0, x);
  return Number.isFinite(upper) ? np.where(np.greater(raised, upper), upper, raised) : raised;
}

function leafwise(label: string, project: (x: np.Array) => np.Array): Projection {
  const apply = (values: Arrays): Arrays => tree.map(project, values) as Arrays;
  return Object.assign(apply, { label });
}

function checkPositive(where: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(`${where} must be a positive number; ${String(value)} came.`);
  }
}
