/** The barrier method against the stationary points of its own barrier problem, and its way to the leader's answer. */
import { afterAll, describe, expect, test } from "vitest";
import { disposePrograms, hypergradient, type Problem } from "../../src/bilevel/index.ts";
import { logBarrier } from "../../src/bilevel/rules/index.ts";
import { descend, expectAll, leavesOf } from "./descend.ts";
import { f64, planeQuadratic, representation } from "./problems.ts";
import {
  equal,
  noData,
  sinusoidal,
  sinusoidalOptimum,
  stronglyConvex,
} from "./problems-without-unique-answer.ts";
import { shifted, slopeAlong } from "./directions.ts";

afterAll(async () => {
  for (const problem of [stronglyConvex, sinusoidal, planeQuadratic.problem]) {
    await disposePrograms(problem as Problem);
  }
});

/** The root of a function that changes its sign between two points. */
function bisect(f: (x: number) => number, low: number, high: number): number {
  const sign = Math.sign(f(low));
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (Math.sign(f(middle)) === sign) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

describe("P5 in one coordinate", () => {
  const [margin, mu, theta] = [0.1, 0.02, 0.01];

  test.each([
    [0.1, 1e-8],
    [0.01, 1e-7],
  ])("τ = %f: the stationary point of the barrier problem", async (tau, tolerance) => {
    // At x: ψ = ε − ½x²/(1 + μ), and y solves y(1 + θ) + τ(y − x)/S = 0 with S = ψ − ½y² + xy > 0.
    const slack = (x: number, y: number): number =>
      margin - (0.5 * x ** 2) / (1 + mu) - 0.5 * y ** 2 + x * y;
    const answer = (x: number): number => {
      // S > 0 between x ± √(x² + 2ψ).
      const reach = Math.sqrt(x ** 2 + 2 * (margin - (0.5 * x ** 2) / (1 + mu)));
      const derivative = (y: number): number => y * (1 + theta) * slack(x, y) + tau * (y - x);
      return bisect(derivative, x - reach, x);
    };
    // ∇φ = x − 1 + τ(z − y)/S, z = x/(1 + μ).
    const leader = (x: number): number => {
      const y = answer(x);
      return x - 1 + (tau * (x / (1 + mu) - y)) / slack(x, y);
    };
    const expected = bisect(leader, 0.3, 1.5);
    const { x, y, last } = await descend(stronglyConvex, {
      rule: logBarrier({
        barrier: tau,
        margin,
        regularization: theta,
        valueRegularization: mu,
        learningRate: 1,
        steps: 10,
        valueSteps: 30,
        valueLearningRate: 0.9,
      }),
      rate: 0.3,
      steps: 250,
      lambda: f64([2]),
      w: f64([2]),
    });
    expectAll(x, expected, tolerance);
    expectAll(y, answer(expected), tolerance);
    expect(last.measured.slack).toBeCloseTo(slack(expected, answer(expected)), 6);
    expect(last.measured.barrier).toBe(tau);
  });
});

describe("at its minimizers, the gradient is that of the barrier problem", () => {
  test.each([planeQuadratic, representation()].map((c) => ({ c, name: c.name })))(
    "$name",
    async ({ c }) => {
      const tau = 0.3;
      const rule = logBarrier({
        barrier: tau,
        margin: 0.5,
        learningRate: 1,
        steps: 600,
        valueSteps: 4000,
        valueLearningRate: c.learningRate,
      });
      const evaluate = (h: number) =>
        hypergradient(c.problem, { rule, lambda: shifted(c.lambda, h), w: c.w, data: c.data });
      const h = 1e-3;
      const [low, center, high] = [await evaluate(-h), await evaluate(0), await evaluate(h)];
      const barrier = ({ value, report }: typeof center): number =>
        value.item() - tau * Math.log(report.measured.slack!);
      const numeric = (barrier(high) - barrier(low)) / (2 * h);
      expect(Math.abs(slopeAlong(leavesOf(center.gradient)) - numeric)).toBeLessThan(
        1e-5 * Math.max(1, Math.abs(numeric)),
      );
      await disposePrograms(c.problem);
    },
  );
});

describe("P9, a sine with many inner minima", () => {
  test("enforces the inner problem, to the margin that it is given", async () => {
    const errors: number[] = [];
    const margins = [0.1, 0.01, 0.001];
    const tau = 0.01;
    for (const margin of margins) {
      const { x, y, history, last } = await descend(sinusoidal, {
        rule: logBarrier({ barrier: tau * margin, margin, learningRate: 0.5 }),
        rate: 0.05,
        steps: 500,
        lambda: f64(3),
        w: equal(1, 3),
      });
      // d = x − 2 = y − 4 at the root of 2d + τ·cos(4 + 2d)/S, S = ε − 1 − sin(4 + 2d).
      const inside = 0.75 * Math.PI - 2;
      const edge = inside - Math.acos(1 - margin) / 2;
      const stationary = (d: number): number =>
        2 * d * (margin - 1 - Math.sin(4 + 2 * d)) + tau * margin * Math.cos(4 + 2 * d);
      const d = bisect(stationary, edge, inside);
      expectAll(x, 2 + d, 1e-4);
      expectAll(y, 4 + d, 1e-4);
      for (const { measured } of history) expect(measured.slack).toBeGreaterThan(0);
      expect(last.measured.gap).toBeGreaterThan(0);
      expect(last.measured.gap).toBeLessThan(margin);
      errors.push(Math.abs(x[0]! - sinusoidalOptimum(1).x));
    }
    // The set of nearly optimal answers is √(2ε) wide.
    const slope = Math.log(errors[2]! / errors[0]!) / Math.log(margins[2]! / margins[0]!);
    expect(slope).toBeGreaterThan(0.475);
    expect(slope).toBeLessThan(0.525);
  });

  test("the default schedules lead towards the answer, not to the outer objective's own minimum", async () => {
    const { x, y, last } = await descend(sinusoidal, {
      rule: logBarrier({ learningRate: 0.5 }),
      rate: 0.05,
      steps: 600,
      lambda: f64(3),
      w: equal(1, 3),
    });
    // ε = 1/√601 here: half of √(2ε) and the barrier's own part away.
    expect(Math.abs(x[0]! - sinusoidalOptimum(1).x)).toBeLessThan(0.15);
    expect(Math.hypot(x[0]! - 2, y[0]! - 4)).toBeGreaterThan(0.2);
    expect(last.measured.gap).toBeLessThan(1 / Math.sqrt(601));
    expect(last.measured.barrier).toBeCloseTo(0.01 / Math.sqrt(601), 12);
  });
});

test("an answer outside the barrier's domain starts at the minimizer", async () => {
  const { value, gradient, w, report } = await hypergradient(stronglyConvex, {
    rule: logBarrier({
      learningRate: 1,
      margin: 0.01,
      barrier: 0.01,
      valueSteps: 60,
      valueLearningRate: 0.5,
    }),
    lambda: f64([1, -1]),
    w: f64([50, 50]),
    data: noData,
  });
  expect(Number.isFinite(value.item())).toBe(true);
  for (const number of [...leavesOf(gradient), ...leavesOf(w)]) {
    expect(Math.abs(number)).toBeLessThan(3);
  }
  expect(report.measured.slack).toBeGreaterThan(0);
});

test("options that cannot work are refused", () => {
  const s = { learningRate: 0.1 };
  const refusals: [() => unknown, string][] = [
    [
      () => logBarrier({ ...s, barrier: 0 }),
      "logBarrier: barrier must be a finite number > 0, or a schedule; 0 came.",
    ],
    [
      () => logBarrier({ ...s, margin: 0 }),
      "logBarrier: margin must be a finite number > 0, or a schedule; 0 came.",
    ],
    [
      () => logBarrier({ ...s, valueRegularization: -1 }),
      "logBarrier: valueRegularization must be a finite number >= 0, or a schedule; -1 came.",
    ],
    [
      () => logBarrier({ ...s, valueStart: "y" as never }),
      'logBarrier: valueStart must be "response" or "warm"; y came.',
    ],
  ];
  for (const [make, message] of refusals) expect(make).toThrow(message);
});
