/**
 * Every derivative of the library: jax-js's, with its faults in the pairing of outputs kept out.
 *
 * jax-js 0.1.25's `vjp` is right for one floating-point scalar and nothing else: it leaves out outputs whose
 * derivative is zero and gives the cotangents of the rest to the wrong ones, and it orders outputs wrongly that repeat
 * or are computed from one another. So a pullback is taken here as what it is, the gradient of the scalar ⟨fn(x), u⟩:
 *
 *     (∂fn/∂x)ᵀ u = ∇_x Σ_i ⟨fn_i(x), u_i⟩
 *
 * Its `jvp` pairs well, but gives tangents of other types than their outputs'. See docs/decisions/derivatives.md.
 * No other file of the library takes them from jax-js; a rule of the linter watches.
 */
import { checkArgument } from "./check-options.ts";
import { jvp as jaxJvp, numpy as np, tree, valueAndGrad as jaxValueAndGrad } from "@jax-js/jax";

import { selectFloats } from "./selection.ts";
import type { Tree } from "./tensors/tensor.ts";
import { treeMap } from "./trees.ts";

/**
 * fn(x) and its gradient, for a scalar function of one tree; a jax-js function.
 *
 * What `fn` closes over is held constant by nobody: a derivative of the gradient with respect to it is exact, unlike
 * that with respect to the other arguments of jax-js's own `grad`.
 *
 * @returns the value and a gradient with the tree, shapes and types of x; zero at integers and booleans.
 * @throws TypeError, from jax-js, when `fn` does not return one floating-point scalar.
 */
export function valueAndGrad<T extends Tree<np.Array>>(
  fn: (x: T) => np.Array,
  x: T,
): [value: np.Array, gradient: T] {
  checkArgument("valueAndGrad", "fn", fn, "function");
  const floats = selectFloats(x);
  const zeros = treeMap((leaf: np.Array) => np.zerosLike(leaf), x) as T;
  if (floats.isEmpty) return [fn(x), zeros];
  const taken = floats.take(x);
  const [value, gradient] = jaxValueAndGrad((leaves: np.Array[]) => fn(floats.put(x, leaves) as T))(
    taken,
  ) as unknown as [np.Array, np.Array[]];
  // A constant derivative comes back as a bare number, weakly float32 whatever the argument's type.
  const typed = gradient.map((g, i) => inType(g, taken[i]!));
  return [value, floats.put(zeros, typed) as T];
}

/** The gradient of a scalar function at x; a jax-js function. See {@link valueAndGrad}. */
export function grad<T extends Tree<np.Array>>(fn: (x: T) => np.Array, x: T): T {
  checkArgument("grad", "fn", fn, "function");
  return valueAndGrad(fn, x)[1];
}

/**
 * fn(...args) and its pullback u ↦ (∂fn/∂args)ᵀ u; a jax-js function.
 *
 * Outputs may repeat, depend on one another, be arguments, constants, integers or booleans; cotangents of outputs that
 * are not floating-point count nothing, whatever they are. Each pull traces `fn` once more; the program computes what
 * is equal once.
 *
 * @returns the value, and a pullback to a list with the trees, shapes and types of `args`; zero at integers and booleans.
 * @throws TypeError, in the pullback, when a cotangent has another shape than its output.
 */
