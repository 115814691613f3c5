/** The single-loop averaged method on the problems that it was made for, and against its own fixed points. */
import { afterAll, describe, expect, test } from "vitest";
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  solve,
  type Problem,
} from "../../src/bilevel/index.ts";
import { reverse, slBamm, slBammLeaderRate } from "../../src/bilevel/rules/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import { descend, expectAll, leavesOf } from "./descend.ts";
import { f64, planeQuadratic, representation } from "./problems.ts";
import { equal, merelyConvex, noData, stronglyConvex } from "./problems-without-unique-answer.ts";

afterAll(async () => {
  for (const problem of [stronglyConvex, merelyConvex, planeQuadratic.problem]) {
    await disposePrograms(problem as Problem);
  }
});

test("P7 with the published schedules: after k steps where the literature's code is, and there in 10⁴", async () => {
  const n = 100;
  const run = solve(merelyConvex, {
    rule: slBamm(),
    optimizer: gradientDescent({ learningRate: slBammLeaderRate() }),
    lambda: equal(n, 0.01),
    w: { y1: equal(n, 0.01), y2: equal(n, 0.01) },
    data: noData,
    budget: { steps: 10_000 },
    innerValue: false,
  });
  // x after the update of step k.
  const expected: Record<number, number> = { 101: 0.2688, 1001: 0.9259, 3001: 0.9986 };
  let previous = 0;
  for await (const { step, lambda } of run) {
    if (expected[step] === undefined) continue;
    const x = (lambda as unknown as Tensor).data[0]!;
    expect(x).toBeCloseTo(expected[step], 4);
    expect(x).toBeGreaterThan(previous);
    previous = x;
  }
  const { lambda, w, history } = await run;
  expectAll(leavesOf(lambda), 1, 1e-6);
  expectAll(leavesOf(w), 1, 1e-6);
  expect(1 - leavesOf(lambda)[0]!).toBeCloseTo(2.6e-8, 9);
  const { measured } = history.at(-1)!;
  expect(measured.responseResidual).toBeLessThan(1e-8);
  expect(measured.auxiliaryResidual).toBeLessThan(1e-8);
  expect(measured.aggregation).toBeCloseTo(0.9 * 10_001 ** -0.1, 12);
});

test("P7, any fixed share: x = 1 is stationary", async () => {
  for (const aggregation of [0.3, 0.6]) {
    const rule = slBamm({ aggregation, learningRate: 0.5, auxiliaryLearningRate: 0.5 });
    const start = { lambda: equal(2, 0.01), w: { y1: equal(2, 0.01), y2: equal(2, 0.01) } };
    const { x, y } = await descend(merelyConvex as Problem, {
      rule,
      rate: 0.1,
      steps: 1600,
      ...start,
    });
    expectAll(x, 1, 1e-9);
    expectAll(y, 1, 1e-9);
  }
});

test.each([0.5, 0.1, 0.01])("P5, fixed share %f: x = 1/(1 + (1 − μ)²)", async (mu) => {
  const rule = slBamm({ aggregation: mu, learningRate: 0.5, auxiliaryLearningRate: 0.5 });
  const { x, y } = await descend(stronglyConvex, {
    rule,
    rate: 0.2,
    steps: 300,
    lambda: equal(100, 2),
    w: equal(100, 2),
  });
  const expected = 1 / (1 + (1 - mu) ** 2);
  expectAll(x, expected, 1e-12);
  expectAll(y, (1 - mu) * expected, 1e-12);
});

