/**
 * Truncated reverse mode against numbers worked out by hand, against reverse on every problem, and with the bias that
 * its theory predicts. The other explicit rules have files of their own.
 */
import { numpy as np } from "@jax-js/jax";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import {
  adam,
  bilevel,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  type BilevelData,
  type Rule,
} from "../../src/bilevel/index.ts";
import {
  darts,
  forward,
  oneStage,
  realTime,
  reverse,
  truncated,
} from "../../src/bilevel/rules/index.ts";
import { walk, type Value } from "../../src/program/ir.ts";
import { Program, type Tensor, type Tree } from "../../src/program/index.ts";
import { distance, evaluate, expectClose, flat, weightsAfter } from "./evaluate.ts";
import { allCases, f64, planeQuadratic, scalarQuadratic, type Case } from "./problems.ts";
import { merelyConvex, noData } from "./problems-without-unique-answer.ts";
import { logSlope } from "./slope.ts";

const cases = allCases();
// Each problem with a method whose memory is differentiated through as well.
const rows = cases.map((c, i) => ({
  c,
  label: c.name,
  dynamics:
    i % 2 === 0
      ? momentum({ learningRate: c.learningRate / 2, momentum: 0.6 })
      : adam({ learningRate: c.learningRate / 2, epsilon: 1e-3 }),
}));
afterEach(async () => {
  for (const { problem } of [...cases, forgetful]) await disposePrograms(problem);
});

/** L = ½(w−λ)ᵀG(w−λ) with G = diag(1, ½), E = ½(w₁² + φ(λ₁)w₂²) with an affine φ; the follower starts at its solution. */
const forgetful: Case = {
  name: "diag(1, ½)",
  problem: bilevel({
    inner: (w: np.Array, l: np.Array, g: np.Array) => np.sum(g.mul(np.square(w.sub(l)))).mul(0.5),
    outer: (w: np.Array, l: np.Array) => {
      const phi = l.slice(0).sub(1).mul(2.76).add(4.5);
      return np
        .square(w.slice(0))
        .add(phi.mul(np.square(w.slice(1))))
        .mul(0.5);
    },
  }),
  lambda: f64([1, 1]),
  w: f64([1, 1]),
  data: { inner: f64([1, 0.5]), outer: f64(0) },
  learningRate: 0.1,
};

