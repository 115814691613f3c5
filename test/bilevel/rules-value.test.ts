/** Value-function methods against the closed forms of their own biased fixed points, and on problems without a unique answer. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bome,
  f2sa,
  gradientPenalty,
  moreauEnvelope,
  valuePenalty,
} from "../../src/bilevel/rules/index.ts";
import {
  box,
  disposePrograms,
  hypergradient,
  linearRamp,
  type Hypergradient,
  type Problem,
  type Rule,
  type Schedule,
} from "../../src/bilevel/index.ts";
import { integers, randomKey } from "../../src/random/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import {
  f64,
  logisticTrees,
  logRidge,
  planeQuadratic,
  representation,
  scalarQuadratic,
  type Case,
} from "./problems.ts";
import { descend, expectAll, leavesOf } from "./descend.ts";
import { shifted, slopeAlong } from "./directions.ts";
import {
  equal,
  merelyConvex,
  noData,
  sinusoidal,
  sinusoidalOptimum,
  stronglyConvex,
  trap,
  waveOuter,
  waves,
} from "./problems-without-unique-answer.ts";

const problems = [stronglyConvex, merelyConvex, sinusoidal, trap, waves, planeQuadratic.problem];
afterAll(async () => {
  for (const problem of problems) await disposePrograms(problem as Problem);
});

describe("P5, strongly convex: each method's own fixed point", () => {
  const n = 100;
  const from = { lambda: equal(n, 2), w: equal(n, 2) };

  test.each([1, 10, 100])("value penalty %d and F2SA: x = (1 + γ)/(1 + 2γ)", async (gamma) => {
    const s = { learningRate: 0.9 };
    const rules = [
      // z from y needs more steps to forget where it came from than z from its last value.
      valuePenalty({ penalty: gamma, steps: 25, ...s }),
      valuePenalty({ penalty: gamma, steps: 2, valueStart: "warm", ...s }),
      f2sa({
        multiplier: gamma,
        increment: 0,
        learningRate: 1 / (1 + gamma),
        valueLearningRate: 0.9,
      }),
    ];
    for (const rule of rules) {
      const { x, y, last } = await descend(stronglyConvex, { rule, rate: 0.5, steps: 60, ...from });
      const expected = (1 + gamma) / (1 + 2 * gamma);
      expectAll(x, expected, 1e-8);
      expectAll(y, (gamma * expected) / (1 + gamma), 1e-8);
      // gap = ½‖y − x‖²
      const gap = (n * (expected / (1 + gamma)) ** 2) / 2;
      expect(last.measured.gap).toBeCloseTo(gap, 8);
    }
  });

  test("the bias falls as 1/γ", async () => {
    const errors: number[] = [];
    const gammas = [50, 100, 200, 400];
    for (const penalty of gammas) {
      const rule = valuePenalty({ penalty, steps: 3, learningRate: 0.9, valueStart: "warm" });
      const { x } = await descend(stronglyConvex, {
        rule,
        rate: 0.5,
        steps: 40,
        lambda: f64([2]),
        w: f64([2]),
      });
      errors.push(x[0]! - 0.5);
    }
    const slope = Math.log(errors[3]! / errors[0]!) / Math.log(gammas[3]! / gammas[0]!);
    expect(slope).toBeGreaterThan(-1.05);
    expect(slope).toBeLessThan(-0.95);
  });

  test.each([1, 10])("gradient penalty %d: x = (1 + 2γ)/(1 + 4γ)", async (gamma) => {
    const rule = gradientPenalty({ penalty: gamma, steps: 20, learningRate: 0.5 });
    const { x } = await descend(stronglyConvex, { rule, rate: 0.4, steps: 60, ...from });
    expectAll(x, (1 + 2 * gamma) / (1 + 4 * gamma), 1e-8);
  });

  test.each([1, 10, 100])("Moreau envelope, c = %d: x = (1 + κ)/(2 + κ)", async (c) => {
    const gamma = 0.5;
    const rule = moreauEnvelope({ penalty: c, proximalWeight: gamma, learningRate: 0.5 });
    const { x, y } = await descend(stronglyConvex, {
      rule,
      rate: 0.4 / c,
      steps: 50 * c + 400,
      ...from,
    });
    const kappa = (1 + gamma) / c;
    const expected = (1 + kappa) / (2 + kappa);
    expectAll(x, expected, 1e-8);
    expectAll(y, expected / (1 + kappa), 1e-8);
  });
});

describe("P7, an inner objective that leaves half of the weights free", () => {
  const from = {
    lambda: equal(100, 0.01),
    w: { y1: equal(100, 0.01), y2: equal(100, 0.01) },
  };
  const rules = (gamma: number): { rule: Rule; rate: number; steps: number }[] => [
    {
      rule: valuePenalty({ penalty: gamma, steps: 10, learningRate: 1, valueSteps: 1 }),
      rate: 1 / (1 + gamma),
      steps: 400,
    },
    {
      rule: f2sa({
        multiplier: gamma,
        increment: 0,
        learningRate: 1 / (1 + gamma),
        valueLearningRate: 1,
      }),
      rate: 1 / (1 + gamma),
      steps: 400,
    },
    {
      rule: gradientPenalty({ penalty: gamma, steps: 10, learningRate: 0.5 }),
      rate: 0.5 / (1 + gamma),
      steps: 1000,
    },
    {
      rule: moreauEnvelope({ penalty: gamma, learningRate: 0.5 }),
      rate: 0.2 / gamma,
      steps: 2000,
    },
  ];

  test.each([1, 10])("x = 1 is stationary for any penalty, here %d", async (gamma) => {
    for (const { rule, ...options } of rules(gamma)) {
      const { x, y, last } = await descend(merelyConvex as Problem, { rule, ...options, ...from });
      expectAll(x, 1, 1e-6);
      expectAll(y, 1, 1e-6);
      expect(last.value).toBeLessThan(1e-10);
    }
  });

  test("BOME gets there too, if slowly", async () => {
    const rule = bome({ learningRate: 0.5, responseLearningRate: 0.05 });
    const { x } = await descend(merelyConvex as Problem, {
      rule,
      rate: 0.05,
      steps: 4000,
      ...from,
    });
    expectAll(x, 1, 1e-6);
  });
});

describe("P2, where BOME stops beside the answer", () => {
  test.each([
    [0.05, 4000, 0.0289, 0.0157],
    [0.02, 4000, 0.0213, 0.006],
    [0.005, 8000, 0.0197, 0.0015],
  ])("with the outer step %f", async (step, steps, distance, residual) => {
    const { lambda, w, data, problem } = planeQuadratic;
    const rule = bome({ steps: 10, learningRate: 0.2, responseLearningRate: step, eta: 0.5 });
    const { x, last } = await descend(problem, {
      rule,
      rate: step,
      steps,
      lambda: lambda as Tensor,
      w,
      data,
    });
    const answer = [1.3766566909, -0.5515177426];
    const worst = Math.max(...x.map((v, i) => Math.abs(v - answer[i]!)));
    expect(worst).toBeCloseTo(distance, 4);
    expect(last.innerGradientNorm).toBeCloseTo(residual, 4);
  });
});

describe("P9, a sine with many inner minima", () => {
  const ramp = linearRamp({ from: 1, to: 50, steps: 2000 });
  const rule = valuePenalty({
    penalty: ramp,
    steps: 1,
    learningRate: 0.5,
    valueSteps: 25,
  });
  /** The leader's step .5/(2 + γ_k), which n weights make n times as curved. */
  const rate = (n: number): Schedule => ({
    name: "shrinks with the penalty",
    at: (t) => np.divide(0.5, np.add(ramp.at(t), 2).mul(n)),
  });

  test.each([1, 2, 10])("n = %i: its own fixed point, near the true answer", async (n) => {
    const { x, y, last } = await descend(sinusoidal, {
      rule,
      rate: rate(n),
      steps: 4000,
      lambda: f64(3),
      w: equal(n, 3),
    });
    // d = y_i − 4 and x − 2 = n·d at the root of 2d + γcos(4 + (n + 1)d).
    let d = sinusoidalOptimum(n).y - 4;
    for (let i = 0; i < 50; i++) {
      const angle = 4 + (n + 1) * d;
      d -= (2 * d + 50 * Math.cos(angle)) / (2 - 50 * (n + 1) * Math.sin(angle));
    }
    expectAll(x, 2 + n * d, 1e-6);
    expectAll(y, 4 + d, 1e-6);
    const optimum = sinusoidalOptimum(n);
    expect(Math.abs(x[0]! - optimum.x)).toBeLessThan(0.01);
    expect(Math.abs(last.value - optimum.value)).toBeLessThan(0.01);
    // Every y_i is (1 − sin) above its minimum −1, which the report says.
    const gap = n * (1 + Math.sin(4 + (n + 1) * d));
    expect(last.measured.gap).toBeCloseTo(gap, 9);
    expect(last.measured.gap).toBeGreaterThan(1e-8);
    if (n === 1) expect(x[0]).toBeCloseTo(2.349, 3);
  });
});

