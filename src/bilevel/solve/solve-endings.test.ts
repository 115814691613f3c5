/** How the outer loop ends: budgets, early stopping, cancellation, NaN, divergence; and what it refuses. */
import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { f64, leaderOnly, ridge } from "../../../test/bilevel/small-problems.ts";
import { tensor, type Tensor } from "../../program/tensors/tensor.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { bilevel, type Problem } from "../problem.ts";
import { reverse } from "../rules/explicit/reverse.ts";
import type { SolveOptions } from "./options.ts";
import { solve } from "./solve.ts";

const numbers = (values: unknown): number[] => [...(values as Tensor).data];
const options = {
  rule: reverse({ steps: 10, dynamics: gradientDescent({ learningRate: 0.04 }) }),
  optimizer: gradientDescent({ learningRate: 1 }),
  lambda: ridge.lambda,
  w: ridge.w,
  data: ridge.data,
  threads: 1,
} satisfies SolveOptions;

describe("budgets", () => {
  test.each([
    [{ steps: 0 }, 0, /budget of 0 outer steps is spent at step 0/],
    [{ steps: 7 }, 7, /budget of 7 outer steps is spent at step 7: the outer objective went from/],
    [{ innerGradients: 35 }, 2, /budget of 35 inner gradients is spent at step 2/],
    [{ innerGradients: 40, steps: 99 }, 3, /budget of 40 inner gradients/],
    [{ seconds: 0 }, 0, /budget of 0 seconds is spent at step 0/],
  ])("%j ends at step %d", async (budget, last, sentence) => {
    const result = await solve(ridge.problem, { ...options, budget });
    expect(result.status).toBe("max-steps");
    expect(result.sentence).toMatch(sentence);
    expect(result.history.length).toBe(last + 1);
    expect(result.history.at(-1)!.step).toBe(last);
    expect(result.cost.innerGradients).toBe(10 * (last + 1));
  });

  test("seconds end the loop soon after they have passed", async () => {
    const result = await solve(ridge.problem, { ...options, budget: { seconds: 0.2 } });
    expect(result.status).toBe("max-steps");
    expect(result.seconds).toBeGreaterThanOrEqual(0.2);
    const before = result.history.slice(0, -1).reduce((sum, { seconds }) => sum + seconds!, 0);
    expect(before).toBeLessThan(0.2);
  });

  test("a budget too small for one evaluation returns the start and says so", async () => {
    const result = await solve(ridge.problem, { ...options, budget: { innerGradients: 9 } });
    expect(result.history).toEqual([]);
    expect(result.sentence).toMatch(/too small for one evaluation, which takes 10/);
    expect(numbers(result.lambda)).toEqual([0]);
    expect(result.value).toBeNaN();
  });

  test("the default is 100 steps", async () => {
    expect((await solve(ridge.problem, options)).history.length).toBe(101);
  });
});

test("early stopping counts steps without improvement", async () => {
  // |λ| by steps of 0.3 from 1: 1, 0.7, 0.4, 0.1, 0.2, 0.1, 0.2, … up to rounding.
  const problem = leaderOnly((lambda) => np.abs(lambda));
  const optimizer = gradientDescent({ learningRate: 0.3 });
  const earlyStopping = { patience: 4, minImprovement: 1e-6 };
  const result = await solve(problem, { ...options, optimizer, lambda: f64(1), earlyStopping });
  expect(result.status).toBe("converged");
  expect(result.history.length).toBe(8);
  expect(result.sentence).toMatch(/Stopped early at step 7: no improvement by more than 0.000001/);
  expect(result.best.step).toBe(
    3 + 2 * Number(result.history[5]!.value < result.history[3]!.value),
  );
});

describe("cancellation", () => {
  test("a signal ends the loop after the step in progress", async () => {
    const controller = new AbortController();
    const run = solve(ridge.problem, { ...options, signal: controller.signal });
    for await (const { step } of run) if (step === 3) controller.abort();
    const result = await run;
    expect(result.status).toBe("cancelled");
    expect(result.history.length).toBe(4);
    expect(result.sentence).toMatch(/Cancelled by its signal after step 3; the outer objective is/);
  });

  test("a signal given up before the start evaluates nothing", async () => {
    const result = await solve(ridge.problem, { ...options, signal: AbortSignal.abort() });
    expect(result.status).toBe("cancelled");
    expect(result.history).toEqual([]);
    expect(result.sentence).toBe("Cancelled by its signal before the first step.");
    expect(numbers(result.lambda)).toEqual([0]);
  });

  test("break ends the run with what it has", async () => {
    const run = solve(ridge.problem, options);
    for await (const { step } of run) if (step === 2) break;
    const result = await run;
    expect(result.status).toBe("cancelled");
    expect(result.sentence).toMatch(/Stopped by its caller after step 2/);
    expect(result.value).toBe(result.history[2]!.value);
  });
});

