/** Rules that draw their own batches: what is no mean over the examples is refused, what is one is not. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { srba, vrbo } from "../../src/bilevel/rules/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import { f64, sequence } from "./problems.ts";

type Examples = { readonly x: np.Array; readonly y: np.Array };
type Reduce = (x: np.Array) => np.Array;
const mean: Reduce = (x) => np.mean(x);
const sum: Reduce = (x) => np.sum(x);

/** Ridge regression whose losses are means or sums over the examples. */
const ridge = (inner: Reduce, outer: Reduce): Problem =>
  bilevel({
    inner: (w: np.Array, l: np.Array, { x, y }: Examples) =>
      inner(np.square(np.dot(x, w).sub(y))).add(np.exp(l).mul(np.sum(np.square(w)))),
    outer: (w: np.Array, _l: np.Array, { x, y }: Examples) => outer(np.square(np.dot(x, w).sub(y))),
  }) as Problem;

const problems = {
  means: ridge(mean, mean),
  innerSum: ridge(sum, mean),
  outerSum: ridge(mean, sum),
};
afterAll(async () => {
  for (const problem of Object.values(problems)) await disposePrograms(problem);
});

const examples = (n: number, seed: number): { x: Tensor; y: Tensor } => ({
  x: f64(sequence(2 * n, seed, 1), [n, 2]),
  y: f64(sequence(n, seed + 1, 1)),
});
const place = {
  lambda: f64(-2),
  w: f64([0, 0]),
  data: { inner: examples(12, 1), outer: examples(8, 3) },
};
const rules = (size: { inner: number; outer: number }): Rule[] => [
  srba({ learningRate: 0.1, size, period: 4 }),
  vrbo({ learningRate: 0.1, size, period: 4, steps: 2, products: 3 }),
];

describe.each(rules({ inner: 3, outer: 2 }).map((rule) => ({ rule, name: rule.name })))(
  "$name",
  ({ rule }) => {
    test.each(["inner", "outer"] as const)("a sum in the %s objective", async (level) => {
      const problem = problems[`${level}Sum`];
      const refused = `both objectives must be means over the examples, the first axis of their data, and at the first weights the ${level} one's`;
      await expect(hypergradient(problem, { rule, ...place })).rejects.toThrow(refused);
      const optimizer = gradientDescent({ learningRate: 0.1 });
      await expect((async () => solve(problem, { rule, optimizer, ...place }))()).rejects.toThrow(
        refused,
      );
    });

    test("means are not refused, and looked at in outer step 0 only", async () => {
      const optimizer = gradientDescent({ learningRate: 0.1 });
      const { history } = await solve(problems.means, {
        rule,
        optimizer,
        ...place,
        budget: { steps: 5 },
      });
      const [first, ...later] = history.map(({ measured }) => measured);
      for (const name of ["innerMeanDefect", "outerMeanDefect"]) {
        // Sums of a dozen numbers in another order.
        expect(first![name]).toBeLessThan(1e-14);
        expect(later.map((measured) => measured[name])).toEqual([NaN, NaN, NaN, NaN, NaN]);
      }
    });
  },
);

test("in float32, thousands of examples one by one are a mean still", async () => {
  const n = 4000;
  const single = (values: Float64Array, shape: number[]): Tensor =>
    tensor(Float32Array.from(values), { shape });
  const data = {
    x: single(sequence(2 * n, 1, 100), [n, 2]),
    y: single(sequence(n, 2, 100), [n]),
  };
  const { report } = await hypergradient(problems.means, {
    rule: srba({ learningRate: 0.1, size: { inner: 1, outer: 1 }, period: 4 }),
    lambda: tensor(-2, { dtype: "float32" }),
    w: single(Float64Array.of(0.5, -0.5), [2]),
    data: { inner: data, outer: data },
  });
  expect(report.measured["innerMeanDefect"]).toBeLessThan(1e-4);
  expect(report.measured["outerMeanDefect"]).toBeLessThan(1e-4);
});

test("one batch of all the data may be of any objective", async () => {
  for (const rule of rules({ inner: 12, outer: 8 })) {
    const { report } = await hypergradient(problems.innerSum, { rule, ...place });
    expect(report.measured["innerMeanDefect"]).toBe(0);
  }
});