export function vjp<A extends Tree<np.Array>[], R extends Tree<np.Array>>(
  fn: (...args: A) => R,
  ...args: A
): [value: R, pull: (cotangent: R) => A] {
  checkArgument("vjp", "fn", fn, "function");
  const value = fn(...args);
  const outputs = tree.leaves<np.Array>(value);
  // One scalar for each type: where they met in a sum, the cotangents of the narrower one would be promoted.
  const types = new Set(outputs.filter(isFloat).map((x) => x.dtype));
  const pull = (cotangent: R): A => {
    const weights = leavesLike("vjp: the cotangent", cotangent, value, isFloat);
    const pullType = (dtype: np.DType): A => {
      const paired = (x: A): np.Array => {
        const terms = tree
          .leaves<np.Array>(fn(...x))
          .flatMap((y, i) =>
            isFloat(y) && y.dtype === dtype ? [np.sum(y.mul(inType(weights[i]!, y)))] : [],
          );
        return terms.reduce((sum, term) => sum.add(term));
      };
      return grad(paired, args);
    };
    const parts = [...types].map(pullType);
    const add = (a: A, b: A): A => treeMap((x: np.Array, y: np.Array) => x.add(y), a, b) as A;
    return parts.length > 0
      ? parts.reduce(add)
      : (treeMap((x: np.Array) => np.zerosLike(x), args) as A);
  };
  return [value, pull];
}

/**
 * fn(...args) and its tangent (∂fn/∂args) v; a jax-js function.
 *
 * @param tangents - v, in the trees and shapes of `args`; what it has for integers and booleans counts nothing.
 * @returns both in the tree, shapes and types of what `fn` returns; the tangent is zero at integers and booleans.
 * @throws TypeError when a tangent has another shape than its argument.
 */
export function jvp<A extends Tree<np.Array>[], R extends Tree<np.Array>>(
  fn: (...args: A) => R,
  args: A,
  tangents: A,
): [value: R, tangent: R] {
  checkArgument("jvp", "fn", fn, "function");
  checkArgument("jvp", "args", args, "list");
  checkArgument("jvp", "tangents", tangents, "list");
  const floats = selectFloats(args);
  leavesLike("jvp: the tangent", tangents, args, isFloat);
  if (floats.isEmpty) {
    const value = fn(...args);
    return [value, treeMap((y: np.Array) => np.zerosLike(y), value) as R];
  }
  const ofFloats = (leaves: np.Array[]): R => fn(...(floats.put(args, leaves) as A));
  const taken = floats.take(args);
  const along = floats.take(tangents).map((v, i) => inType(v, taken[i]!));
  const [value, tangent] = jaxJvp(
    ofFloats as never,
    [taken] as never,
    [along] as never,
  ) as unknown as [R, R];
  // Behind a comparison or an integer, jax-js's zeros have the type of what was compared.
  const typed = (y: np.Array, dy: np.Array): np.Array =>
    isFloat(y) && isFloat(dy) ? inType(dy, y) : np.zerosLike(y);
  return [value, treeMap(typed, value, tangent) as R];
}

/** ∇²fn(x)·v of a scalar function, forward over reverse; a jax-js function. */
export function hvp<T extends Tree<np.Array>>(fn: (x: T) => np.Array, x: T, v: T): T {
  checkArgument("hvp", "fn", fn, "function");
  return jvp((x: T) => grad(fn, x), [x], [v])[1];
}

/** Numbers that a function returns in the place of arrays have no derivative. */
function isFloat(leaf: np.Array | number): boolean {
  return typeof leaf !== "number" && leaf.dtype.startsWith("float");
}

function inType(x: np.Array, like: np.Array): np.Array {
  return x.dtype === like.dtype ? x : x.astype(like.dtype);
}

/** The leaves of `given`, refused where `counts` and the shape is not that of `like`: it would be broadcast in silence. */
function leavesLike(
  what: string,
  given: Tree<np.Array>,
  like: Tree<np.Array>,
  counts: (leaf: np.Array) => boolean,
): np.Array[] {
  const [leaves, structure] = tree.flatten<np.Array>(given);
  const [expected, wanted] = tree.flatten<np.Array>(like);
  if (!structure.equals(wanted)) {
    throw new TypeError(`${what} must have the tree ${wanted}; ${structure} came.`);
  }
  expected.forEach((leaf, i) => {
    if (!counts(leaf) || leaf.shape.join() === leaves[i]!.shape.join()) return;
    throw new TypeError(
      `${what} of leaf ${i} must have the shape [${leaf.shape.join(", ")}]; [${leaves[i]!.shape.join(", ")}] came.`,
    );
  });
  return leaves;
}