describe("P10, a leader with three basins", () => {
  const basins = [0.38236, 1.21515, 2.82964];

  test("five hundred starts end in them; a tenth of the penalty away", async () => {
    const uniform = (stream: number, low: number, high: number): Tensor => {
      const drawn = integers(randomKey(7, stream), 500, 2 ** 24);
      return f64(Float64Array.from(drawn, (v) => low + ((high - low) * v) / 2 ** 24));
    };
    const gamma = 10;
    const { x, y, last } = await descend(waves, {
      rule: valuePenalty({ penalty: gamma, steps: 1, learningRate: 0.1, valueSteps: 20 }),
      rate: 0.1 / gamma,
      steps: 2000,
      lambda: uniform(0, 0, 3.5),
      w: uniform(1, -5, 8.5),
      constraints: box({ lower: 0, upper: 3 }),
    });
    expect(last.projectedGradientNorm).toBeLessThan(1e-5);
    const count = [0, 0, 0];
    for (const [i, value] of x.entries()) {
      const near = basins.findIndex((basin) => Math.abs(basin - value) < 0.03);
      expect(near, `x = ${value}`).toBeGreaterThanOrEqual(0);
      count[near]!++;
      expect(Math.abs(value + y[i]!)).toBeLessThan(0.04);
    }
    // The shares of the three basins, each within four standard deviations of a binomial count.
    for (const [i, share] of [0.606, 0.224, 0.17].entries()) {
      const deviation = Math.sqrt(500 * share * (1 - share));
      expect(Math.abs(count[i]! - 500 * share)).toBeLessThan(4 * deviation);
    }
  });

  test("the derivative has the square where it belongs", async () => {
    const rule = valuePenalty({ penalty: 0, steps: 1, learningRate: 1e-300 });
    const [x, y, h] = [0.7, 0.4, 1e-5];
    const { gradient, value } = await hypergradient(waves, {
      rule,
      lambda: f64([x]),
      w: f64([y]),
      data: noData,
    });
    expect(value.item()).toBeCloseTo(waveOuter(x, y), 14);
    const numeric = (waveOuter(x + h, y) - waveOuter(x - h, y)) / (2 * h);
    expect(gradient.data[0]).toBeCloseTo(numeric, 8);
    const e = Math.exp(2 - 4 * x);
    const misplaced =
      (4 * Math.cos(4 * y + 2) * e) / (1 + e ** 2) + (4 * (4 * x - 2)) / ((4 * x - 2) ** 2 + 1);
    expect(Math.abs(misplaced - numeric)).toBeGreaterThan(0.05);
  });
});

