/** A fixed direction through all of λ, for central differences of functions other than the value. */
import { tree } from "@jax-js/jax";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";

const direction = (i: number): number => Math.cos(1 + 2 * i);

/** λ + h·direction, in the order of its leaves' elements. */
export function shifted(lambda: Tree<Tensor>, h: number): Tree<Tensor> {
  let next = 0;
  const move = (leaf: Tensor): Tensor =>
    tensor(
      Float64Array.from(leaf.data, (v) => v + h * direction(next++)),
      { shape: leaf.shape },
    );
  return tree.map(move, lambda) as Tree<Tensor>;
}

/** The derivative along the direction that a gradient, flattened, says. */
export function slopeAlong(gradient: readonly number[]): number {
  return gradient.reduce((sum, g, i) => sum + g * direction(i), 0);
}