describe("truncated", () => {
  test("P1: keep 2 of 5 steps", async () => {
    const dynamics = gradientDescent({ learningRate: 0.25 });
    const { gradient, w } = await evaluate(
      scalarQuadratic,
      truncated({ steps: 5, keep: 2, dynamics }),
    );
    expectClose(flat(w), [0.484375], 0);
    expectClose(gradient, [-0.093359375], 1e-16);
  });

  test("P2: keep 5 of 20 steps", async () => {
    const dynamics = gradientDescent({ learningRate: 0.3 });
    const { gradient } = await evaluate(
      planeQuadratic,
      truncated({ steps: 20, keep: 5, dynamics }),
    );
    expectClose(gradient, [-0.4175774812, 1.3973228132], 1e-9);
  });

  describe.each(rows)("$label, $dynamics.name", ({ c, dynamics }) => {
    test("keeping all steps is reverse, to the last bit", async () => {
      const whole = await evaluate(c, reverse({ steps: 6, dynamics }));
      const kept = await evaluate(c, truncated({ steps: 6, keep: 6, dynamics }));
      expectClose(kept.gradient, whole.gradient, 0);
      expect(kept.report.sentence).not.toContain("biased");
    });

    test("keeping K of T steps is reverse through K steps from w_{T−K}", async () => {
      const memoryless = gradientDescent({ learningRate: c.learningRate });
      const expected = await evaluate(
        c,
        reverse({ steps: 3, dynamics: memoryless }),
        await weightsAfter(c, 5),
      );
      const kept = await evaluate(c, truncated({ steps: 8, keep: 3, dynamics: memoryless }));
      expectClose(kept.gradient, expected.gradient, 1e-14);
      expectClose(flat(kept.w), flat(expected.w), 0);
      expect(kept.report.sentence).toContain(
        "biased: it leaves out how the follower's first 5 steps depend on the hyperparameters",
      );
    });
  });

  test("G = diag(1, ½): the relative errors, their bound, and the adjoint that was left", async () => {
    const dynamics = gradientDescent({ learningRate: 0.1 });
    const steps = 100;
    const exact = await evaluate(forgetful, reverse({ steps, dynamics }));
    const table: [keep: number, error: number][] = [
      [1, 0.857],
      [5, 0.691],
      [10, 0.53],
      [20, 0.314],
      [50, 0.063],
      [100, 0],
    ];
    const outerGradient = [1, 4.5];
    const norm = Math.hypot(...outerGradient);
    for (const [keep, expected] of table) {
      const { gradient, report } = await evaluate(forgetful, truncated({ steps, keep, dynamics }));
      const error = distance(gradient, exact.gradient);
      expect(Math.abs(error / Math.hypot(...exact.gradient) - expected)).toBeLessThan(1.5e-3);
      // Strong convexity ½, ‖∂Φ_t/∂λ‖ = 0.1·‖G‖ = 0.1.
      expect(error).toBeLessThanOrEqual((0.95 ** keep / 0.05) * norm * 0.1 + 1e-15);
      const left = Math.hypot(...[0.9, 0.95].map((q, i) => q ** keep * outerGradient[i]!)) / norm;
      expect(report.measured["remainingAdjoint"]).toBeCloseTo(left, 13);
    }
  });

  test.each([
    { c: scalarQuadratic, s: 0.25, curvature: 2, keeps: [2, 4, 6, 8, 10, 12], steps: 60 },
    // λ_min = (3 − √2)/2; the other mode has died out by then.
    {
      c: planeQuadratic,
      s: 0.3,
      curvature: (3 - Math.SQRT2) / 2,
      keeps: [15, 20, 25, 30, 35],
      steps: 200,
    },
    { c: forgetful, s: 0.1, curvature: 0.5, keeps: [40, 60, 80, 100, 120], steps: 400 },
  ])(
    "$c.name: the error falls as (1 − s·curvature)^K",
    async ({ c, s, curvature, keeps, steps }) => {
      const dynamics = gradientDescent({ learningRate: s });
      const exact = await evaluate(c, reverse({ steps, dynamics }));
      const errors: number[] = [];
      for (const keep of keeps) {
        const { gradient } = await evaluate(c, truncated({ steps, keep, dynamics }));
        errors.push(distance(gradient, exact.gradient));
      }
      const rate = Math.log(1 - s * curvature);
      expect(Math.abs(logSlope(keeps, errors) / rate - 1)).toBeLessThan(0.01);
    },
  );

  test("the counts: T inner gradients, K products, K states", async () => {
    const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
    const { report } = await evaluate(cases[4]!, truncated({ steps: 12, keep: 5, dynamics }));
    expect(report.cost).toEqual({
      innerGradients: 12,
      hessianVectorProducts: 5,
      crossProducts: 5,
      storedFloats: 5 * 12,
      reportGradients: 2,
    });
  });

  test("an outer objective without w leaves no adjoint, and no NaN", async () => {
    const problem = bilevel({
      inner: (w: np.Array, l: np.Array) => np.square(w.sub(l)),
      outer: (w: np.Array, l: np.Array) => np.square(l).add(w.mul(0)),
    });
    const { report, gradient } = await hypergradient(problem, {
      rule: truncated({ steps: 3, keep: 1, dynamics: gradientDescent({ learningRate: 0.1 }) }),
      lambda: f64(3),
      w: f64(0),
      data: { inner: f64(0), outer: f64(0) },
    });
    expect(report.measured["remainingAdjoint"]).toBe(0);
    expect(flat(gradient)).toEqual([6]);
    await disposePrograms(problem);
  });
});

describe("P7, an inner objective that leaves half of the weights free", () => {
  /** E(x) of one coordinate is a quadratic: its minimizer lies where the line through two gradients is 0. */
  async function minimizer(rule: Rule): Promise<number> {
    const start = { y1: f64([0.01]), y2: f64([0.01]) };
    const at = async (x: number): Promise<number> => {
      const lambda = f64([x]);
      const result = await hypergradient(merelyConvex, { rule, lambda, w: start, data: noData });
      expect(flat((result.w as unknown as { y2: Tensor }).y2)).toEqual([0.01]);
      return flat(result.gradient)[0]!;
    };
    const [at0, at1] = [await at(0), await at(1)];
    return at0 / (at0 - at1);
  }
  afterAll(() => disposePrograms(merelyConvex));

  test("exact rules stop at half the optimum, (1 + y2⁰)/2 = 0.505 instead of 1", async () => {
    const at = { steps: 50, dynamics: gradientDescent({ learningRate: 0.5 }) };
    expect(await minimizer(reverse(at))).toBeCloseTo(0.505, 12);
    expect(await minimizer(forward(at))).toBeCloseTo(0.505, 12);
  });

  test("truncation is biased besides: (y2⁰ + a)/(1 + a) with a = 1 − q^K", async () => {
    const at = { steps: 50, dynamics: gradientDescent({ learningRate: 0.5 }) };
    for (const keep of [1, 2, 5]) {
      const a = 1 - 0.5 ** keep;
      expect(await minimizer(truncated({ ...at, keep }))).toBeCloseTo((0.01 + a) / (1 + a), 12);
    }
    expect(await minimizer(oneStage(at))).toBeCloseTo(0.51 / 1.5, 12);
  });
});