describe("P11, the trap of the gradient norm", () => {
  const at = { rate: 0.5, steps: 60, lambda: f64(1), w: f64((2 * Math.PI) / 3) };

  test.each([1, 100])("the gradient penalty %d stays in it, and its report shows it", async (g) => {
    const rule = gradientPenalty({ penalty: g, steps: 50, learningRate: 0.02 });
    const { y, last } = await descend(trap, { rule, ...at });
    expectAll(y, (2 * Math.PI) / 3, 1e-12);
    expect(last.innerGradientNorm).toBeCloseTo(4.18879 - Math.sqrt(3), 4);
  });

  test("the value gap leads out of it", async () => {
    const errors: number[] = [];
    for (const penalty of [10, 100, 1000]) {
      const rule = valuePenalty({ penalty, steps: 50, learningRate: 0.15, valueSteps: 200 });
      const { y } = await descend(trap, { rule, ...at });
      errors.push(Math.abs(y[0]!));
    }
    // L'' = 6 and E' = sin(2·2π/3)… at y = 0: y ≈ −E'/(6γ).
    const slope = -Math.sin((-4 * Math.PI) / 3) / 6;
    expect(errors[2]! * 1000).toBeCloseTo(Math.abs(slope), 3);
    expect(errors[0]! / errors[1]!).toBeCloseTo(10, 0);
  });
});

