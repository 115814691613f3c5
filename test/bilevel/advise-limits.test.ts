/** The adviser's limits: budgets, dynamics that diverge, misuse; and its measurements against known numbers. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import { advise } from "../../src/bilevel/advise/advise.ts";
import type { Advice } from "../../src/bilevel/advise/types.ts";
import {
  bilevel,
  box,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type Problem,
} from "../../src/bilevel/index.ts";
import { tensor, type Tensor } from "../../src/program/index.ts";
import { adviceFor, disposeAdvised } from "./advice.ts";
import { f64, logRidge, planeQuadratic, representation, scalarQuadratic } from "./problems.ts";
import { equal, merelyConvex, noData, sinusoidal } from "./problems-without-unique-answer.ts";
import { logisticRegression } from "./small-problems.ts";

afterAll(disposeAdvised);

describe("limits", () => {
  test("nothing above the budget is recommended", async () => {
    const c = representation();
    const options = { steps: 400, rate: c.learningRate };
    const free = await adviceFor(c.problem, c, options);
    expect(free.ranking.map(({ factory }) => factory)).toContain("implicit");
    const tight = await adviceFor(c.problem, c, { ...options, bytes: 24 * 30 });
    expect(tight.ranking.length).toBeGreaterThan(0);
    const none = await adviceFor(c.problem, c, { ...options, bytes: 20 });
    expect(none.ranking).toEqual([]);
    expect(none.sentence).toContain("Nothing fits in 20 B; the least is 24 B");
  });

  test("a projection is part of the rules, and rules out what cannot take one", async () => {
    const { problem, lambda, w, data } = scalarQuadratic;
    const projection = box({ lower: 0, upper: 0.25 });
    const place = { lambda, w, data };
    const advice = await adviceFor(problem, place, { steps: 60, rate: 0.25, projection });
    expect(advice.ruledOut.map(({ factory }) => factory)).toEqual([
      "implicit",
      "soba",
      "amigo",
      "f2sa",
    ]);
    const { rule } = advice.ranking[0]!;
    const { w: answer, gradient } = await hypergradient(problem, { rule, ...place });
    // Held at the bound, the answer does not move with λ: dF/dx = ρx.
    expect((answer as Tensor).item()).toBe(0.25);
    expect((gradient as Tensor).item()).toBeCloseTo(0.1, 12);
  });

  test("steps that diverge are named, and nothing is recommended", async () => {
    const advice = await adviceFor(planeQuadratic.problem, planeQuadratic, { steps: 50, rate: 3 });
    expect(advice.ranking).toEqual([]);
    expect(advice.sentence).toBe(
      "The follower diverges in 50 steps. No rule can help before the steps converge; lower the inner learning rate.",
    );
  });

  test("the sizes are the dynamics', and a time that is too short is cautioned against", async () => {
    const { lambda, w, data, problem } = logRidge;
    const advice = await advise(problem, {
      lambda,
      w,
      data,
      steps: 50,
      dynamics: momentum({ learningRate: 0.02, momentum: 0.5 }),
      seconds: 1e-12,
    });
    expect(advice.measured).toMatchObject({ weights: 1, state: 2, hyperparameters: 1 });
    expect(advice.ranking[0]!.caution).toContain("more than the 1e-12 s given");
  });

  test("the curvature and the contraction of P2 are those of its matrix", async () => {
    const { measured } = await adviceFor(planeQuadratic.problem, planeQuadratic, {
      steps: 200,
      rate: 0.3,
    });
    const root = Math.sqrt(0.5);
    expect(measured.atResponse.smallest).toBeCloseTo(1.5 - root, 9);
    expect(measured.atResponse.largest).toBeCloseTo(1.5 + root, 9);
    expect(measured.contraction).toBeLessThan(0.8);
    expect(measured.solvedStarts).toBe(7);
    expect(measured.spread).toBeLessThan(1e-6 * measured.startSpread);
  });

  test("first weights that depend on λ are made, and rules that drop their derivative left out", async () => {
    const problem = bilevel({
      init: (lambda: np.Array) => lambda.mul(2),
      inner: (w: np.Array, _l: np.Array, d: np.Array) => np.sum(np.square(w.sub(d))),
      outer: (w: np.Array, lambda: np.Array, d: np.Array) =>
        np.sum(np.square(np.sin(w).sub(d))).add(np.sum(np.square(lambda))),
    }) as Problem;
    const at = { lambda: f64([0.3, 0.4]), data: { inner: f64([1, 2]), outer: f64([0.5, -1]) } };
    const dynamics = gradientDescent({ learningRate: 0.05 });
    const advice = await advise(problem, { ...at, steps: 4, dynamics });
    expect(advice.measured.weights).toBe(2);
    expect(advice.ruledOut.map(({ factory }) => factory)).toEqual([
      "implicit",
      "truncated",
      "soba",
      "amigo",
      "f2sa",
    ]);
    const check = await checkHypergradient(problem, { rule: advice.ranking[0]!.rule, ...at });
    expect(check.passed, check.sentence).toBe(true);
    await disposePrograms(problem);
  });

  test("the same advice every time, whatever the clock says", async () => {
    const place = { lambda: f64(3), w: equal(2, 3), data: noData };
    const [a, b] = [1, 2].map(() =>
      adviceFor(sinusoidal as Problem, place, { steps: 60, rate: 0.5 }),
    );
    const calls = async (advice: Promise<Advice>) =>
      (await advice).ranking.map(({ call, why }) => [call, why]);
    expect(await calls(a!)).toEqual(await calls(b!));
  });

  test("weights that already solve the inner problem are solved, and do not diverge", async () => {
    const { problem, lambda, data } = scalarQuadratic;
    const options = { steps: 50, rate: 0.25 };
    const advice = await adviceFor(problem, { lambda, data, w: f64(0.5) }, options);
    expect(advice.measured.diverges).toBe(false);
    expect(advice.isSolved).toBe(true);
    expect(advice.innerSolutions).toBe("unique");
  });

  test("in float32", async () => {
    const small = logisticRegression(40, 5);
    const advice = await adviceFor(small.problem, small, { steps: 500, rate: 1 });
    expect(advice.innerSolutions, advice.sentence).toBe("unique");
    expect(advice.measured.bytesPerFloat).toBe(4);
    const x = tensor([0.5, -0.3]);
    const place = { lambda: x, w: { y1: x, y2: x }, data: noData };
    const flat = await adviceFor(merelyConvex as Problem, place, { steps: 30, rate: 0.5 });
    expect(flat.innerSolutions, flat.sentence).toBe("flat");
  });

  test("misuse is refused", async () => {
    const { problem, lambda, w, data } = scalarQuadratic;
    const dynamics = gradientDescent({ learningRate: 0.1 });
    const at = { lambda, w, data, dynamics, steps: 5 };
    await expect(advise(problem, { ...at, steps: 0 })).rejects.toThrow(
      "advise: steps must be a whole number >= 1; 0 came.",
    );
    await expect(advise(problem, { ...at, starts: 1 })).rejects.toThrow(
      "advise: starts must be at least 2, for one start shows one solution only.",
    );
    await expect(advise(problem, { ...at, batches: 1 })).rejects.toThrow(
      "advise: batches must be at least 2, for one minibatch shows no noise.",
    );
    await expect(advise(problem, { ...at, bytes: -1 })).rejects.toThrow(
      "advise: bytes must be a number > 0; -1 came.",
    );
    await expect(advise(problem, { lambda, data, dynamics, steps: 5 })).rejects.toThrow(
      /w, the follower's first weights, is missing/,
    );
    await expect(advise(problem, { ...at, w: tensor(new Int32Array([1])) })).rejects.toThrow(
      /advise: w must be floating-point/,
    );
    const half = tensor([1, 2], { dtype: "float16" });
    await expect(advise(problem, { ...at, w: half })).rejects.toThrow(
      "advise: w is float16, in which curvatures drown in rounding; measure in float32 or float64.",
    );
  });
});
