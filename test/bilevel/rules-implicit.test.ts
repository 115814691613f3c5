/** Implicit hypergradients on problems with known answers, with every linear solver that claims them. */
import { describe, expect, test } from "vitest";
import { gradientDescent, type Problem, type Rule } from "../../src/bilevel/index.ts";
import { implicit } from "../../src/bilevel/rules/index.ts";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
  nystrom,
  type LinearSolver,
} from "../../src/linear/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import * as matrices from "./dense.ts";
import { evaluate, flat, distance, type Answer } from "./evaluate.ts";
import { equal, merelyConvex, noData, stronglyConvex } from "./problems-without-unique-answer.ts";
import {
  f64,
  logRidge,
  planeQuadratic,
  proximalTasks,
  representation,
  scalarQuadratic,
  type Case,
} from "./problems.ts";
import { logSlope } from "./slope.ts";

const descent = (learningRate: number) => gradientDescent({ learningRate });

describe("P1, scalar quadratic", () => {
  const after = (steps: number, solver: LinearSolver): Promise<Answer> =>
    evaluate(scalarQuadratic, implicit({ solver, steps, dynamics: descent(0.25) }));

  test("the implicit function theorem after five steps, and at the solution", async () => {
    expect((await after(5, conjugateGradient())).gradient[0]).toBeCloseTo(-0.1578125, 14);
    const solved = await after(60, conjugateGradient());
    expect(solved.gradient[0]).toBeCloseTo(-0.15, 14);
    expect(solved.report.status).toBe("converged");
  });

  test("J terms of Neumann's series have the factor (1 − qᴶ)/a of truncated reverse mode", async () => {
    const { gradient } = await after(5, neumann({ step: 0.25, maxSteps: 2 }));
    expect(gradient[0]).toBeCloseTo(-0.093359375, 14);
    for (const terms of [1, 3, 6]) {
      const series = await after(5, neumann({ step: 0.25, maxSteps: terms }));
      const iterated = await after(5, fixedPoint({ maxSteps: terms }));
      const expected = 0.1 + (0.484375 - 1) * ((1 - 0.5 ** terms) / 2);
      expect(series.gradient[0]).toBeCloseTo(expected, 14);
      expect(iterated.gradient[0]).toBeCloseTo(expected, 14);
    }
  });

  test("zero at the leader's optimum", async () => {
    const rule = implicit({ solver: dense(), steps: 60, dynamics: descent(0.25) });
    const { gradient } = await evaluate({ ...scalarQuadratic, lambda: f64(10 / 7) }, rule);
    expect(Math.abs(gradient[0]!)).toBeLessThan(1e-14);
  });
});