const strong: Case[] = [
  scalarQuadratic,
  planeQuadratic,
  logRidge,
  representation(),
  logisticTrees(),
];

describe("at its minimizers, the gradient is that of the penalized problem", () => {
  const gamma = 20;
  test.each(strong.map((c) => ({ c, name: c.name })))("$name", async ({ c }) => {
    const s = c.learningRate / 2;
    const rules: { rule: Rule; penalized: (r: Hypergradient<unknown, unknown>) => number }[] = [
      {
        rule: valuePenalty({ penalty: gamma, steps: 6000, learningRate: s, valueStart: "warm" }),
        penalized: ({ value, report }) => value.item() + gamma * report.measured.gap!,
      },
      {
        rule: gradientPenalty({
          penalty: gamma,
          steps: 6000,
          learningRate: c === logRidge ? s / 40 : s / 4,
        }),
        penalized: ({ value, report }) => value.item() + gamma * report.innerGradientNorm ** 2,
      },
    ];
    const h = 1e-4;
    for (const { rule, penalized } of rules) {
      const evaluate = (shift: number) =>
        hypergradient(c.problem, {
          rule,
          lambda: shifted(c.lambda, shift),
          w: c.w,
          data: c.data,
        });
      const [low, center, high] = [await evaluate(-h), await evaluate(0), await evaluate(h)];
      const numeric = (penalized(high) - penalized(low)) / (2 * h);
      const analytic = slopeAlong(leavesOf(center.gradient));
      expect(Math.abs(analytic - numeric)).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)));
    }
    await disposePrograms(c.problem);
  });

  test("and approaches the exact hypergradient as 1/γ", async () => {
    const exact = [-0.6346938775510204, 1.8142857142857143];
    const { problem, lambda, w, data } = planeQuadratic;
    const make: ((gamma: number) => Rule)[] = [
      (penalty) => valuePenalty({ penalty, steps: 400, learningRate: 0.4, valueStart: "warm" }),
      (multiplier) =>
        f2sa({ multiplier, steps: 400, learningRate: 0.4 / multiplier, valueLearningRate: 0.4 }),
      (penalty) => gradientPenalty({ penalty, steps: 800, learningRate: 0.08 }),
    ];
    for (const rule of make) {
      const gammas = [200, 400, 800, 1600];
      const errors: number[] = [];
      for (const gamma of gammas) {
        const { gradient } = await hypergradient(problem, { rule: rule(gamma), lambda, w, data });
        errors.push(Math.hypot(...leavesOf(gradient).map((g, i) => g - exact[i]!)));
      }
      const slope = Math.log(errors[3]! / errors[0]!) / Math.log(8);
      expect(slope).toBeGreaterThan(-1.05);
      expect(slope).toBeLessThan(-0.95);
    }
  });
});
