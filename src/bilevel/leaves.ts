/** Trees leaf by leaf: their paths for messages, and the part of a tree that carries a derivative. */
import { numpy as np, tree, vjp } from "@jax-js/jax";
import type { DType, Tree } from "../program/tensor.ts";
import { treeMap } from "../program/trees.ts";
import type { Arrays } from "./problem.ts";

interface Typed {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The path of each leaf, in the order of `tree.leaves`: `lambda.rate`, `w[0].bias`, or the root's name alone. */
export function leafPaths(root: string, value: Tree<unknown>): string[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => leafPaths(`${root}[${i}]`, item));
  if (typeof value === "object" && value !== null && value.constructor === Object) {
    return Object.entries(value).flatMap(([key, item]) => leafPaths(`${root}.${key}`, item));
  }
  return [root];
}

/** Refuses trees with integer or boolean leaves, which have no derivative. */
export function checkFloatLeaves(where: string, root: string, value: Tree<Typed>): void {
  const paths = leafPaths(root, value);
  tree.leaves<Typed>(value).forEach((leaf, i) => {
    if (leaf.dtype.startsWith("float")) return;
    throw new TypeError(
      `${where}: ${paths[i]} must be floating-point to have a derivative, it is ${leaf.dtype}[${leaf.shape.join(", ")}]; cast it to float32, or move it to the data.`,
    );
  });
}

/** Some leaves of trees of one structure, such as those that carry a derivative. */
export interface Selection {
  readonly isEmpty: boolean;
  /** The selected leaves. */
  take<T>(whole: Tree<T>): T[];
  /** `whole` with its selected leaves replaced. */
  put<T>(whole: Tree<T>, leaves: readonly T[]): Tree<T>;
}

/** Selects the leaves of `like` that `keep` accepts. */
export function select<T>(like: Tree<T>, keep: (leaf: T) => boolean): Selection {
  const kept = tree.leaves<T>(like).map(keep);
  return {
    isEmpty: !kept.includes(true),
    take: <U>(whole: Tree<U>) => tree.leaves<U>(whole).filter((_, i) => kept[i]),
    put: <U>(whole: Tree<U>, leaves: readonly U[]) => {
      const [all, structure] = tree.flatten<U>(whole);
      let next = 0;
      return tree.unflatten<U>(
        structure,
        all.map((leaf, i) => (kept[i] ? leaves[next++]! : leaf)),
      );
    },
  };
}

/** Selects the floating-point leaves. */
export function selectFloats(like: Tree<Typed>): Selection {
  return select(like, (leaf) => leaf.dtype.startsWith("float"));
}

/** Leafwise sum; a jax-js function. */
export function addTrees<T extends Arrays>(a: T, b: T): T {
  return tree.map((x: np.Array, y: np.Array) => x.add(y), a, b) as T;
}

/** Leafwise zeros; a jax-js function. */
export function zerosLikeTree<T extends Arrays>(like: T): T {
  return tree.map((x: np.Array) => np.zerosLike(x), like) as T;
}

/** Euclidean norm of all leaves together; a jax-js function. */
export function treeNorm(values: Arrays): np.Array {
  const squares = tree.leaves<np.Array>(values).map((x) => np.sum(np.square(x)));
  return np.sqrt(squares.reduce((sum, x) => sum.add(x)));
}

/** ‖a − b‖ over all leaves together; a jax-js function. */
export function treeDistance(a: Arrays, b: Arrays): np.Array {
  return treeNorm(treeMap((x: np.Array, y: np.Array) => x.sub(y), a, b));
}

/**
 * `vjp` of a function between trees whose structure the types do not know; a jax-js function.
 *
 * jax-js 0.1.25 orders a linearized function wrongly when one of its outputs is computed from another ("Invalid atom
 * type"), as an optimizer's weights are from its memory. A factor 1, which it removes afterwards, keeps them apart.
 */
export function pullback<A extends Arrays[], R extends Arrays>(
  fn: (...args: A) => R,
  ...args: A
): [value: R, pull: (cotangent: R) => A] {
  const apart = (...args: A): Arrays => treeMap((x: np.Array) => x.mul(1), fn(...args));
  const [value, pull] = vjp(apart as never, args as never) as unknown as [R, (c: R) => A];
  // A constant derivative comes back as a bare number, weakly float32 whatever the argument's type.
  const typed = (x: np.Array, cotangent: np.Array): np.Array =>
    cotangent.dtype === x.dtype ? cotangent : cotangent.astype(x.dtype);
  return [value, (cotangent) => treeMap(typed, args as Arrays, pull(cotangent) as Arrays) as A];
}