describe("P2, two-dimensional quadratic", () => {
  const answer = f64([1 / 1.75, 1.25 / 1.75]);
  const atAnswer = (solver: LinearSolver): Promise<Answer> =>
    evaluate(planeQuadratic, implicit({ solver, steps: 1, dynamics: descent(0.3) }), answer);

  test.each([
    [
      "one step of conjugate gradients",
      conjugateGradient({ maxSteps: 1 }),
      [-0.4204081633, 1.9214285714],
    ],
    ["two steps, the exact one", conjugateGradient({ maxSteps: 2 }), [-0.6346938776, 1.8142857143]],
    [
      "ten terms of Neumann's series",
      neumann({ step: 0.3, maxSteps: 10 }),
      [-0.5789236278, 1.7075235766],
    ],
    ["Cholesky", dense(), [-0.6346938776, 1.8142857143]],
    ["MINRES", minres({ maxSteps: 2 }), [-0.6346938776, 1.8142857143]],
    ["normal equations", conjugateGradientNormal({ maxSteps: 2 }), [-0.6346938776, 1.8142857143]],
  ] as const)("%s at the inner solution", async (_, solver, expected) => {
    const { gradient, w } = await atAnswer(solver);
    expect(distance(flat(w), [0.5714285714, 0.7142857143])).toBeLessThan(1e-10);
    expect(distance(gradient, [...expected])).toBeLessThan(1e-9);
  });

  test("Nyström of full rank is the inverse of A + ρI", async () => {
    const { gradient } = await atAnswer(nystrom({ rank: 2, rho: 1e-3 }));
    const q = [-0.7336806181, 2.0790469763];
    // h = 0.1·x + B q
    expect(distance(gradient, [0.1 + q[0]!, 0.1 + 0.5 * q[0]! + q[1]!])).toBeLessThan(1e-9);
  });

  test("the error falls as (1 − s·λ_min)^T in the follower's steps", async () => {
    const steps = [20, 30, 40, 50, 60];
    const errors: number[] = [];
    for (const T of steps) {
      const rule = implicit({ solver: dense(), steps: T, dynamics: descent(0.3) });
      const { gradient } = await evaluate(planeQuadratic, rule);
      errors.push(distance(gradient, [-0.63469387755102, 1.81428571428571]));
    }
    const rate = Math.log(1 - (0.3 * (3 - Math.SQRT2)) / 2);
    expect(Math.abs(logSlope(steps, errors) / rate - 1)).toBeLessThan(0.05);
  });

  test("and as (1 − s·λ_min)^K in the terms of the series and in fixed-point iterations", async () => {
    const counts = [10, 20, 30, 40];
    const rate = Math.log(1 - (0.3 * (3 - Math.SQRT2)) / 2);
    for (const make of [
      (maxSteps: number) => neumann({ step: 0.3, maxSteps }),
      (maxSteps: number) => fixedPoint({ maxSteps }),
    ]) {
      const errors: number[] = [];
      for (const K of counts) {
        const { gradient } = await atAnswer(make(K));
        errors.push(distance(gradient, [-0.63469387755102, 1.81428571428571]));
      }
      expect(Math.abs(logSlope(counts, errors) / rate - 1)).toBeLessThan(0.05);
    }
  });

  test("indefinite Hessians: conjugate gradients refuse, MINRES solves", async () => {
    const saddle = {
      ...planeQuadratic,
      data: {
        ...planeQuadratic.data,
        inner: {
          a: f64([
            [2, 0],
            [0, -1],
          ]),
          b: f64([
            [1, 0],
            [0.5, 1],
          ]),
        },
        outer: { c: f64([1, 1]) },
      },
      // A y = Bᵀx
      w: f64([0.75, -1]),
    };
    const rule = (solver: LinearSolver): Rule =>
      implicit({ solver, steps: 1, dynamics: descent(0.1) });
    const refused = await evaluate(saddle, rule(conjugateGradient()));
    expect(refused.report.status).toBe("singular");
    expect(refused.report.sentence).toContain("negative curvature (-");
    const solved = await evaluate(saddle, rule(minres()));
    expect(solved.report.status).toBe("converged");
    expect(solved.report.measured.smallestCurvature).toBeLessThan(0);
    // q = A⁻¹(y − c) = (−0.125, 2), h = 0.1·x + B q.
    expect(distance(solved.gradient, [0.1 - 0.125, 0.1 - 0.0625 + 2])).toBeLessThan(1e-9);
  });
});

describe("P3, ridge with log-regularizer", () => {
  const rule = implicit({ solver: conjugateGradient(), steps: 200, dynamics: descent(0.05) });

  test("the value and the hypergradient at 0, and none at the optimum", async () => {
    const { value, gradient } = await evaluate(logRidge, rule);
    expect(value).toBeCloseTo(0.1138888889, 9);
    expect(gradient[0]).toBeCloseTo(-0.0676296296, 9);
    const best = await evaluate({ ...logRidge, lambda: f64(Math.log(512 / 97)) }, rule);
    expect(Math.abs(best.gradient[0]!)).toBeLessThan(1e-12);
  });
});

describe("P4, linear hyper-representation", () => {
  const c = representation();
  const rule = implicit({
    solver: conjugateGradient(),
    steps: 900,
    dynamics: descent(c.learningRate),
  });

  test("agrees, through prepare, with central differences of the closed form", async () => {
    const { gradient, report } = await evaluate(c, rule);
    expect(report.status).toBe("converged");
    const rows = (values: unknown): matrices.Matrix =>
      (values as Tensor).toNested() as matrices.Matrix;
    const { x, y } = c.data.inner as { x: Tensor; y: Tensor };
    const valid = c.data.outer as { x: Tensor; y: Tensor };
    const value = (h: number[]): number => {
      const H = Array.from({ length: 4 }, (_, i) => h.slice(3 * i, 3 * i + 3));
      const Z = matrices.multiply(rows(x), H);
      const Zt = matrices.transpose(Z);
      const G = matrices.add(matrices.multiply(Zt, Z), matrices.identity(3, c.rho));
      const w = matrices.solveDense(G, matrices.apply(Zt, flat(y)));
      const r = matrices.subtract(
        matrices.apply(matrices.multiply(rows(valid.x), H), w),
        flat(valid.y),
      );
      return r.reduce((sum, v) => sum + v * v, 0) / 2;
    };
    const at = flat(c.lambda);
    const differences = at.map((_, k) => {
      const moved = (h: number): number => value(at.map((v, i) => (i === k ? v + h : v)));
      // Fourth order: the error is of the order of rounding / h.
      const [near, far] = [moved(1e-3) - moved(-1e-3), moved(2e-3) - moved(-2e-3)];
      return (8 * near - far) / 12e-3;
    });
    expect(distance(gradient, differences)).toBeLessThan(1e-9);
  });
});

