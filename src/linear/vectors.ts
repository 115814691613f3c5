/** Arithmetic of vectors that are trees of arrays; jax-js functions, to be traced with `program.call`. */
import { numpy as np, tree } from "@jax-js/jax";
import type { DType, Tree } from "../program/index.ts";
import { sizeOf, treeMap } from "../program/internal.ts";

/** A vector while it is traced. */
export type Vector = Tree<np.Array>;

/** Σ aᵢbᵢ over all leaves. */
export function dot(a: Vector, b: Vector): np.Array {
  const right = tree.leaves<np.Array>(b);
  const products = tree.leaves<np.Array>(a).map((x, i) => np.sum(x.mul(right[i]!)));
  return products.reduce((sum, x) => sum.add(x));
}

/** ‖a‖₂ over all leaves. */
export function norm(a: Vector): np.Array {
  return np.sqrt(dot(a, a));
}

/** a + scale·b */
export function addScaled(a: Vector, scale: np.Array | number, b: Vector): Vector {
  return treeMap((x: np.Array, y: np.Array) => x.add(y.mul(scale)), a, b);
}

/** (a, b) ↦ a + scale·b */
export function addScaledBy(scale: number): (a: Vector, b: Vector) => Vector {
  return (a, b) => addScaled(a, scale, b);
}

/** scale·a */
export function scaled(a: Vector, scale: np.Array | number): Vector {
  return treeMap((x: np.Array) => x.mul(scale), a);
}

/** 0 with the shapes of a */
export function zerosLike(a: Vector): Vector {
  return treeMap((x: np.Array) => np.zerosLike(x), a);
}

/** All leaves as one array [n], in the order of `tree.leaves`. */
export function ravel(a: Vector): np.Array {
  const leaves = tree.leaves<np.Array>(a).map((x) => x.reshape([-1]));
  return leaves.length === 1 ? leaves[0]! : np.concatenate(leaves);
}

/** The inverse of {@link ravel}: `flat` [n] in the shapes of `like`. */
export function unravel(flat: np.Array, like: Vector): Vector {
  let offset = 0;
  return treeMap((x: np.Array) => {
    const [from, to] = [offset, (offset += sizeOf(x.shape))];
    return flat.slice([from, to]).reshape(x.shape);
  }, like);
}

/** The j-th unit vector in the shapes of `like`; `j` an int32 scalar. */
export function unitVector(like: Vector, j: np.Array): Vector {
  let offset = 0;
  return treeMap((x: np.Array) => {
    const from = offset;
    offset += sizeOf(x.shape);
    const indices = np.arange(from, offset).reshape(x.shape);
    return np.equal(indices, j).astype(x.dtype);
  }, like);
}

/** A fixed uneven vector without symmetries that could be orthogonal to an eigenvector. */
export function unevenVector(like: Vector): Vector {
  let offset = 0;
  return treeMap((x: np.Array) => {
    const from = offset;
    offset += sizeOf(x.shape);
    const indices = np.arange(from, offset).reshape(x.shape).astype(x.dtype);
    return np.cos(indices.mul(2.399963)).add(np.cos(np.sqrt(indices).mul(1.7)).mul(0.7));
  }, like);
}

/** Distance of 1 to the next larger number. */
export function epsilonOf(dtype: DType): number {
  return dtype === "float64" ? 2 ** -52 : dtype === "float16" ? 2 ** -10 : 2 ** -23;
}
