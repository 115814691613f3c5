/**
 * Euclidean projections onto simple sets, as jax-js functions from a tree to the same tree: for a follower they are
 * applied after every inner step and differentiated through, for a leader after every outer step.
 */
import { checkOptions } from "../program/internal.ts";
import { lax, numpy as np, tree } from "@jax-js/jax";
import { watch, type Watched } from "./optimizers/optimizer.ts";
import type { Arrays } from "./problem.ts";

/** Maps a tree to the nearest point of a set; a jax-js function. */
export interface Projection {
  readonly label: string;
  /** What of the set is a function of λ; absent when nothing is. */
  readonly watched?: readonly Watched[];
  /** @param lambda - the hyperparameters, when it confines a follower; the set may depend on them. */
  (values: Arrays, lambda?: Arrays): Arrays;
}

/**
 * A bound of a box: a number, or a function of the hyperparameters that returns an array for every leaf (a scalar, or of
 * the leaf's shape) or a tree of them like the weights.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tree of λ is the user's
export type BoxBound = number | ((lambda: any) => Arrays);

/**
 * Every element into [lower, upper]. The derivative is 1 inside and 0 outside, where a bound that is a function of λ has
 * its own in its place.
 *
 * @param options.lower - default −∞.
 * @param options.upper - default +∞.
 * @throws RangeError when lower > upper or a bound is NaN; TypeError, when it is applied, for a function of λ that
 *   confines the leader, or whose result does not fit the weights. Where functions cross, the report says so and `upper`
 *   holds.
 * @example
 * // A support vector machine's dual under its hyperparameter C.
 * reverse({ steps, dynamics, projection: box({ lower: 0, upper: (lambda) => np.exp(lambda.logC) }) });
 */
export function box(options: { lower?: BoxBound; upper?: BoxBound }): Projection {
  checkOptions("box", options, { lower: "any", upper: "any" });
  const { lower = -Infinity, upper = Infinity } = options;
  for (const [name, bound] of Object.entries({ lower, upper })) {
    if (typeof bound === "function" || (typeof bound === "number" && !Number.isNaN(bound)))
      continue;
    throw new RangeError(
      `box: ${name} must be a number or a function of the hyperparameters; ${String(bound)} came.`,
    );
  }
  if (typeof lower === "number" && typeof upper === "number" && lower > upper) {
    throw new RangeError(`box: lower must not exceed upper, [${lower}, ${upper}] came.`);
  }
  const apply = (values: Arrays, lambda?: Arrays): Arrays => {
    const [leaves, structure] = tree.flatten<np.Array>(values);
    const lowest = boundsOf("lower", lower, leaves, lambda);
    const highest = boundsOf("upper", upper, leaves, lambda);
    const confined = leaves.map((x, i) => {
      const [low, high] = [lowest[i]!, highest[i]!];
      const raised = low === -Infinity ? x : np.where(np.less(x, low), low, x);
      return high === Infinity ? raised : np.where(np.greater(raised, high), high, raised);
    });
    return tree.unflatten<np.Array>(structure, confined);
  };
  const say = (bound: BoxBound): string => (typeof bound === "number" ? String(bound) : "lambda");
  const watched = watchWidth(lower, upper);
  return Object.assign(apply, {
    label: `box [${say(lower)}, ${say(upper)}]`,
    ...(watched && { watched }),
  });
}

/** A bound's value for each leaf. */
function boundsOf(
  name: string,
  bound: BoxBound,
  leaves: readonly np.Array[],
  lambda: Arrays | undefined,
): (np.Array | number)[] {
  if (typeof bound === "number") return leaves.map(() => bound);
  if (lambda === undefined) {
    throw new TypeError(
      `box: ${name} is a function of the hyperparameters, which only a follower's projection has; give the leader's a number.`,
    );
  }
  const result = bound(lambda);
  const found = tree.leaves<np.Array>(result);
  const isOne = found.length === 1 && found[0] === (result as unknown);
  if (!isOne && found.length !== leaves.length) {
    throw new TypeError(
      `box: ${name} must return one array, or a tree like the weights with ${leaves.length} leaves; a tree with ${found.length} came.`,
    );
  }
  return leaves.map((x, i) => {
    const value = isOne ? found[0]! : found[i]!;
    if (value.ndim > 0 && value.shape.join() !== x.shape.join()) {
      throw new TypeError(
        `box: ${name} must return a scalar or an array of the weights' shape [${x.shape.join(", ")}]; [${value.shape.join(", ")}] came. Return a tree like the weights to bound each leaf by itself.`,
      );
    }
    return value.dtype === x.dtype ? value : value.astype(x.dtype);
  });
}

/** The least of upper − lower, which must be ≥ 0, where one of them is a function of λ. */
function watchWidth(lower: BoxBound, upper: BoxBound): readonly Watched[] | undefined {
  if (typeof lower === "number" && typeof upper === "number") return undefined;
  const valuesOf = (bound: BoxBound, lambda: Arrays): (np.Array | number)[] =>
    typeof bound === "number" ? [bound] : tree.leaves<np.Array>(bound(lambda));
  const at = (lambda: Arrays): np.Array => {
    const [least, most] = [valuesOf(lower, lambda), valuesOf(upper, lambda)];
    // One value is for every leaf.
    const widths = Array.from({ length: Math.max(least.length, most.length) }, (_, i) =>
      np.min(np.subtract(most[i] ?? most[0]!, least[i] ?? least[0]!)),
    );
    return widths.reduce((a, b) => np.minimum(a, b));
  };
  return [{ name: "boxWidth", at, fits: (width) => np.greaterEqual(width, 0) }];
}

