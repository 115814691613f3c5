/** Every rule that is ranked, first or last, on the problems where some rule fails: none of those that do is among them. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  box,
  hypergradient,
  type Advice,
  type Arrays,
  type Problem,
  type Projection,
} from "../../src/bilevel/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";
import { adviceFor, disposeAdvised, type Place } from "./advice.ts";
import { add, apply, identity, multiply, solveDense, transpose, type Matrix } from "./dense.ts";
import { descend, leavesOf } from "./descend.ts";
import { distance } from "./evaluate.ts";
import { f64, sequence } from "./problems.ts";
import { boxed, boxedAnswer, clipped, onPlane } from "./problems-constrained.ts";
import {
  equal,
  merelyConvex,
  noData,
  nonConvex,
  sinusoidal,
  sinusoidalOptimum,
  trap,
  waveOuter,
  waves,
} from "./problems-without-unique-answer.ts";

afterAll(disposeAdvised);

const CLASSICAL = ["reverse", "forward", "truncated", "implicit"];
const SINGLE_LOOP = ["soba", "amigo", "f2sa"];
const ranked = ({ ranking }: Advice): string[] => [...new Set(ranking.map((one) => one.factory))];
const forbidden = ({ ruledOut }: Advice): string[] => ruledOut.map(({ factory }) => factory);

/** The advice without the rules that are exact only after many outer steps. */
const classical = (advice: Advice): Advice => ({
  ...advice,
  ranking: advice.ranking.filter(({ factory }) => CLASSICAL.includes(factory)),
});

/** Every ranked rule's estimate at the point against the exact one. */
async function expectGradients(
  advice: Advice,
  problem: Problem,
  { lambda, w, data }: Place,
  exact: readonly number[],
): Promise<void> {
  expect(advice.ranking.length).toBeGreaterThan(0);
  for (const { rule, call } of advice.ranking) {
    const { gradient } = await hypergradient(problem, { rule, lambda, w, data });
    const error = distance(leavesOf(gradient), [...exact]);
    expect(error, call).toBeLessThan(1e-6 * Math.max(1, Math.hypot(...exact)));
  }
}

describe("no unique solution: every ranked rule finds the leader's optimum", () => {
  test("P7, half of the weights free", async () => {
    const from = { lambda: equal(3, 0.01), w: { y1: equal(3, 0.01), y2: equal(3, 0.01) } };
    const problem = merelyConvex as Problem;
    const advice = await adviceFor(problem, { ...from, data: noData }, { steps: 128, rate: 0.5 });
    expect(ranked(advice)).toEqual(["bda", "valuePenalty", "moreauEnvelope", "slBamm"]);
    expect(forbidden(advice)).toEqual(CLASSICAL);
    for (const { factory, call, rule } of advice.ranking) {
      const run = factory === "bda" ? { rate: 0.9, steps: 60 } : { rate: 0.02, steps: 2200 };
      const { x } = await descend(problem, { rule, ...run, ...from });
      expect(distance(x, [1, 1, 1]), call).toBeLessThan(2e-3);
    }
  });

  const projection = box({ lower: -2, upper: 2 });
  test.each([
    [1, 2],
    [5, 1],
    [7, -1],
  ])("P8 from (%d, %d), few small steps", async (x, y) => {
    const from = { lambda: f64([x]), w: f64([y]) };
    const problem = nonConvex as Problem;
    const options = { steps: 40, rate: 5e-4, projection };
    const advice = await adviceFor(problem, { ...from, data: noData }, options);
    expect(ranked(advice)).toEqual(["iaptt"]);
    expect(forbidden(advice)).toEqual([...CLASSICAL, "bda", "slBamm"]);
    const constraints = box({ lower: 1, upper: 10 });
    const { rule } = advice.ranking[0]!;
    const run = await descend(problem, { rule, rate: 0.1, steps: 500, constraints, ...from });
    expect(Math.abs(run.x[0]! - (11 * Math.PI) / 4)).toBeLessThan(0.15);
  });

  test.each([
    [3, 1, 0.05, 400],
    [7, -1, 5e-3, 100],
  ])(
    "P8 from (%d, %d), steps that solve the inner problem: all would stay where they begin",
    async (x, y, rate, steps) => {
      const place = { lambda: f64([x]), w: f64([y]), data: noData };
      const options = { steps, rate, projection };
      const advice = await adviceFor(nonConvex as Problem, place, options);
      expect(advice.innerSolutions, advice.sentence).toBe("several");
      expect(advice.isSolved).toBe(true);
      expect(advice.ranking).toEqual([]);
      expect(forbidden(advice)).toEqual([...CLASSICAL, "bda", "slBamm", "iaptt"]);
      expect(advice.sentence).toContain("fewer or smaller steps");
    },
  );

  test.each([1, 2])("P9 with %d weights", async (n) => {
    const from = { lambda: f64(3), w: equal(n, 3) };
    const problem = sinusoidal as Problem;
    const advice = await adviceFor(problem, { ...from, data: noData }, { steps: 60, rate: 0.5 });
    expect(ranked(advice)).toEqual(["valuePenalty", "moreauEnvelope"]);
    expect(forbidden(advice)).toEqual([...CLASSICAL, "bda", "slBamm", "iaptt"]);
    for (const { call, rule } of advice.ranking) {
      const run = { rate: 0.5 / (52 * n), steps: 2500, ...from };
      const { x } = await descend(problem, { rule, ...run });
      // O(1/penalty), which ends at 50.
      expect(Math.abs(x[0]! - sinusoidalOptimum(n).x), call).toBeLessThan(0.03);
    }
  });
});

