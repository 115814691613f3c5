/** Bilevel descent aggregation against its recursion in plain JavaScript, central differences and the known counterexample. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import { bda, reverse, truncated, type BdaOptions } from "../../src/bilevel/rules/index.ts";
import {
  bilevel,
  checkHypergradient,
  disposePrograms,
  exponentialDecay,
  gradientDescent,
  hypergradient,
  momentum,
  powerLaw,
  solve,
  type Rule,
} from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import { allCases, f64, logisticTrees, representation, sequence } from "./problems.ts";
import { equal, merelyConvex, noData } from "./problems-without-unique-answer.ts";

const cases = allCases();
afterAll(async () => {
  await disposePrograms(merelyConvex);
  for (const { problem } of cases) await disposePrograms(problem);
});

const dynamics = gradientDescent({ learningRate: 0.5 });
const start = (n: number) => ({ y1: equal(n, 0.01), y2: equal(n, 0.01) });

/** dF/dx of one coordinate of P7 and E there. */
async function evaluate(rule: Rule, x: number): Promise<{ gradient: number; value: number }> {
  const { gradient, value } = await hypergradient(merelyConvex, {
    rule,
    lambda: equal(1, x),
    w: start(1),
    data: noData,
  });
  return { gradient: (gradient as unknown as Tensor).data[0]!, value: value.item() };
}

/** F of P7 is a quadratic in x for any T: its minimizer lies where the line through two gradients is 0. */
async function minimizer(rule: Rule): Promise<number> {
  const at0 = await evaluate(rule, 0);
  const at1 = await evaluate(rule, 1);
  return at0.gradient / (at0.gradient - at1.gradient);
}

describe("P7, an inner objective that leaves half of the weights free", () => {
  test.each([
    [16, 0.852],
    [64, 0.923],
    [256, 0.96],
    [1024, 0.98],
  ])("harmonic shares: with T = %i the minimizer is %f", async (steps, expected) => {
    expect(await minimizer(bda({ steps, dynamics }))).toBeCloseTo(expected, 3);
  });

  test("harmonic shares: the distance to x* falls as T^(−1/2)", async () => {
    const counts = [64, 128, 256, 512, 1024, 2048];
    const errors: number[] = [];
    for (const steps of counts) errors.push(1 - (await minimizer(bda({ steps, dynamics }))));
    // y2 − x ∝ Π(1 − s·ρ_t) with s·ρ_t = 1/(4(t+1)), which is T^(−1/4).
    const slope = (Math.log(errors[5]!) - Math.log(errors[0]!)) / Math.log(2048 / 64);
    expect(slope).toBeCloseTo(-0.5, 1);
    expect(errors[4]!).toBeLessThanOrEqual(0.03);
  });

  test.each([
    [16, 0.9852],
    [64, 0.9954],
    [256, 0.9954],
  ])("geometric shares: with T = %i the minimizer is %f, and stalls", async (steps, expected) => {
    const aggregation = exponentialDecay({ initial: 0.5, rate: 0.9 });
    const x = await minimizer(bda({ steps, dynamics, aggregation }));
    expect(x).toBeCloseTo(expected, 4);
    const derivative = (x: number): number => recursion(x, steps, (t) => 0.5 * 0.9 ** t).gradient;
    expect(x).toBeCloseTo(derivative(0) / (derivative(0) - derivative(1)), 10);
  });

  test("no share, or plain reverse mode, whole or truncated, never moves y2 and ends at (1 + y2)/2", async () => {
    const plain = await minimizer(reverse({ steps: 64, dynamics }));
    expect(plain).toBeCloseTo(0.505, 9);
    expect(await minimizer(bda({ steps: 64, dynamics, aggregation: 0 }))).toBeCloseTo(plain, 14);
    expect(await minimizer(truncated({ steps: 64, keep: 16, dynamics }))).toBeCloseTo(0.505, 4);
    const { value } = await evaluate(reverse({ steps: 64, dynamics }), plain);
    expect(value).toBeCloseTo((0.495 ** 2 + 0.495 ** 2) / 2, 9);
  });

  test("solve goes there, in a hundred coordinates at once", async () => {
    const { lambda } = await solve(merelyConvex, {
      rule: bda({ steps: 1024, dynamics }),
      optimizer: gradientDescent({ learningRate: 0.9 }),
      lambda: equal(100, 0.01),
      w: start(100),
      data: noData,
      start: "cold",
      budget: { steps: 40 },
    });
    const x = (lambda as unknown as Tensor).data;
    const expected = await minimizer(bda({ steps: 1024, dynamics }));
    for (const value of x) expect(Math.abs(value - expected)).toBeLessThan(1e-8);
  });
});

