/** Trees leaf by leaf: their paths for messages, and arithmetic on whole trees. */
import { Array as JaxArray, numpy as np, tree } from "@jax-js/jax";
import { describeValue, leafPaths, treeMap } from "../../program/internal.ts";
import { type DType, Tensor, type TensorLike, toTensor, type Tree } from "../../program/index.ts";
import type { Arrays } from "../problem.ts";
import { treeNorm } from "../../linear/internal.ts";

export { leafPaths };

interface Typed {
  readonly dtype: DType;
  readonly shape: readonly number[];
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

/**
 * Refuses a function's result that is not a tree like the one it was given, leaf by leaf of the same shape and type.
 *
 * @param what - the function, as "constraints".
 * @param like - what it was given, as "lambda".
 */
export function checkLike(
  where: string,
  what: string,
  like: string,
  given: Tree<Typed>,
  result: Tree<Typed>,
): void {
  const [leaves, structure] = tree.flatten<Typed>(given);
  const [found, other] = tree.flatten<Typed>(result);
  const isSame =
    structure.equals(other) &&
    leaves.every(
      ({ shape, dtype }, i) =>
        found[i]!.shape?.join() === shape.join() && found[i]!.dtype === dtype,
    );
  if (isSame) return;
  throw new TypeError(
    `${where}: ${what} must return a tree like ${like}, ${typesOf(given)}; it returns ${typesOf(result)}.`,
  );
}

/** A tree of arrays in words: `{ w: float32[3] }`. */
function typesOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(typesOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return describeValue(value);
  if ("dtype" in value && "shape" in value) {
    const { dtype, shape } = value as Typed;
    return `${dtype}[${shape.join(", ")}]`;
  }
  const entries = Object.entries(value).map(([key, item]) => `${key}: ${typesOf(item)}`);
  return `{ ${entries.join(", ")} }`;
}

/** Leafwise sum; a jax-js function. */
export function addTrees<T extends Arrays>(a: T, b: T): T {
  return tree.map((x: np.Array, y: np.Array) => x.add(y), a, b) as T;
}

/** Leafwise zeros; a jax-js function. */
export function zerosLikeTree<T extends Arrays>(like: T): T {
  return tree.map((x: np.Array) => np.zerosLike(x), like) as T;
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

/** The jax-js arrays among the leaves, with their paths: what an objective must not read from its closure. */
export function jaxArrays(trees: Readonly<Record<string, Tree<TensorLike>>>): Map<unknown, string> {
  const named = Object.entries(trees).flatMap(([root, values]) => {
    const paths = leafPaths(root, values);
    return tree.leaves<TensorLike>(values).map((leaf, i) => [leaf, paths[i]!] as const);
  });
  return new Map(named.filter(([leaf]) => leaf instanceof JaxArray));
}

/** A list of lists of numbers would be a tree of as many scalars, an iterator a tree of nothing. */
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
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (isLazy(value)) {
    throw new TypeError(
      `${where}: ${path} is ${"then" in value ? "a promise; await it first" : "an iterator or a collection, not an array or a tree of arrays; copy its values into tensor([…]), or draw minibatches with minibatches({ data, size })"}.`,
    );
  }
  if (value.constructor === Object) {
    for (const [name, item] of Object.entries(value)) {
      refuseNestedLists(where, `${path}.${name}`, item);
    }
  }
}

/** Promises, and what is iterable without being an array: generators, iterators, maps and sets. */
function isLazy(value: object): boolean {
  if (value instanceof JaxArray || value instanceof Tensor || ArrayBuffer.isView(value)) {
    return false;
  }
  return "then" in value || Symbol.iterator in value || Symbol.asyncIterator in value;
}