describe("one step, written out", () => {
  test("P2: the products are those of both objectives", async () => {
    const { problem, data } = planeQuadratic;
    const [mu, beta, eta] = [0.3, 0.2, 0.15];
    const rule = slBamm({ aggregation: mu, learningRate: beta, auxiliaryLearningRate: eta });
    const rate = 0.05;
    // ∇_yE = y − c, ∇_xE = ρx; ∇_yφ = μ(y − c) + (1 − μ)(Ay − Bᵀx); ∇²_yyφ = μI + (1 − μ)A; ∇²_xyφ = −(1 − μ)B.
    const a = [[2, 0.5], [0.5, 1]]; // prettier-ignore
    const b = [[1, 0], [0.5, 1]]; // prettier-ignore
    const c = [1, -1];
    const times = (m: number[][], v: number[]): number[] =>
      m.map((row) => row[0]! * v[0]! + row[1]! * v[1]!);
    const transposed = [[1, 0.5], [0, 1]]; // prettier-ignore
    let [x, y, v] = [[1, 1], [0.4, -0.3], [0, 0]]; // prettier-ignore
    for (let k = 0; k < 7; k++) {
      const outer = y.map((value, i) => value - c[i]!);
      const [ay, bx, av, bv] = [times(a, y), times(transposed, x), times(a, v), times(b, v)];
      const nextY = y.map((w, i) => w - beta * (mu * outer[i]! + (1 - mu) * (ay[i]! - bx[i]!)));
      const nextV = v.map((w, i) => w - eta * (mu * w + (1 - mu) * av[i]! - outer[i]!));
      x = x.map((w, i) => w - rate * (0.1 * w + (1 - mu) * bv[i]!));
      [y, v] = [nextY, nextV];
    }
    const run = await descend(problem, {
      rule,
      rate,
      steps: 7,
      lambda: f64([1, 1]),
      w: f64([0.4, -0.3]),
      data,
    });
    for (const i of [0, 1]) {
      expect(run.x[i]).toBeCloseTo(x[i]!, 13);
      expect(run.y[i]).toBeCloseTo(y[i]!, 13);
    }
  });

  test("the residuals are norms over all leaves together", async () => {
    const { report, w } = await hypergradient(merelyConvex, {
      rule: slBamm({ aggregation: 0.5 }),
      lambda: f64([0.5]),
      w: { y1: f64([4]), y2: f64([-3.5]) },
      data: noData,
    });
    // v = 0: the auxiliary residual is ‖∇_yE‖ = ‖(4 − 1, −3.5 − 0.5)‖, a 3-4-5 triangle.
    expect(report.measured.auxiliaryResidual).toBeCloseTo(5, 12);
    expect(report.measured.responseResidual).toBeCloseTo(Math.hypot(1.5 + 1.75, -2), 12);
    expect(report.innerGradientNorm).toBeCloseTo(3.5, 12);
    expect(leavesOf(w)).toEqual([4, -3.5]);
  });
});

test("a learned representation reaches the implicit gradient of the aggregated problem", async () => {
  const c = representation();
  // λ does not move: y and v converge, and the direction is that of a nearly pure inner problem.
  const rule = slBamm({
    aggregation: 1e-7,
    learningRate: c.learningRate,
    auxiliaryLearningRate: c.learningRate,
  });
  const frozen = solve(c.problem, {
    rule,
    optimizer: gradientDescent({ learningRate: 1e-300 }),
    lambda: c.lambda,
    w: c.w,
    data: c.data,
    budget: { steps: 3000 },
    innerValue: false,
  });
  let direction: number[] = [];
  for await (const { gradient } of frozen) direction = leavesOf(gradient);
  const exact = await hypergradient(c.problem, {
    rule: reverse({ steps: 3000, dynamics: gradientDescent({ learningRate: c.learningRate }) }),
    lambda: c.lambda,
    w: c.w,
    data: c.data,
  });
  const expected = leavesOf(exact.gradient);
  const scale = Math.max(...expected.map(Math.abs));
  for (const [i, g] of direction.entries()) {
    expect(Math.abs(g - expected[i]!)).toBeLessThan(1e-5 * scale);
  }
  await disposePrograms(c.problem);
});

test("options that cannot work are refused", () => {
  expect(() => slBamm({ aggregation: 1.2 })).toThrow(
    "slBamm: aggregation must be a finite number >= 0 and <= 1, or a schedule; 1.2 came.",
  );
  expect(() => slBamm({ learningRate: 0 })).toThrow(/learningRate must be a finite number > 0/);
});