describe("memory", () => {
  /** Numbers in all results of a program's operations but constants: what a longer trajectory would add to. */
  function numbersIn(rule: Rule): number {
    const { problem, lambda, w, data } = cases[4]!;
    const program = new Program();
    const point = {
      lambda: program.input("lambda", lambda) as Tree<Value>,
      w: program.input("w", w) as Tree<Value>,
      data: program.input("data", data) as BilevelData<Tree<Value>>,
    };
    const state = program.call(rule.init as never, point.w, point.lambda);
    const estimate = rule.estimate(program, problem, { ...point, state });
    program.output("gradient", estimate.gradient);
    program.output("state", estimate.state);
    let sum = 0;
    for (const { kind, outputs } of walk(program.block())) {
      if (kind === "constant") continue;
      for (const { shape } of outputs) sum += shape.reduce((n, length) => n * length, 1);
    }
    return sum;
  }

  const dynamics = momentum({ learningRate: 0.1, momentum: 0.5 });
  test.each<[string, (steps: number) => Rule]>([
    ["forward", (steps) => forward({ steps, dynamics })],
    ["real-time", (steps) => realTime({ steps, dynamics })],
    ["truncated", (steps) => truncated({ steps, keep: 5, dynamics })],
    ["one-stage", (steps) => oneStage({ steps, dynamics })],
    ["greedy sum", (steps) => oneStage({ steps, dynamics, discount: 0.5 })],
    ["binomial checkpoints", (steps) => reverse({ steps, dynamics, checkpoints: { slots: 4 } })],
  ])("%s: no array grows with T", (_, rule) => {
    expect(numbersIn(rule(400))).toBe(numbersIn(rule(40)));
  });

  test("reverse: the trajectory does", () => {
    // Only of the weights: going back, nothing reads what the velocity was, and it is not kept.
    const states = 360 * 6;
    const more =
      numbersIn(reverse({ steps: 400, dynamics })) - numbersIn(reverse({ steps: 40, dynamics }));
    expect(more).toBe(states);
  });
});

describe("what is refused", () => {
  const dynamics = gradientDescent({ learningRate: 0.1 });
  test.each<[string, () => unknown, RegExp]>([
    [
      "no step",
      () => forward({ steps: 0, dynamics }),
      /forward: steps must be a whole number >= 1; 0 came/,
    ],
    [
      "half a step",
      () => realTime({ steps: 1.5, dynamics }),
      /realTime: steps must be a whole number/,
    ],
    [
      "an unknown policy",
      () => realTime({ steps: 1, dynamics, tangents: "drop" as never }),
      /"keep" or "reset"; drop came/,
    ],
    [
      "to keep nothing",
      () => truncated({ steps: 3, keep: 0, dynamics }),
      /truncated: keep must be a whole number >= 1/,
    ],
    [
      "to keep more than there is",
      () => truncated({ steps: 3, keep: 4, dynamics }),
      /keep must be at most steps, 3; 4 came/,
    ],
    [
      "a growing discount",
      () => oneStage({ steps: 3, dynamics, discount: 1.1 }),
      /discount must be in \[0, 1\]; 1.1 came/,
    ],
    [
      "a third order",
      () => darts({ learningRate: 0.1, order: 3 as never }),
      /order must be 1 or 2; 3 came/,
    ],
    [
      "an unknown difference",
      () => darts({ learningRate: 0.1, order: 2, difference: "central" as never }),
      /"exact" or "finite"; central came/,
    ],
    [
      "no learning rate",
      () => darts({ learningRate: 0, order: 2 }),
      /learningRate must be a positive number; 0 came/,
    ],
    [
      "no perturbation",
      () => darts({ learningRate: 0.1, order: 2, difference: "finite", epsilon: Infinity }),
      /epsilon must be a positive number/,
    ],
    [
      "no slots",
      () => reverse({ steps: 3, dynamics, checkpoints: { slots: 0 } }),
      /checkpoints.slots must be a whole number >= 1/,
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  test("first weights that depend on λ, by rules that drop the first steps", async () => {
    const problem = bilevel({
      init: (l: np.Array) => l,
      inner: (w: np.Array) => np.square(w),
      outer: (w: np.Array) => np.square(w),
    });
    const at = { lambda: f64(1), data: { inner: f64(0), outer: f64(0) } };
    for (const rule of [
      truncated({ steps: 3, keep: 2, dynamics }),
      oneStage({ steps: 1, dynamics }),
      darts({ learningRate: 0.1, order: 2 }),
    ]) {
      await expect(hypergradient(problem, { ...at, rule })).rejects.toThrow(/init/);
    }
    // Keeping all steps drops nothing: w_3 = 0.8³·λ.
    const rule = truncated({ steps: 3, keep: 3, dynamics });
    const { gradient } = await hypergradient(problem, { ...at, rule });
    expectClose(flat(gradient), [2 * 0.8 ** 6], 1e-15);
    await disposePrograms(problem);
  });

  test("a truncated hypergradient fails the check against central differences", async () => {
    const { problem, lambda, w, data } = planeQuadratic;
    const check = await checkHypergradient(problem, {
      rule: truncated({ steps: 8, keep: 3, dynamics }),
      lambda,
      w,
      data,
    });
    expect(check.passed).toBe(false);
  });
});
