import { grad, numpy as np, tree } from "@jax-js/jax";
import { expect, test } from "vitest";
import { compile, type JaxFunction, tensor, type Tensor, type Tree } from "../program/index.ts";
import { greatest, maxPool } from "./max-pool.ts";

async function evaluate(fn: JaxFunction, ...args: Tensor[]): Promise<number[]> {
  const compiled = compile(fn);
  const result = (await compiled(...args)) as Tree<Tensor>;
  await compiled.dispose();
  return tree.leaves<Tensor>(result).flatMap(({ data }) => Array.from(data, Number));
}

const float64 = (data: number[], shape: number[]): Tensor =>
  tensor(Float64Array.from(data), { shape });

test("the greatest of five arrays and its derivative; of equal ones the first has it", async () => {
  const rows = float64(
    [...[1, 5, 2, 7], ...[4, 5, 2, 7], ...[3, 0, 2, 8], ...[4, 1, 2, 8], ...[0, 5, 2, 8]],
    [5, 4],
  );
  const top = (x: np.Array): np.Array =>
    greatest([0, 1, 2, 3, 4].map((i) => x.slice(i) as np.Array));
  expect(await evaluate(top, rows)).toEqual([4, 5, 2, 8]);
  const slope = (x: np.Array): np.Array => grad((x: np.Array) => np.sum(np.square(top(x))))(x);
  const first = [1, 0, 0, 2];
  const wanted = [0, 1, 2, 3, 4].flatMap((row) =>
    [4, 5, 2, 8].map((value, i) => (first[i] === row ? 2 * value : 0)),
  );
  expect((await evaluate(slope as JaxFunction, rows)).map((v) => v + 0)).toEqual(wanted);
});

test("numbers of a window that are greatest together share the derivative, as in jax-js", async () => {
  const flat = float64(
    Array.from({ length: 32 }, (_, i) => [1, 1, 0, 2][i % 4]!),
    [1, 2, 4, 4],
  );
  const share = (pool: (x: np.Array) => np.Array) => (x: np.Array) =>
    grad((x: np.Array) => np.sum(np.square(pool(x))))(x);
  const plain = (x: np.Array): np.Array => np.max(x.reshape([1, 2, 2, 2, 2, 2]), [3, 5]);
  const actual = await evaluate(share(maxPool) as JaxFunction, flat);
  expect(actual).toEqual(await evaluate(share(plain) as JaxFunction, flat));
  // The first window is 1 1 / 1 1, the second 0 2 / 0 2: E = Σ max², dE/dmax = 2 and 4, each shared by those equal.
  expect(actual.slice(0, 4)).toEqual([0.5, 0.5, 0, 2]);
});
