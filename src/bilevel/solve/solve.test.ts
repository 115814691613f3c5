import { numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  f64,
  leaderOnly,
  quadratic,
  ridge,
  startOf,
} from "../../../test/bilevel/small-problems.ts";
import { Program } from "../../program/program.ts";
import type { Tensor } from "../../program/tensors/tensor.ts";
import { adam } from "../optimizers/adam.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { inverseTimeDecay } from "../optimizers/schedule.ts";
import { bilevel, type Problem } from "../problem.ts";
import { reverse } from "../rules/explicit/reverse.ts";
import type { SolveOptions } from "./options.ts";
import { solve } from "./solve.ts";

afterEach(() => void vi.restoreAllMocks());

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

describe("known optima", () => {
  test("ridge penalty: λ* = 1.66361 by gradient descent", async () => {
    const result = await solve(ridge.problem, { ...ridgeOptions, tolerance: 1e-8 });
    expect(result.status).toBe("converged");
    expect(result.sentence).toMatch(/Converged at step \d+: the hypergradient's norm/);
    expect(numbers(result.lambda)[0]).toBeCloseTo(1.66361, 5);
    expect(Math.abs(numbers(result.lambda)[0]! - ridge.bestLambda)).toBeLessThan(1e-6);
    expect(result.value).toBeCloseTo(0.0013235294, 9);
  });

  test("ridge penalty by Adam", async () => {
    const { lambda } = await solve(ridge.problem, {
      ...ridgeOptions,
      optimizer: adam({ learningRate: 0.1 }),
      budget: { steps: 600 },
    });
    expect(Math.abs(numbers(lambda)[0]! - ridge.bestLambda)).toBeLessThan(1e-6);
  });

  test("two-dimensional quadratic: x* and F* by gradient descent", async () => {
    const result = await solve(quadratic.problem, {
      ...startOf(quadratic),
      rule: inner(2 / 3, 60),
      optimizer: outer(1),
      budget: { steps: 300 },
    });
    const [first, second] = numbers(result.lambda);
    expect(Math.abs(first! - quadratic.bestLambda[0]!)).toBeLessThan(1e-9);
    expect(Math.abs(second! - quadratic.bestLambda[1]!)).toBeLessThan(1e-9);
    expect(Math.abs(result.value - quadratic.bestValue)).toBeLessThan(1e-12);
  });

  test("a learned start, without w: λ = 2d − c after one inner step of ½", async () => {
    const problem = bilevel({
      init: (lambda: np.Array) => lambda,
      inner: (w: np.Array, _lambda: np.Array, c: np.Array) => np.square(w.sub(c)).mul(0.5),
      outer: (w: np.Array, _lambda: np.Array, d: np.Array) => np.square(w.sub(d)).mul(0.5),
    });
    const { lambda, w } = await solve(problem as Problem, {
      rule: inner(0.5, 1),
      optimizer: outer(2),
      lambda: f64(0),
      data: { inner: f64(3), outer: f64(5) },
      tolerance: 1e-12,
    });
    expect(numbers(lambda)[0]).toBeCloseTo(7, 10);
    expect(numbers(w)[0]).toBeCloseTo(5, 10);
  });
});

describe("steps", () => {
  test("step k evaluates λ_k and the result belongs to the last one", async () => {
    const steps = [];
    const run = solve(ridge.problem, { ...ridgeOptions, budget: { steps: 3 } });
    for await (const step of run) steps.push(step);
    const result = await run;
    expect(steps.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    for (const [k, { lambda, w, value, gradient }] of steps.entries()) {
      const [w0, l0] = [numbers(w)[0]!, numbers(lambda)[0]!];
      expect(w0).toBeCloseTo(11 / (14 + Math.exp(l0)), 12);
      expect(value).toBeCloseTo(0.5 * ((1.5 * w0 - 0.9) ** 2 + (2.5 * w0 - 1.4) ** 2), 12);
      const next = steps[k + 1];
      if (next) expect(numbers(next.lambda)[0]).toBeCloseTo(l0 - 3 * numbers(gradient)[0]!, 12);
    }
    expect(numbers(result.lambda)).toEqual(numbers(steps[3]!.lambda));
    expect(result.value).toBe(steps[3]!.value);
    expect(result.history.map(({ value }) => value)).toEqual(steps.map(({ value }) => value));
    expect(steps[0]!.innerValue).toBeCloseTo(0.4666666667, 9);
    expect(steps[0]!.report.status).toBe("converged");
    expect(steps[1]!.cost.innerGradients).toBe(200);
  });

  test("awaiting gives what iterating gives", async () => {
    const options = { ...ridgeOptions, budget: { steps: 5 } };
    const run = solve(ridge.problem, options);
    for await (const _ of run);
    const iterated = await run;
    const awaited = await solve(ridge.problem, options);
    expect(numbers(iterated.lambda)).toEqual(numbers(awaited.lambda));
    expect(iterated.history.map(({ value }) => value)).toEqual(
      awaited.history.map(({ value }) => value),
    );
    expect(iterated.sentence).toBe(awaited.sentence);
  });

  test("programs are compiled once, whatever the number of steps", async () => {
    const compile = vi.spyOn(Program.prototype, "compile");
    await solve(ridge.problem, { ...ridgeOptions, budget: { steps: 20 } });
    expect(compile).toHaveBeenCalledTimes(2);
  });

  test("a schedule sees the index of the outer update", async () => {
    const learningRate = inverseTimeDecay({ initial: 0.1, decay: 1 });
    const problem = leaderOnly((lambda) => np.square(lambda));
    const { lambda } = await solve(problem, {
      ...ridgeOptions,
      lambda: f64(1),
      optimizer: gradientDescent({ learningRate }),
      budget: { steps: 4 },
    });
    // λ ← λ − s(t)·2λ with s(t) = 0.1/(1 + t).
    const expected = (1 - 0.2) * (1 - 0.2 / 2) * (1 - 0.2 / 3) * (1 - 0.2 / 4);
    expect(numbers(lambda)[0]).toBeCloseTo(expected, 12);
  });

  test("warm: n steps of T inner steps are nT inner steps; cold: each starts at w", async () => {
    const options = { ...ridgeOptions, optimizer: outer(1e-300), rule: inner(0.01, 2) };
    const budget = { steps: 4 };
    const warm = await solve(ridge.problem, { ...options, budget });
    const cold = await solve(ridge.problem, { ...options, budget, start: "cold" });
    const long = await solve(ridge.problem, {
      ...options,
      rule: inner(0.01, 10),
      budget: { steps: 0 },
    });
    expect(numbers(warm.w)[0]).toBeCloseTo(numbers(long.w)[0]!, 14);
    expect(new Set(cold.history.map(({ innerValue }) => innerValue)).size).toBe(1);
    expect(cold.history[0]!.innerValue).toBe(warm.history[0]!.innerValue);
    expect(warm.history[1]!.innerValue).toBeLessThan(cold.history[1]!.innerValue);
  });

  test("a hyperparameter that nothing reads is named in a warning", async () => {
    const problem = bilevel({
      inner: (w: np.Array, { used }: { used: np.Array }) => np.square(w.sub(used)),
      outer: (w: np.Array) => np.square(w.sub(1)),
    }) as Problem;
    const { warnings } = await solve(problem, {
      // As many as hide nothing of the earlier weights.
      rule: inner(0.3, 10),
      optimizer: outer(0.1),
      lambda: { used: f64(0), rates: { forgotten: f64([1, 2]) } },
      w: f64(0),
      data: { inner: [], outer: [] },
      budget: { steps: 2 },
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^lambda\.rates\.forgotten has a hypergradient of exactly 0/),
    ]);
  });

  test("keepBest returns the best step, not the last", async () => {
    // The steps jump over the minima of sin 3λ, so the last is not the best.
    const problem = leaderOnly((lambda) => np.sin(lambda.mul(3)));
    const options = {
      ...ridgeOptions,
      lambda: f64(1),
      optimizer: outer(0.9),
      budget: { steps: 5 },
    };
    const last = await solve(problem, options);
    const kept = await solve(problem, { ...options, keepBest: true });
    const values = last.history.map(({ value }) => value);
    const best = values.indexOf(Math.min(...values));
    expect(best).toBeLessThan(5);
    expect(last.best.step).toBe(best);
    expect(last.value).toBe(values[5]);
    expect(kept.value).toBe(values[best]);
    expect(numbers(kept.lambda)).toEqual(numbers(last.best.lambda));
  });
});