describe("P5, a strongly convex follower of 100 weights", () => {
  test("one step solves the linear system; the optimum is 1/2", async () => {
    const rule = implicit({ solver: conjugateGradient(), steps: 60, dynamics: descent(0.5) });
    const c: Case = {
      name: "P5",
      problem: stronglyConvex as Problem,
      lambda: equal(100, 2),
      w: equal(100, 2),
      data: noData,
      learningRate: 0.5,
    };
    const { gradient, report } = await evaluate(c, rule);
    expect(distance(gradient, flat(equal(100, 3)))).toBeLessThan(1e-11);
    expect(report.measured.linearSteps).toBe(1);
    const best = await evaluate({ ...c, lambda: equal(100, 0.5) }, rule);
    expect(distance(best.gradient, flat(equal(100, 0)))).toBeLessThan(1e-11);
    // E* = n/4
    expect(best.value).toBeCloseTo(25, 10);
  });
});

describe("P7, a follower with free weights", () => {
  const n = 100;
  const c: Case = {
    name: "P7",
    problem: merelyConvex as Problem,
    lambda: equal(n, 0.01),
    w: { y1: equal(n, 0.01), y2: equal(n, 0.01) },
    data: noData,
    learningRate: 0.5,
  };
  const moved: Case = { ...c, lambda: equal(n, 0.2) };
  const rule = (solver: LinearSolver): Rule =>
    implicit({ solver, steps: 60, dynamics: descent(0.5) });

  test("at the start the system happens to have a solution", async () => {
    const { report } = await evaluate(c, rule(conjugateGradient()));
    expect(report.status).toBe("converged");
    expect(report.measured).toMatchObject({ linearSteps: 1, smallestCurvature: 1 });
  });

  test("after the first leader move conjugate gradients meet zero curvature in step 2 and say so", async () => {
    const { report, gradient } = await evaluate(moved, rule(conjugateGradient()));
    expect(report.status).toBe("singular");
    expect(report.measured.linearSteps).toBe(2);
    expect(Math.abs(report.measured.smallestCurvature!)).toBeLessThan(1e-12);
    expect(report.sentence).toContain("without curvature in step 2");
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  test.each([
    ["Cholesky", dense()],
    ["LU", dense({ factorization: "lu" })],
    ["MINRES", minres()],
    ["normal equations", conjugateGradientNormal()],
    ["Neumann", neumann({ maxSteps: 50 })],
  ])("%s: singular as well", async (_, solver) => {
    const { report, gradient } = await evaluate(moved, rule(solver));
    expect(report.status).toBe("singular");
    expect(report.sentence).toContain("the inner solution is not unique");
    if (solver.name.startsWith("dense")) expect(gradient.every(Number.isNaN)).toBe(true);
  });

  test("fixed-point iteration: the dynamics do not contract", async () => {
    const { report } = await evaluate(moved, rule(fixedPoint({ maxSteps: 200 })));
    expect(report.status).toBe("singular");
  });

  test("least squares never move the free weights: the leader stops at (1 + 0.01)/2, not at 1", async () => {
    const { gradient } = await evaluate({ ...c, lambda: equal(n, 0.505) }, rule(minres()));
    // x − y2 + (y1 − 1) with y1 = x vanishes there: the documented wrong answer.
    expect(distance(gradient, flat(equal(n, 0)))).toBeLessThan(1e-9);
  });
});

describe("P13, proximal tasks", () => {
  const c = proximalTasks();

  test.each([
    ["conjugate gradients", conjugateGradient({ maxSteps: 12, rtol: 1e-14 })],
    ["Cholesky", dense()],
  ])("%s: the closed form to 1e-10", async (_, solver) => {
    const rule = implicit({ solver, steps: 200, dynamics: descent(c.learningRate) });
    const { gradient, w, report } = await evaluate(c, rule);
    const x = flat(c.lambda);
    const b = (c.data.inner as { b: Tensor }).b.toNested() as number[][];
    const targets = (c.data.outer as Tensor).toNested() as number[][];
    const expected = x.map(() => 0);
    const answers = c.a.flatMap((a, i) => {
      const shifted = matrices.add(a, matrices.identity(x.length, c.mu));
      const y = matrices.solveDense(
        shifted,
        b[i]!.map((v, k) => v + c.mu * x[k]!),
      );
      const q = matrices.solveDense(shifted, matrices.subtract(y, targets[i]!));
      q.forEach((v, k) => (expected[k]! += (c.mu * v) / c.a.length));
      return y;
    });
    expect(distance(flat(w), answers)).toBeLessThan(1e-12);
    expect(distance(gradient, expected)).toBeLessThan(1e-10);
    expect(report.status).toBe("converged");
  });
});
