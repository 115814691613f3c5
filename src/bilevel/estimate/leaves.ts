/** Trees leaf by leaf: their paths for messages, and arithmetic on whole trees. */
import { numpy as np, tree } from "@jax-js/jax";
import {
  type DType,
  type Tensor,
  type TensorLike,
  toTensor,
  type Tree,
} from "../../program/tensors/tensor.ts";
import { treeMap } from "../../program/trees.ts";
import type { Arrays } from "../problem.ts";

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
 * A tree of what a user may pass as arrays, on the host.
 *
 * @throws TypeError naming the leaf that is no array, or the nested list of numbers that was meant as one.
 */
export function hostTree(where: string, root: string, values: Tree<TensorLike>): Tree<Tensor> {
  refuseNestedLists(where, root, values);
  const paths = leafPaths(root, values);
  const [leaves, structure] = tree.flatten<TensorLike>(values);
  const made = leaves.map((leaf, i) => {
    try {
      return toTensor(leaf);
    } catch (cause) {
      throw new TypeError(`${where}: ${paths[i]}: ${(cause as Error).message}`, { cause });
    }
  });
  return tree.unflatten(structure, made);
}

/** A list of lists of numbers would be a tree of as many scalars. */
function refuseNestedLists(where: string, path: string, value: unknown): void {
  const isRow = (row: unknown): boolean =>
    Array.isArray(row) && row.length > 0 && row.every((item) => typeof item === "number");
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isRow)) {
      throw new TypeError(
        `${where}: ${path} is a nested list of numbers, which is a tree of scalars; write tensor([[…], …]) for an array.`,
      );
    }
    value.forEach((item, i) => refuseNestedLists(where, `${path}[${i}]`, item));
  } else if (typeof value === "object" && value !== null && value.constructor === Object) {
    for (const [name, item] of Object.entries(value)) {
      refuseNestedLists(where, `${path}.${name}`, item);
    }
  }
}