/** The steps of P7 and their derivatives in one coordinate, written out. */
function recursion(
  x: number,
  steps: number,
  share: (t: number) => number,
): { gradient: number; value: number; y1: number; y2: number } {
  const s = 0.5;
  let [y1, y2, d1, d2] = [0.01, 0.01, 0, 0];
  for (let t = 0; t < steps; t++) {
    const [toOuter, toInner] = [share(t), 1 - Math.abs(share(t))];
    d1 -= s * (toOuter * d1 + toInner * (d1 - 1));
    d2 -= s * toOuter * (d2 - 1);
    y1 -= s * (toOuter * (y1 - 1) + toInner * (y1 - x));
    y2 -= s * toOuter * (y2 - x);
  }
  return {
    gradient: (x - y2) * (1 - d2) + (y1 - 1) * d1,
    value: ((x - y2) ** 2 + (y1 - 1) ** 2) / 2,
    y1,
    y2,
  };
}

describe("the recursion", () => {
  const shares: { name: string; options: Partial<BdaOptions>; share: (t: number) => number }[] = [
    { name: "constant", options: { aggregation: 0.3 }, share: () => 0.3 },
    {
      name: "geometric",
      options: { aggregation: exponentialDecay({ initial: 0.7, rate: 0.8 }) },
      share: (t) => 0.7 * 0.8 ** t,
    },
    { name: "harmonic, the default", options: {}, share: (t) => 0.5 / (t + 1) },
    {
      name: "a slower power",
      options: { aggregation: powerLaw({ initial: 0.9, power: -0.5 }) },
      share: (t) => 0.9 / Math.sqrt(t + 1),
    },
    {
      name: "pessimistic",
      options: { attitude: "pessimistic" },
      share: (t) => -0.5 / (t + 1),
    },
  ];
  test.each(shares)("$name", async ({ options, share }) => {
    const rule = bda({ steps: 7, dynamics, ...options });
    const { gradient, value, w } = await hypergradient(merelyConvex, {
      rule,
      lambda: equal(2, 0.7),
      w: start(2),
      data: noData,
    });
    const expected = recursion(0.7, 7, share);
    for (const i of [0, 1]) {
      expect((gradient as unknown as Tensor).data[i]).toBeCloseTo(expected.gradient, 13);
      const { y1, y2 } = w as unknown as { y1: Tensor; y2: Tensor };
      expect(y1.data[i]).toBeCloseTo(expected.y1, 13);
      expect(y2.data[i]).toBeCloseTo(expected.y2, 13);
    }
    expect(value.item()).toBeCloseTo(2 * expected.value, 13);
  });

  test("the pessimistic follower is the worse one for the leader", async () => {
    const optimistic = await evaluate(bda({ steps: 7, dynamics }), 0.7);
    const pessimistic = await evaluate(bda({ steps: 7, dynamics, attitude: "pessimistic" }), 0.7);
    const neutral = await evaluate(reverse({ steps: 7, dynamics }), 0.7);
    expect(pessimistic.value).toBeGreaterThan(neutral.value);
    expect(neutral.value).toBeGreaterThan(optimistic.value);
  });
});

