/** What enters and bounds the outer loop: constraints on λ, prepared data, minibatches. */
import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { f64, ridge, startOf } from "../../../test/bilevel/small-problems.ts";
import type { Tensor, Tree } from "../../program/tensors/tensor.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { bilevel, type Problem } from "../problem.ts";
import { box, nonNegative, simplex } from "../projections.ts";
import { reverse } from "../rules/explicit/reverse.ts";
import { minibatches } from "./samplers.ts";
import type { SolveOptions } from "./options.ts";
import { solve } from "./solve.ts";

const numbers = (values: unknown): number[] => [...(values as Tensor).data];
const inner = (learningRate: number, steps: number): SolveOptions["rule"] =>
  reverse({ steps, dynamics: gradientDescent({ learningRate }) });
const outer = (learningRate: number): SolveOptions["optimizer"] =>
  gradientDescent({ learningRate });
const ridgeOptions = {
  ...startOf(ridge),
  rule: inner(0.04, 100),
  optimizer: outer(3),
  threads: 1,
} satisfies SolveOptions;

describe("constraints", () => {
  test("start and updates are projected, and the stop looks at the projected norm", async () => {
    const run = solve(ridge.problem, {
      ...ridgeOptions,
      lambda: f64(-7),
      constraints: box({ lower: -1, upper: 1 }),
      tolerance: 1e-10,
    });
    const seen: number[] = [];
    for await (const { lambda } of run) seen.push(numbers(lambda)[0]!);
    const { lambda, status, history } = await run;
    expect(seen[0]).toBe(-1);
    expect(Math.max(...seen)).toBe(1);
    expect(numbers(lambda)).toEqual([1]);
    expect(status).toBe("converged");
    expect(history.at(-1)!.projectedGradientNorm).toBe(0);
    expect(history.at(-1)!.gradientNorm).toBeGreaterThan(1e-3);
  });

  test("simplex and non-negative constraints: the nearest feasible point to (0.8, 0.6, −1)", async () => {
    const problem = bilevel({
      inner: (w: np.Array) => np.square(w),
      outer: (w: np.Array, lambda: np.Array, target: np.Array) =>
        np.sum(np.square(lambda.sub(target))).add(np.square(w)),
    }) as Problem;
    for (const [constraints, nearest] of [
      [simplex(), [0.6, 0.4, 0]],
      [nonNegative(), [0.8, 0.6, 0]],
    ] as const) {
      const { lambda, status } = await solve(problem, {
        ...ridgeOptions,
        lambda: f64([-1, 0, 5]),
        optimizer: outer(0.3),
        data: { inner: [], outer: f64([0.8, 0.6, -1]) },
        constraints,
        tolerance: 1e-12,
      });
      expect(status).toBe("converged");
      nearest.forEach((value, i) => expect(numbers(lambda)[i]).toBeCloseTo(value, 10));
    }
  });
});

test("the recorded inner value is that of the prepared data", async () => {
  const problem = bilevel({
    prepare: (lambda: np.Array, d: np.Array) => d.mul(np.exp(lambda)),
    inner: (w: np.Array, _lambda: np.Array, d: np.Array) => np.sum(np.square(w.sub(d))).mul(0.5),
    outer: (w: np.Array, _lambda: np.Array, d: np.Array) => np.sum(np.square(w.sub(d).add(1))),
  }) as Problem;
  const run = solve(problem, {
    rule: inner(0.1, 4),
    optimizer: outer(0.01),
    lambda: f64(0.5),
    w: f64(0),
    data: { inner: f64([1, 2]), outer: f64([2, 1]) },
    budget: { steps: 3 },
  });
  for await (const { lambda, w, innerValue, value } of run) {
    const [scale, weight] = [Math.exp(numbers(lambda)[0]!), numbers(w)[0]!];
    const expected = 0.5 * ((weight - scale) ** 2 + (weight - 2 * scale) ** 2);
    expect(innerValue).toBeCloseTo(expected, 12);
    expect(value).toBeCloseTo((weight - 2 * scale + 1) ** 2 + (weight - scale + 1) ** 2, 12);
  }
  expect((await run).history.length).toBe(4);
  const without = await solve(ridge.problem, { ...ridgeOptions, innerValue: false });
  expect(without.history.every(({ innerValue }) => Number.isNaN(innerValue))).toBe(true);
});

describe("minibatches", () => {
  const x = f64(Array.from({ length: 12 }, (_, i) => Math.sin(i)));
  const mean = bilevel({
    inner: (w: np.Array, lambda: np.Array, d: np.Array) =>
      np.mean(np.square(w.sub(d).sub(lambda))).mul(0.5),
    outer: (w: np.Array, _lambda: np.Array, d: np.Array) => np.mean(np.square(w.sub(d))),
  }) as Problem;
  const average = (batch: Tree<Tensor>): number =>
    numbers(batch).reduce((sum, value) => sum + value) / numbers(batch).length;

  test("one batch per outer step, or one per inner step, from streams named inner and outer", async () => {
    for (const perStep of [undefined, 3]) {
      const sampler = minibatches({ data: x, size: 4, ...(perStep && { perStep }) });
      const single = minibatches({ data: x, size: 4 });
      const outerSampler = minibatches({ data: x, size: 6 });
      const { history, w } = await solve(mean, {
        rule: inner(0.5, 3),
        optimizer: outer(1e-300),
        lambda: f64(0),
        w: f64(0),
        data: { inner: sampler, outer: outerSampler },
        budget: { steps: 4 },
        seed: 11,
      });
      let expected = 0;
      for (let step = 0; step <= 4; step++) {
        for (let t = 0; t < 3; t++) {
          const batch = single.batch(perStep ? 3 * step + t : step, { seed: 11, stream: "inner" });
          expected -= 0.5 * (expected - average(batch));
        }
        const batch = numbers(outerSampler.batch(step, { seed: 11, stream: "outer" }));
        const value = batch.reduce((sum, d) => sum + (expected - d) ** 2, 0) / batch.length;
        expect(history[step]!.value).toBeCloseTo(value, 12);
      }
      expect(numbers(w)[0]).toBeCloseTo(expected, 12);
    }
  });

  test("a stack of the wrong height is refused, and so is one for the leader", async () => {
    const stacked = minibatches({ data: x, size: 4, perStep: 5 });
    const options = { rule: inner(0.5, 3), optimizer: outer(1), lambda: f64(0), w: f64(0) };
    await expect(solve(mean, { ...options, data: { inner: stacked, outer: x } })).rejects.toThrow(
      /rule's 3 inner steps, it stacks 5; give it perStep: 3/,
    );
    await expect(solve(mean, { ...options, data: { inner: x, outer: stacked } })).rejects.toThrow(
      /outer sampler must give one batch/,
    );
  });
});