describe("nothing is lost when numbers go wrong", () => {
  test("a step that is not finite: the one before it is the result", async () => {
    // λ goes 1, 0.7, 0.27…, −0.83…, where the logarithm is not a number.
    const problem = leaderOnly((lambda) => np.log(lambda));
    const optimizer = gradientDescent({ learningRate: 0.3 });
    const result = await solve(problem, { ...options, optimizer, lambda: f64(1) });
    expect(result.status).toBe("non-finite");
    expect(result.sentence).toMatch(
      /NaN or infinity in the outer objective.* at step 3; the result is that of step 2/,
    );
    expect(result.history.length).toBe(4);
    expect(result.history[3]!.value).toBeNaN();
    expect(numbers(result.lambda)[0]).toBeCloseTo(0.7 - 0.3 / 0.7, 12);
    expect(result.value).toBe(result.history[2]!.value);
    expect(result.best.step).toBe(2);
  });

  test("an update that leaves the finite numbers", async () => {
    const problem = leaderOnly((lambda) => np.square(lambda));
    const optimizer = gradientDescent({ learningRate: 1e200 });
    const result = await solve(problem, { ...options, optimizer, lambda: f64(1e150) });
    expect(result.sentence).toMatch(/NaN or infinity in lambda after the update at step 0/);
    expect(numbers(result.lambda)).toEqual([1e150]);
  });

  test("NaN in the data: the start is the result", async () => {
    const data = { inner: ridge.data.inner, outer: { x: f64([1, 2]), y: f64([Number.NaN, 1]) } };
    const result = await solve(ridge.problem, { ...options, data });
    expect(result.status).toBe("non-finite");
    expect(result.sentence).toMatch(/at step 0; this is the start.*check the data for NaN/);
    expect(numbers(result.lambda)).toEqual([0]);
    expect(numbers(result.w)).toEqual([0]);
    expect(result.value).toBeNaN();
    expect(result.history.length).toBe(1);
  });

  test("a follower that blows up is named", async () => {
    const rule = reverse({ steps: 3000, dynamics: gradientDescent({ learningRate: 1 }) });
    const result = await solve(ridge.problem, { ...options, rule });
    expect(result.status).toBe("non-finite");
    expect(result.sentence).toMatch(/the follower's weights at step 0/);
  });

  test("a diverging objective stops with the best step kept", async () => {
    const problem = leaderOnly((lambda) => np.square(lambda));
    const optimizer = gradientDescent({ learningRate: 3 });
    const result = await solve(problem, { ...options, optimizer, lambda: f64(1) });
    // λ is multiplied by −5, the objective by 25: 25⁴ < 10⁶ < 25⁵.
    expect(result.status).toBe("diverged");
    expect(result.history.length).toBe(6);
    expect(result.sentence).toMatch(/diverges: 9765630 at step 5, 1 at step 0/);
    expect(result.best.step).toBe(0);
    expect(numbers(result.best.lambda)).toEqual([1]);
    const patient = await solve(problem, {
      ...options,
      optimizer,
      lambda: f64(1),
      divergence: 1e12,
      budget: { steps: 7 },
    });
    expect(patient.status).toBe("max-steps");
  });
});

describe("misuse is refused at once", () => {
  const wrong = (change: object): (() => unknown) => {
    return () => solve(ridge.problem, { ...options, ...change });
  };
  test.each([
    [{ rule: undefined }, /rule is missing/],
    [{ data: { inner: f64(1) } }, /data.outer is missing/],
    [{ w: undefined }, /w, the follower's first weights, is missing/],
    [{ start: "hot" }, /start must be "warm" or "cold", got hot/],
    [{ tolerance: -1 }, /tolerance must be a number >= 0/],
    [{ divergence: 0 }, /divergence must be a positive number/],
    [{ seed: 1.5 }, /seed: a whole number/],
    [{ budget: { steps: 0.5 } }, /budget.steps must be a non-negative integer/],
    [{ earlyStopping: { patience: 0 } }, /patience must be a positive integer/],
    [{ checkpoint: {} }, /either a path or a save function/],
    [{ checkpoint: { path: "a", everySteps: 0 } }, /everySteps must be a positive integer/],
  ])("%#: %o", (change, message) => {
    expect(wrong(change)).toThrow(message);
  });

  test("a hyperparameter of integer type, named", async () => {
    const lambda = tensor(Int32Array.of(1));
    await expect(solve(ridge.problem, { ...options, lambda })).rejects.toThrow(/lambda.*int32/);
  });

  test("a hyperparameter read from the closure instead of the argument", async () => {
    const lambda = np.array([0.5, 1]);
    const problem = bilevel({
      inner: (w: np.Array) => np.square(w).mul(np.sum(np.exp(lambda))),
      outer: (w: np.Array, l: np.Array) => np.square(w).add(np.sum(np.square(l))),
    }) as Problem;
    const given = { ...options, lambda, w: tensor(1), data: { inner: [], outer: [] } };
    await expect(solve(problem, given)).rejects.toThrow(/reads lambda from its closure/);
    lambda.dispose();
  });
});
