/** Points of the follower's space on the host: starts around a point, and how far points lie apart. */
import { tree } from "@jax-js/jax";
import { type Tensor, tensor, type Tree } from "../../program/index.ts";
import { countElements, treeMap } from "../../program/internal.ts";
import { foldIn, integers, randomKey } from "../../random/index.ts";

/** Seeded starts around w, uniform within 1, 3 and 10 times 1 + its root mean square, in turn. */
export function startsAround(w: Tree<Tensor>, count: number, seed: number): Tree<Tensor>[] {
  const leaves = tree.leaves<Tensor>(w);
  const squares = leaves.reduce(
    (sum, { data }) => sum + numbersOf(data).reduce((s, x) => s + x * x, 0),
    0,
  );
  const size = 1 + Math.sqrt(squares / countElements(w));
  return Array.from({ length: count }, (_, k) => {
    const radius = size * [1, 3, 10][k % 3]!;
    const key = randomKey(seed, "starts", k);
    let leaf = 0;
    return treeMap((x: Tensor) => {
      const drawn = integers(foldIn(key, leaf++), x.size, 2 ** 24);
      const shift = (i: number): number => radius * (drawn[i]! / 2 ** 23 - 1);
      const values = Array.from(x.data, (value, i) => value + shift(i));
      return tensor(new Float64Array(values), { dtype: x.dtype, shape: [...x.shape] });
    }, w);
  });
}

/** The largest distance between two of the points; 0 for fewer than two. */
export function widest(points: readonly Tree<Tensor>[]): number {
  let widest = 0;
  for (const [i, a] of points.entries()) {
    for (const b of points.slice(0, i)) widest = Math.max(widest, distance(a, b));
  }
  return widest;
}

function distance(a: Tree<Tensor>, b: Tree<Tensor>): number {
  const others = tree.leaves<Tensor>(b);
  const squares = tree
    .leaves<Tensor>(a)
    .map(({ data }, k) =>
      numbersOf(data).reduce((sum, x, i) => sum + (x - others[k]!.data[i]!) ** 2, 0),
    );
  return Math.sqrt(squares.reduce((sum, x) => sum + x, 0));
}

/** As a plain array: the union of typed arrays has no callable `reduce`. */
function numbersOf(data: Tensor["data"]): number[] {
  return Array.from(data);
}

/** Whether no number is NaN or an infinity. */
export function isFinite(w: Tree<Tensor>): boolean {
  return tree.leaves<Tensor>(w).every(({ data }) => data.every(Number.isFinite));
}