/** Every element to max(x, 0). */
export function nonNegative(): Projection {
  return leafwise("non-negative", (x) => np.where(np.less(x, 0), 0, x));
}

/** How large a set is: a number, or a function of the hyperparameters that returns a scalar. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tree of λ is the user's
export type SetSize = number | ((lambda: any) => np.Array);

/**
 * Each leaf, as one vector, onto the simplex {x ≥ 0, Σx = total}.
 *
 * Differentiated through, also for the total: each of the k elements above 0 moves by 1/k of it.
 *
 * @param options.total - default 1, > 0; a function of λ for a follower.
 * @throws RangeError for a number that is not positive; TypeError, when it is applied, for a function of λ that confines the
 *   leader or returns no scalar. A function's value that is not positive is named in the report.
 * @see Duchi et al., "Efficient projections onto the ℓ1-ball for learning in high dimensions", ICML 2008.
 */
export function simplex(options: { total?: SetSize } = {}): Projection {
  checkOptions("simplex", options, { total: "any" });
  const { total = 1 } = options;
  checkSize("simplex: total", total);
  return leafwise(
    `simplex of total ${nameOf(total)}`,
    (x, lambda) => shiftAndClip(x, Infinity, sizeAt("simplex: total", total, x, lambda)),
    watch(["simplexTotal", total, { above: 0 }]),
  );
}

/**
 * Each leaf, as one vector, onto {0 ≤ x ≤ upper, Σx ≤ radius}: weights of which only a budget may be switched on.
 *
 * @param options.radius - > 0; a function of λ for a follower.
 * @param options.upper - default 1, > 0.
 * @throws as {@link simplex}.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, section 5.1.
 */
export function boxWithinL1Ball(options: { radius: SetSize; upper?: number }): Projection {
  checkOptions("boxWithinL1Ball", options, { radius: "any!", upper: "number" });
  const { radius, upper = 1 } = options;
  checkSize("boxWithinL1Ball: radius", radius);
  checkPositive("boxWithinL1Ball: upper", upper);
  return leafwise(
    `[0, ${upper}] within the l1 ball of radius ${nameOf(radius)}`,
    (x, lambda) => {
      const clipped = clip(x, upper);
      const size = sizeAt("boxWithinL1Ball: radius", radius, x, lambda);
      return np.where(np.greater(np.sum(clipped), size), shiftAndClip(x, upper, size), clipped);
    },
    watch(["ballRadius", radius, { above: 0 }]),
  );
}

function checkSize(where: string, size: SetSize): void {
  if (typeof size !== "function") checkPositive(where, size);
}

function nameOf(size: SetSize): string {
  return typeof size === "number" ? String(size) : "lambda";
}

/** The size as a number, or a scalar of x's type. */
function sizeAt(
  where: string,
  size: SetSize,
  x: np.Array,
  lambda: Arrays | undefined,
): np.Array | number {
  if (typeof size === "number") return size;
  if (lambda === undefined) {
    throw new TypeError(
      `${where} is a function of the hyperparameters, which only a follower's projection has; give the leader's a number.`,
    );
  }
  const value = size(lambda);
  if (value.ndim !== 0) {
    throw new TypeError(
      `${where} must return a scalar; an array of shape [${value.shape.join(", ")}] came.`,
    );
  }
  return value.dtype === x.dtype ? value : value.astype(x.dtype);
}

/**
 * clip(x − τ, 0, upper) with τ such that the sum is `total`. Bisection finds which elements lie strictly between the
 * bounds; on those the sum is linear in τ, which gives τ exactly and with its derivative.
 */
function shiftAndClip(x: np.Array, upper: number, total: np.Array | number): np.Array {
  const u = lax.stopGradient(x);
  const wanted = typeof total === "number" ? total : lax.stopGradient(total);
  const most =
    typeof wanted === "number"
      ? Math.min(upper, wanted)
      : Number.isFinite(upper)
        ? np.minimum(wanted, upper)
        : wanted;
  const sumAt = (tau: np.Array): np.Array => np.sum(clip(u.sub(tau), upper));
  // Σ ≥ total at `low`: the largest element alone, or all elements at min(upper, their share), reach it.
  let low = np.min(u).sub(most);
  let high = np.max(u);
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = low.add(high).mul(0.5);
    const isTooLarge = np.greater(sumAt(middle), wanted);
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

function leafwise(
  label: string,
  project: (x: np.Array, lambda: Arrays | undefined) => np.Array,
  watched: readonly Watched[] = [],
): Projection {
  const apply = (values: Arrays, lambda?: Arrays): Arrays =>
    tree.map((x: np.Array) => project(x, lambda), values) as Arrays;
  return Object.assign(apply, { label, ...(watched.length > 0 && { watched }) });
}

function checkPositive(where: string, value: unknown): void {
  if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
    throw new RangeError(`${where} must be a positive number; ${String(value)} came.`);
  }
}
