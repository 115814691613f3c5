/** Trees whose structure the types do not know: mapped and counted. */
import { tree } from "@jax-js/jax";

import { type DType, type Shape, sizeOf, type Tree } from "./tensors/tensor.ts";
import { ArraySpec } from "./trace/trace.ts";

/** `tree.map` for trees whose structure the types do not know. */
export function treeMap<A, B>(
  fn: (...leaves: A[]) => B,
  first: Tree<A>,
  ...rest: Tree<A>[]
): Tree<B> {
  return tree.map(
    fn as (...leaves: unknown[]) => B,
    first as never,
    ...(rest as never[]),
  ) as Tree<B>;
}

/** Number of elements in all leaves. */
export function countElements(values: Tree<{ readonly shape: Shape }>): number {
  return tree
    .leaves<{ readonly shape: Shape }>(values)
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Shapes and types of a tree's arrays, without the arrays. */
export function specsOf(
  values: Tree<{ readonly shape: Shape; readonly dtype: DType }>,
): Tree<ArraySpec> {
  return treeMap(({ shape, dtype }) => new ArraySpec(shape, dtype), values);
}

/** The path of each leaf, in the order of `tree.leaves`: `lambda.rate`, `w[0].bias`, or the root's name alone. */
export function leafPaths(root: string, value: Tree<unknown>): string[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => leafPaths(`${root}[${i}]`, item));
  if (typeof value === "object" && value !== null && value.constructor === Object) {
    return Object.entries(value).flatMap(([key, item]) => leafPaths(`${root}.${key}`, item));
  }
  return [root];
}