describe("the derivative", () => {
  test.each(cases.map((c) => ({ c, name: c.name })))(
    "of $name agrees with central differences",
    async ({ c }) => {
      const options = { steps: 6, dynamics: momentum({ learningRate: 0.05, momentum: 0.5 }) };
      for (const attitude of ["optimistic", "pessimistic"] as const) {
        const check = await checkHypergradient(c.problem, {
          rule: bda({ ...options, attitude }),
          lambda: c.lambda,
          w: c.w,
          data: c.data,
        });
        expect(check.passed, check.sentence).toBe(true);
      }
    },
  );

  test("is the same with checkpoints, to the last bit", async () => {
    const c = logisticTrees();
    const at = { lambda: c.lambda, w: c.w, data: c.data };
    const plain = await hypergradient(c.problem, { rule: bda({ steps: 10, dynamics }), ...at });
    const rule = bda({ steps: 10, dynamics, checkpoints: 3 });
    const saved = await hypergradient(c.problem, { rule, ...at });
    expect(saved.gradient).toEqual(plain.gradient);
    expect(saved.report.cost.outerGradients).toBe(20);
    await disposePrograms(c.problem);
  });

  test("with one minibatch for each inner step and a learned representation", async () => {
    const c = representation();
    const inner = {
      x: f64(sequence(3 * 7 * 4, 21, 1), [3, 7, 4]),
      y: f64(sequence(3 * 7, 22, 1.5), [3, 7]),
    };
    const rule = bda({ steps: 3, dynamics: gradientDescent({ learningRate: 0.05 }) });
    const at = { lambda: c.lambda, w: c.w, data: { inner, outer: c.data.outer }, batched: true };
    const check = await checkHypergradient(c.problem, { rule, ...at });
    expect(check.passed, check.sentence).toBe(true);
    await disposePrograms(c.problem);
  });

  test("flows through first weights that depend on λ", async () => {
    interface D {
      target: np.Array;
    }
    const problem = bilevel({
      init: (lambda: np.Array, _d: D) => lambda.mul(2),
      inner: (w: np.Array, _l: np.Array, d: D) => np.sum(np.square(w.sub(d.target))),
      outer: (w: np.Array, lambda: np.Array, d: D) =>
        np.sum(np.square(np.sin(w).sub(d.target))).add(np.sum(np.square(lambda))),
    });
    const data = { inner: { target: f64([1, 2]) }, outer: { target: f64([0.5, -1]) } };
    const rule = bda({ steps: 4, dynamics: gradientDescent({ learningRate: 0.1 }) });
    const check = await checkHypergradient(problem, { rule, lambda: f64([0.3, 0.4]), data });
    expect(check.passed, check.sentence).toBe(true);
    await disposePrograms(problem);
  });
});

test("it costs the products of both objectives", async () => {
  const { report } = await hypergradient(merelyConvex, {
    rule: bda({ steps: 12, dynamics }),
    lambda: equal(5, 1),
    w: start(5),
    data: noData,
  });
  expect(report.cost).toEqual({
    innerGradients: 12,
    outerGradients: 12,
    hessianVectorProducts: 12,
    outerHessianVectorProducts: 12,
    crossProducts: 12,
    outerCrossProducts: 12,
    storedFloats: 12 * 10,
    reportGradients: 2,
  });
});

test("options that cannot work are refused", () => {
  expect(() => bda({ steps: 0, dynamics })).toThrow(/steps must be a whole number >= 1; 0 came/);
  expect(() => bda({ steps: 2, dynamics, aggregation: 1.5 })).toThrow(
    "bda: aggregation must be a finite number >= 0 and <= 1, or a schedule; 1.5 came.",
  );
  expect(() => bda({ steps: 2, dynamics, attitude: "hopeful" as never })).toThrow(
    'bda: attitude must be "optimistic" or "pessimistic"; hopeful came.',
  );
  expect(() => powerLaw({ initial: NaN, power: 1 })).toThrow(
    /initial must be a finite number; NaN/,
  );
});
