/** Labels out of range in an objective: named wherever they come in, never another class's and never dropped. */
import { nn, numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import {
  adam,
  bilevel,
  gradientDescent,
  hypergradient,
  minibatches,
  reverse,
  solve,
  tensor,
} from "../../src/index.ts";

interface Rows {
  readonly x: np.Array;
  readonly k: np.Array;
}

const f64 = { dtype: "float64" } as const;
const crossEntropy = (w: np.Array, { x, k }: Rows): np.Array =>
  np.mean(np.sum(nn.logSoftmax(np.dot(x, w), -1).mul(nn.oneHot(k, 3)), -1)).mul(-1);
const problem = bilevel({
  inner: (w: np.Array, lambda: np.Array, rows: Rows) =>
    crossEntropy(w, rows).add(np.exp(lambda).mul(np.sum(np.square(w)))),
  outer: (w: np.Array, _: np.Array, rows: Rows) => crossEntropy(w, rows),
});
const rowsOf = (...k: number[]) => ({
  x: tensor([[1, 2], [0, 1], [2, 0], [1, 1]], f64), // prettier-ignore
  k: tensor(k, { dtype: "int32" }),
});
const at = {
  rule: reverse({ steps: 3, dynamics: gradientDescent({ learningRate: 0.1 }) }),
  lambda: tensor(-1, f64),
  w: tensor([[0, 0, 0], [0, 0, 0]], f64), // prettier-ignore
};
const good = rowsOf(0, 1, 2, 0);

test("the hypergradient of labels in range is that of central differences", async () => {
  const data = { inner: good, outer: rowsOf(2, 1, 0, 0) };
  const valueAt = async (lambda: number): Promise<number> =>
    (await hypergradient(problem, { ...at, lambda: tensor(lambda, f64), data })).value.item();
  const { gradient } = await hypergradient(problem, { ...at, data });
  // The difference's own error is some h² = 1e-10 beside a rounding of 1e-16 / h = 1e-11.
  const h = 1e-5;
  const difference = ((await valueAt(-1 + h)) - (await valueAt(-1 - h))) / (2 * h);
  expect(Math.abs(gradient.item())).toBeGreaterThan(1e-4);
  expect(Math.abs(gradient.item() - difference)).toBeLessThan(1e-9);
});

test.each([
  ["inner.k: element 2 is 3", { inner: rowsOf(0, 1, 3, 0), outer: good }],
  ["outer.k: element 3 is -1", { inner: good, outer: rowsOf(0, 1, 2, -1) }],
])("%s", async (sentence, data) => {
  const wanted = `${sentence}, but an axis of 3 is read by it, so it must be from 0 to 2`;
  await expect(hypergradient(problem, { ...at, data })).rejects.toThrow(wanted);
  const options = { ...at, data, optimizer: adam({ learningRate: 0.1 }), budget: { steps: 2 } };
  await expect(solve(problem, options)).rejects.toThrow(wanted);
});

test("of minibatches, one for each inner step", async () => {
  const inner = minibatches({ data: rowsOf(0, 1, 3, 0), size: 2, perStep: 3 });
  const options = {
    ...at,
    data: { inner, outer: good },
    optimizer: adam({ learningRate: 0.1 }),
    budget: { steps: 2 },
  };
  await expect(solve(problem, options)).rejects.toThrow(/inner\.k: element \d is 3, but an axis/);
});

test("where only the derivative reads by them, and the engine would drop them", async () => {
  const rows = bilevel({
    inner: (w: np.Array, lambda: np.Array, { k }: { k: np.Array }) =>
      np.sum(np.take(w, k, 0)).add(np.sum(np.square(w.sub(lambda)))),
    outer: (w: np.Array) => np.sum(np.square(w)),
  });
  const data = { inner: { k: tensor([0, 5], { dtype: "int32" }) }, outer: [] };
  await expect(hypergradient(rows, { ...at, data })).rejects.toThrow(
    "inner.k: element 1 is 5, but an axis of 2 is read by it",
  );
});