describe("a unique solution, but no convexity: what needs it is ruled out", () => {
  // L is convex for x < 1 only.
  test.each([
    { x: 0.7, singleLoop: SINGLE_LOOP },
    { x: 2, singleLoop: [] },
  ])("P10 at x = $x", async ({ x, singleLoop }) => {
    const place = { lambda: f64([x]), w: f64([0.4]), data: noData };
    const advice = await adviceFor(waves as Problem, place, { steps: 200, rate: 0.1 });
    expect(ranked(advice)).toEqual(["implicit", "reverse", "forward", ...singleLoop]);
    expect(forbidden(advice)).toEqual(SINGLE_LOOP.filter((name) => !singleLoop.includes(name)));
    // Central differences of h(x) = E(x, −x), whose error is O(h²) with h = 1e-5.
    const h = 1e-5;
    const total = (waveOuter(x + h, -x - h) - waveOuter(x - h, -x + h)) / (2 * h);
    await expectGradients(classical(advice), waves as Problem, place, [total]);
  });

  test("P11, from the trap of the gradient's norm", async () => {
    const place = { lambda: f64(1), w: f64((2 * Math.PI) / 3), data: noData };
    const advice = await adviceFor(trap as Problem, place, { steps: 200, rate: 0.15 });
    expect(ranked(advice)).toEqual(["implicit", "reverse", "forward"]);
    expect(forbidden(advice)).toEqual(SINGLE_LOOP);
    // F = sin²(2π/3) + ½x² at y = 0.
    await expectGradients(advice, trap as Problem, place, [1]);
  });
});

describe("P12, constraints as projections: what differentiates the projected steps is right", () => {
  /** The nearest point with Σy = 1. */
  const nearest = (y: np.Array): np.Array => y.add(np.subtract(1, np.sum(y)).div(4));
  const ontoPlane: Projection = Object.assign((y: Arrays) => nearest(y as np.Array), {
    label: "sum 1",
  });
  const upTo1 = { ...clipped, projection: box({ upper: 1 }) };
  const cases = [
    { ...upTo1, exact: [1.3] },
    { ...upTo1, name: "P12 (a) above the kink", lambda: f64([2]), exact: [0] },
    { ...onPlane, projection: ontoPlane, exact: onPlane.gradient },
    { ...boxed, projection: box({ lower: 0, upper: 0.5 }), exact: boxedAnswer().gradient },
  ];

  // The set of (c) moves with λ, which no projection of the weights alone can say.
  test.each(cases)("$name", async ({ problem, projection, learningRate, exact, ...place }) => {
    const rate = learningRate;
    const advice = await adviceFor(problem, place, { steps: 200, rate, projection });
    expect(advice.innerSolutions, advice.sentence).toBe("unique");
    expect(ranked(advice)).toEqual(["reverse", "forward"]);
    expect(forbidden(advice)).toEqual(["implicit", ...SINGLE_LOOP]);
    await expectGradients(advice, problem, place, exact);
  });
});

describe("P14, quadratic problems of any shape: all exact rules agree with the closed form", () => {
  // L = ½wᵀAw − wᵀBx, E = ½‖w − c‖²: dF/dx = Bᵀ A⁻¹ (A⁻¹Bx − c).
  test.each([1, 2, 3, 4])("problem %d", async (seed) => {
    const [n, m] = [2 + (seed % 3), 1 + ((2 * seed) % 5)];
    const matrix = (rows: number, columns: number, key: number): Matrix => {
      const values = sequence(rows * columns, 10 * seed + key, 1);
      return Array.from({ length: rows }, (_, i) => [...values.slice(i * columns, (i + 1) * columns)]); // prettier-ignore
    };
    const root = matrix(n, n, 1);
    const a = add(multiply(transpose(root), root), identity(n, 0.5));
    const b = matrix(n, m, 2);
    const [x, c] = [[...sequence(m, seed + 50, 1)], [...sequence(n, seed + 60, 1)]];
    const problem = bilevel({
      inner: (w: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
        np.dot(w, np.matmul(d.a, w)).mul(0.5).sub(np.dot(w, np.matmul(d.b, x))), // prettier-ignore
      outer: (w: np.Array, _x: np.Array, c: np.Array) => np.sum(np.square(w.sub(c))).mul(0.5),
    }) as Problem;
    const data = { inner: { a: f64(a), b: f64(b) } as Tree<Tensor>, outer: f64(c) };
    const place = { lambda: f64(x), w: f64(c.map(() => 0)), data };
    // ‖A‖ is at most its trace.
    const trace = a.reduce((sum, row, i) => sum + row[i]!, 0);
    const advice = await adviceFor(problem, place, { steps: 600, rate: 1 / trace });
    expect(advice.innerSolutions, advice.sentence).toBe("unique");
    expect(ranked(advice).slice(0, 3).sort()).toEqual(["forward", "implicit", "reverse"]);
    const w = solveDense(a, apply(b, x));
    const adjoint = solveDense(a, w.map((v, i) => v - c[i]!)); // prettier-ignore
    await expectGradients(classical(advice), problem, place, apply(transpose(b), adjoint));
  });
});
