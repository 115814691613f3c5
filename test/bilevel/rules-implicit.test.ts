/** Implicit hypergradients: against closed forms, against reverse mode at many steps, and in words where they must fail. */
import { numpy as np, tree } from "@jax-js/jax";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  box,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  implicit,
  momentum,
  reverse,
  solve,
  type Problem,
  type Report,
  type Rule,
} from "../../src/bilevel/index.ts";
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
import { Program, tensor, type Tensor, type Tree, type Value } from "../../src/program/index.ts";
import { slope } from "../linear/systems.ts";
import * as matrices from "./dense.ts";
import { equal, merelyConvex, noData, stronglyConvex } from "./problems-without-unique-answer.ts";
import {
  cleaning,
  f64,
  logisticTrees,
  logRidge,
  planeQuadratic,
  proximalTasks,
  representation,
  scalarQuadratic,
  type Case,
} from "./problems.ts";

const descent = (learningRate: number) => gradientDescent({ learningRate });
const heavyBall = (learningRate: number) => momentum({ learningRate, momentum: 0.5 });

const used = new Set<Problem>();
afterAll(async () => {
  for (const problem of used) await disposePrograms(problem);
});

interface Outcome {
  readonly value: number;
  readonly gradient: number[];
  readonly w: number[];
  readonly report: Report;
}

async function evaluate(
  c: Omit<Case, "name" | "learningRate">,
  rule: Rule,
  changes: { lambda?: Tree<Tensor>; w?: Tree<Tensor> } = {},
): Promise<Outcome> {
  const { problem, lambda, w, data } = { ...c, ...changes };
  used.add(problem);
  const result = await hypergradient(problem, { rule, lambda, w, data });
  return {
    value: result.value.item(),
    gradient: flat(result.gradient),
    w: flat(result.w),
    report: result.report,
  };
}

const flat = (values: unknown): number[] =>
  tree.leaves<Tensor>(values as Tensor).flatMap((leaf) => [...leaf.data]);

function distance(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i]!)), 0);
}

describe("P1, scalar quadratic", () => {
  const after = (steps: number, solver: LinearSolver): Promise<Outcome> =>
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
    const { gradient } = await evaluate(scalarQuadratic, rule, { lambda: f64(10 / 7) });
    expect(Math.abs(gradient[0]!)).toBeLessThan(1e-14);
  });
});

describe("P2, two-dimensional quadratic", () => {
  const answer = f64([1 / 1.75, 1.25 / 1.75]);
  const atAnswer = (solver: LinearSolver): Promise<Outcome> =>
    evaluate(planeQuadratic, implicit({ solver, steps: 1, dynamics: descent(0.3) }), { w: answer });

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
    expect(distance(w, [0.5714285714, 0.7142857143])).toBeLessThan(1e-10);
    expect(distance(gradient, expected)).toBeLessThan(1e-9);
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
      errors.push(Math.log(distance(gradient, [-0.63469387755102, 1.81428571428571])));
    }
    const rate = Math.log(1 - (0.3 * (3 - Math.SQRT2)) / 2);
    expect(Math.abs(slope(steps, errors) / rate - 1)).toBeLessThan(0.05);
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
        errors.push(Math.log(distance(gradient, [-0.63469387755102, 1.81428571428571])));
      }
      expect(Math.abs(slope(counts, errors) / rate - 1)).toBeLessThan(0.05);
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
    const best = await evaluate(logRidge, rule, { lambda: f64(Math.log(512 / 97)) });
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
    const c = { problem: stronglyConvex, lambda: equal(100, 2), w: equal(100, 2), data: noData };
    const { gradient, report } = await evaluate(c, rule);
    expect(distance(gradient, flat(equal(100, 3)))).toBeLessThan(1e-11);
    expect(report.measured.linearSteps).toBe(1);
    const best = await evaluate(c, rule, { lambda: equal(100, 0.5) });
    expect(distance(best.gradient, flat(equal(100, 0)))).toBeLessThan(1e-11);
    // E* = n/4
    expect(best.value).toBeCloseTo(25, 10);
  });
});

describe("P7, a follower with free weights", () => {
  const n = 100;
  const c = {
    problem: merelyConvex as Problem,
    lambda: equal(n, 0.01),
    w: { y1: equal(n, 0.01), y2: equal(n, 0.01) },
    data: noData,
  };
  const rule = (solver: LinearSolver): Rule =>
    implicit({ solver, steps: 60, dynamics: descent(0.5) });

  test("at the start the system happens to have a solution", async () => {
    const { report } = await evaluate(c, rule(conjugateGradient()));
    expect(report.status).toBe("converged");
    expect(report.measured).toMatchObject({ linearSteps: 1, smallestCurvature: 1 });
  });

  test("after the first leader move conjugate gradients meet zero curvature in step 2 and say so", async () => {
    const { report, gradient } = await evaluate(c, rule(conjugateGradient()), {
      lambda: equal(n, 0.2),
    });
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
    const { report, gradient } = await evaluate(c, rule(solver), { lambda: equal(n, 0.2) });
    expect(report.status).toBe("singular");
    expect(report.sentence).toContain("the inner solution is not unique");
    if (solver.name.startsWith("dense")) expect(gradient.every(Number.isNaN)).toBe(true);
  });

  test("fixed-point iteration: the dynamics do not contract", async () => {
    const { report } = await evaluate(c, rule(fixedPoint({ maxSteps: 200 })), {
      lambda: equal(n, 0.2),
    });
    expect(report.status).toBe("singular");
  });

  test("least squares never move the free weights: the leader stops at (1 + 0.01)/2, not at 1", async () => {
    const { gradient } = await evaluate(c, rule(minres()), { lambda: equal(n, 0.505) });
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
    expect(distance(w, answers)).toBeLessThan(1e-12);
    expect(distance(gradient, expected)).toBeLessThan(1e-10);
    expect(report.status).toBe("converged");
  });
});

describe("agreement with reverse mode after many steps", () => {
  const cases: [Case, number][] = [
    [scalarQuadratic, 80],
    [planeQuadratic, 200],
    [logRidge, 200],
    [representation(), 900],
    [logisticTrees(), 1500],
    [proximalTasks(), 200],
  ];
  const rows = cases.flatMap(([c, steps]) => [
    {
      c,
      name: "conjugate gradients",
      steps,
      make: () =>
        implicit({ solver: conjugateGradient(), steps, dynamics: descent(c.learningRate) }),
    },
    {
      c,
      name: "Neumann",
      steps,
      make: () =>
        implicit({
          solver: neumann({ maxSteps: 2000, rtol: 1e-12 }),
          steps,
          dynamics: descent(c.learningRate),
        }),
    },
    {
      c,
      name: "fixed point through momentum",
      steps,
      make: () =>
        implicit({
          solver: fixedPoint({ maxSteps: 3000, rtol: 1e-12 }),
          steps,
          dynamics: heavyBall(c.learningRate / 2),
        }),
    },
    {
      c,
      name: "normal equations through momentum",
      steps,
      make: () =>
        implicit({
          solver: conjugateGradientNormal({ maxSteps: 300, rtol: 1e-11 }),
          through: "dynamics",
          steps,
          dynamics: heavyBall(c.learningRate / 2),
        }),
    },
    {
      c,
      name: "LU through momentum",
      steps,
      make: () =>
        implicit({
          solver: dense({ factorization: "lu" }),
          through: "dynamics",
          steps,
          dynamics: heavyBall(c.learningRate / 2),
        }),
    },
  ]);
  const references = new Map<Case, Promise<Outcome>>();
  const reference = (c: Case, steps: number): Promise<Outcome> => {
    const known = references.get(c);
    if (known) return known;
    const made = evaluate(c, reverse({ steps, dynamics: descent(c.learningRate) }));
    references.set(c, made);
    return made;
  };

  test.each(rows.map((row) => ({ ...row, label: row.c.name })))(
    "$label, $name",
    async ({ c, steps, make }) => {
      const exact = await reference(c, steps);
      const result = await evaluate(c, make());
      const scale = Math.max(1, ...exact.gradient.map(Math.abs));
      expect(distance(result.gradient, exact.gradient) / scale).toBeLessThan(1e-8);
      expect(result.report.status).toBe("converged");
      expect(result.report.sentence).toContain("The linear system is solved");
    },
  );

  test("a singular Hessian whose null space nobody sees is no obstacle to conjugate gradients", async () => {
    // Softmax regression: shifting all classes alike changes neither objective.
    const c = cleaning();
    const exact = await evaluate(c, reverse({ steps: 4000, dynamics: descent(4) }));
    const rule = implicit({
      solver: conjugateGradient({ rtol: 1e-9 }),
      steps: 4000,
      dynamics: descent(4),
    });
    const { gradient, report } = await evaluate(c, rule);
    expect(report.status).toBe("converged");
    expect(distance(gradient, exact.gradient)).toBeLessThan(1e-7);
    const direct = await evaluate(
      c,
      implicit({ solver: dense(), steps: 4000, dynamics: descent(4) }),
    );
    expect(direct.report.status).toBe("singular");
  });

  test("the user's check accepts it once the follower is solved, and refuses it before", async () => {
    const c = logisticTrees();
    used.add(c.problem);
    const at = { lambda: c.lambda, w: c.w, data: c.data };
    const rule = (steps: number): Rule =>
      implicit({ solver: conjugateGradient(), steps, dynamics: descent(c.learningRate) });
    const solved = await checkHypergradient(c.problem, { rule: rule(1500), ...at });
    expect(solved.passed, solved.sentence).toBe(true);
    expect((await checkHypergradient(c.problem, { rule: rule(3), ...at })).passed).toBe(false);
  });
});

describe("minibatches, projections, first weights", () => {
  test("the equation is that of the last minibatch", async () => {
    const c = representation();
    used.add(c.problem);
    const { x, y } = c.data.inner as { x: Tensor; y: Tensor };
    const [X, Y] = [x.toNested() as number[][], flat(y)];
    const batch = (from: number): { x: number[][]; y: number[] } => ({
      x: X.slice(from, from + 3),
      y: Y.slice(from, from + 3),
    });
    const [first, second] = [batch(0), batch(4)];
    const dynamics = descent(c.learningRate);
    const stacked = { x: f64([first.x, second.x] as never), y: f64([first.y, second.y]) };
    const together = await hypergradient(c.problem, {
      rule: implicit({ solver: dense(), steps: 2, dynamics }),
      lambda: c.lambda,
      w: c.w,
      data: { inner: stacked, outer: c.data.outer },
      batched: true,
    });
    const on = (b: typeof first): Tree<Tensor> => ({ x: f64(b.x), y: f64(b.y) });
    const one = await evaluate(
      { ...c, data: { ...c.data, inner: on(first) } },
      reverse({ steps: 1, dynamics }),
    );
    const two = await evaluate(
      { ...c, data: { ...c.data, inner: on(second) } },
      implicit({ solver: dense(), steps: 1, dynamics }),
      { w: f64(one.w) },
    );
    expect(distance(flat(together.w), two.w)).toBeLessThan(1e-15);
    expect(distance(flat(together.gradient), two.gradient)).toBeLessThan(1e-12);
  });

  test.each([
    [0.3, 1],
    [2, 0],
  ])("a follower kept below 1, at x = %d: dy/dx = %d", async (x, slopeOfY) => {
    const problem: Problem = bilevel({
      inner: (y: np.Array, x: np.Array) => np.square(y.sub(x)).mul(0.5),
      outer: (y: np.Array) => y.mul(3),
    });
    const c = { problem, lambda: f64(x), w: f64(0), data: noData };
    const rule = implicit({
      solver: fixedPoint({ rtol: 1e-14 }),
      steps: 100,
      dynamics: descent(0.5),
      projection: box({ upper: 1 }),
    });
    const { gradient, report } = await evaluate(c, rule);
    expect(gradient[0]).toBeCloseTo(3 * slopeOfY, 12);
    expect(report.status).toBe("converged");
  });

  test("first weights made of λ do not enter the derivative", async () => {
    const problem: Problem = bilevel({
      init: (x: np.Array) => x.mul(2),
      inner: (y: np.Array, x: np.Array) => np.sum(np.square(y.sub(x.mul(3)))).mul(0.5),
      outer: (y: np.Array) => np.sum(np.square(y)).mul(0.5),
    });
    used.add(problem);
    const point = { lambda: f64([1, 2]), data: noData };
    for (const warmStart of [false, true]) {
      const rule = implicit({
        solver: conjugateGradient(),
        steps: 60,
        dynamics: descent(0.5),
        warmStart,
      });
      const { gradient } = await hypergradient(problem, { rule, ...point });
      // E = ½‖3x‖²
      expect(distance(flat(gradient), [9, 18])).toBeLessThan(1e-12);
    }
  });
});

describe("warm-started linear systems", () => {
  test.each(["objective", "dynamics"] as const)(
    "through the %s, k outer steps of 3 terms are 3k terms",
    async (through) => {
      const c = planeQuadratic;
      used.add(c.problem);
      const make = (maxSteps: number, warmStart: boolean): Rule =>
        implicit({
          solver:
            through === "objective" ? neumann({ step: 0.3, maxSteps }) : fixedPoint({ maxSteps }),
          steps: 1,
          dynamics: descent(0.3),
          warmStart,
        });
      const w = f64([1 / 1.75, 1.25 / 1.75]);
      const run = await solve(c.problem, {
        rule: make(3, true),
        // A leader that stands still.
        optimizer: gradientDescent({ learningRate: 1e-30 }),
        lambda: c.lambda,
        w,
        data: c.data,
        budget: { steps: 4 },
      });
      const residuals = run.history.map(({ measured }) => measured.linearResidual!);
      // Four steps, and the evaluation after the last.
      expect(residuals).toHaveLength(5);
      for (const [k, residual] of residuals.entries()) {
        const cold = await evaluate(c, make(3 * (k + 1), false), { w });
        expect(residual).toBeCloseTo(cold.report.measured.linearResidual!, 12);
      }
      expect(residuals[4]).toBeLessThan(0.1 * residuals[0]!);
    },
  );

  test("one product more", async () => {
    const make = (warmStart: boolean): Rule =>
      implicit({
        solver: conjugateGradient({ maxSteps: 5 }),
        steps: 2,
        dynamics: descent(0.3),
        warmStart,
      });
    const [cold, warm] = [
      await evaluate(planeQuadratic, make(false)),
      await evaluate(planeQuadratic, make(true)),
    ];
    expect(cold.report.cost.hessianVectorProducts).toBe(5);
    expect(warm.report.cost.hessianVectorProducts).toBe(6);
    expect(distance(cold.gradient, warm.gradient)).toBeLessThan(1e-15);
  });
});

describe("in the outer loop", () => {
  test("the leaders of P2, P3 and P5 reach their optima", async () => {
    const follower = { dynamics: descent(0.3), steps: 60 };
    const plane = await solve(planeQuadratic.problem, {
      rule: implicit({ solver: conjugateGradient(), warmStart: true, ...follower }),
      optimizer: gradientDescent({ learningRate: 0.5 }),
      lambda: planeQuadratic.lambda,
      w: planeQuadratic.w,
      data: planeQuadratic.data,
      budget: { steps: 150 },
    });
    expect(distance(flat(plane.lambda), [1.3766566909, -0.5515177426])).toBeLessThan(1e-8);
    expect(plane.value).toBeCloseTo(0.1342454040188, 12);
    expect(plane.warnings).toEqual([]);
    used.add(stronglyConvex);
    const convex = await solve(stronglyConvex, {
      rule: implicit({ solver: fixedPoint(), ...follower }),
      optimizer: gradientDescent({ learningRate: 0.4 }),
      lambda: equal(100, 2),
      w: equal(100, 2),
      data: noData,
      budget: { steps: 30 },
    });
    expect(distance(flat(convex.lambda), flat(equal(100, 0.5)))).toBeLessThan(1e-8);
  });

  test("P7: the result says in how many steps the system was singular", async () => {
    const n = 5;
    const result = await solve(merelyConvex as Problem, {
      rule: implicit({ solver: minres(), steps: 40, dynamics: descent(0.5) }),
      optimizer: gradientDescent({ learningRate: 0.2 }),
      lambda: equal(n, 0.01),
      w: { y1: equal(n, 0.01), y2: equal(n, 0.01) },
      data: noData,
      budget: { steps: 60 },
    });
    // The documented wrong answer of methods that need a unique inner solution.
    expect(distance(flat(result.lambda), flat(equal(n, 0.505)))).toBeLessThan(1e-8);
    expect(result.sentence).toMatch(/In \d+ of 61 evaluations the linear system/);
    expect(result.warnings.join()).toContain("the inner solution is not unique");
  });
});

describe("float32", () => {
  test.each([
    ["conjugate gradients", conjugateGradient()],
    ["Neumann", neumann({ maxSteps: 400 })],
    ["MINRES", minres()],
    ["Cholesky", dense()],
  ])("%s: within 1e-3 of float64", async (_, solver) => {
    const c = logisticTrees();
    const rule = implicit({ solver, steps: 600, dynamics: descent(c.learningRate) });
    const narrow = (values: Tree<Tensor>): Tree<Tensor> =>
      tree.map((x: Tensor) => tensor(x, { dtype: "float32" }), values as never) as Tree<Tensor>;
    const wide = await evaluate(c, rule);
    const { gradient, report } = await evaluate(
      {
        problem: c.problem,
        lambda: narrow(c.lambda),
        w: narrow(c.w),
        data: { inner: narrow(c.data.inner), outer: narrow(c.data.outer) },
      },
      rule,
    );
    expect(report.status).toBe("converged");
    expect(distance(gradient, wide.gradient)).toBeLessThan(1e-3 * Math.hypot(...wide.gradient));
  });
});

describe("costs", () => {
  const c = logisticTrees();
  const size = 6;

  test.each([
    [conjugateGradient({ maxSteps: 7 }), 7, 3 * size],
    [minres({ maxSteps: 7 }), 7, 5 * size],
    [neumann({ maxSteps: 7 }), 7 + 10, 2 * size],
    [neumann({ maxSteps: 7, step: 0.1 }), 7, 2 * size],
    [conjugateGradientNormal({ maxSteps: 7 }), 2 * 7 + 1, 3 * size],
    [nystrom({ rank: 4 }), 4, 4 * size],
    [dense(), size, size * size],
  ])("follow the formulas: $name", async (solver, products, floats) => {
    for (const steps of [5, 50]) {
      const rule = implicit({ solver, steps, dynamics: descent(0.1) });
      expect((await evaluate(c, rule)).report.cost).toEqual({
        innerGradients: steps,
        hessianVectorProducts: products,
        crossProducts: 1,
        // The follower's state and the solver's vectors, whatever T is.
        storedFloats: size + floats,
        reportGradients: 2,
        reportProducts: 1,
      });
    }
  });

  test("no trajectory: no loop of the program hands out T states", () => {
    const lengths = (rule: Rule): (number | undefined)[] => {
      const program = new Program("estimate");
      const [lambda, w, data] = [c.lambda, c.w, c.data].map((values, i) =>
        program.input(["lambda", "w", "data"][i]!, values as never),
      ) as never[];
      const state = program.call(rule.init as never, w!, lambda!);
      const estimate = rule.estimate(program, c.problem, {
        lambda: lambda!,
        w: w!,
        state: state as Tree<Value>,
        data: data!,
      });
      program.output("gradient", estimate.gradient);
      const loops = program.block().operations.filter(({ kind }) => kind === "scan");
      return loops.flatMap(({ outputs }) => outputs.map(({ shape }) => shape[0]));
    };
    const dynamics = descent(0.1);
    expect(lengths(reverse({ steps: 77, dynamics }))).toContain(77);
    const without = lengths(implicit({ solver: conjugateGradient(), steps: 77, dynamics }));
    expect(without.length).toBeGreaterThan(0);
    expect(without).not.toContain(77);
  });
});

describe("random quadratics", () => {
  const number = fc.double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
  const matrix = (rows: number, columns: number): fc.Arbitrary<matrices.Matrix> =>
    fc.array(fc.array(number, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    });
  const [n, m] = [3, 5];
  interface Weights {
    head: np.Array;
    tail: np.Array[];
  }
  const joined = ({ head, tail }: Weights): np.Array =>
    np.concatenate([head.reshape([1]), ...tail]);
  /** L = ½wᵀGw − wᵀCλ, E = ½‖w − c‖² + ½‖λ‖², with the weights split over a tree. */
  const problem: Problem = bilevel({
    inner: (w: Weights, lambda: np.Array, d: { g: np.Array; c: np.Array }) => {
      const y = joined(w);
      return np
        .dot(y, np.dot(d.g, y))
        .mul(0.5)
        .sub(np.dot(y, np.dot(d.c, lambda)));
    },
    outer: (w: Weights, lambda: np.Array, target: np.Array) =>
      np
        .sum(np.square(joined(w).sub(target)))
        .add(np.sum(np.square(lambda)))
        .mul(0.5),
  });
  // Rules are made once, so that each has one program for all instances.
  const s = 0.15;
  const rules = {
    direct: implicit({ solver: dense(), steps: 400, dynamics: descent(s) }),
    gradients: implicit({
      solver: conjugateGradient({ rtol: 1e-13 }),
      steps: 400,
      dynamics: descent(s),
    }),
    series: implicit({
      solver: neumann({ step: s, maxSteps: 6 }),
      steps: 400,
      dynamics: descent(s),
    }),
    iterated: implicit({ solver: fixedPoint({ maxSteps: 6 }), steps: 400, dynamics: descent(s) }),
  };

  test("direct = conjugate gradients = closed form; Neumann = fixed point", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrix(n, n),
        matrix(n, m),
        matrix(1, m),
        matrix(1, n),
        async (factor, cross, [lambda], [target]) => {
          const g = matrices.add(
            matrices.multiply(factor, matrices.transpose(factor)),
            matrices.identity(n, 0.5),
          );
          const c = {
            problem,
            lambda: f64(lambda!),
            w: { head: f64(0.1), tail: [f64([0.2, -0.3])] },
            data: { inner: { g: f64(g), c: f64(cross) }, outer: f64(target!) },
          };
          const y = matrices.solveDense(g, matrices.apply(cross, lambda!));
          const q = matrices.solveDense(g, matrices.subtract(y, target!));
          const closed = matrices
            .apply(matrices.transpose(cross), q)
            .map((v, i) => v + lambda![i]!);
          const [direct, gradients, series, iterated] = [
            await evaluate(c, rules.direct),
            await evaluate(c, rules.gradients),
            await evaluate(c, rules.series),
            await evaluate(c, rules.iterated),
          ];
          expect(distance(direct.gradient, closed)).toBeLessThan(1e-10);
          expect(distance(gradients.gradient, closed)).toBeLessThan(1e-9);
          expect(distance(series.gradient, iterated.gradient)).toBeLessThan(1e-13);
        },
      ),
      { numRuns: 25, seed: 11 },
    );
  });
});

describe("words", () => {
  test("an unsolved linear system is not hidden behind a solved follower", async () => {
    const c = representation();
    const rule = implicit({
      solver: conjugateGradient({ maxSteps: 1 }),
      steps: 900,
      dynamics: descent(c.learningRate),
    });
    const { report } = await evaluate(c, rule);
    expect(report.status).toBe("max-steps");
    expect(report.sentence).toContain("The inner problem is solved");
    expect(report.sentence).toContain("The linear system is not solved");
    expect(report.measured.linearRelativeResidual).toBeGreaterThan(1e-3);
  });

  test("a series with too large a step diverges in words", async () => {
    const rule = implicit({
      solver: neumann({ step: 2, maxSteps: 50 }),
      steps: 100,
      dynamics: descent(0.3),
    });
    const { report } = await evaluate(planeQuadratic, rule);
    expect(report.status).toBe("diverged");
    expect(report.sentence).toContain("iteration diverges");
  });

  test("integer and unused hyperparameters are treated as everywhere", async () => {
    const rule = implicit({ solver: conjugateGradient(), steps: 5, dynamics: descent(0.3) });
    const lambda = { used: f64([1, 1]), unused: f64([3]) };
    const problem: Problem = bilevel({
      inner: (w: np.Array, l: { used: np.Array }) => np.sum(np.square(w.sub(l.used))),
      outer: (w: np.Array) => np.sum(np.square(w)),
    });
    const { gradient, report } = await evaluate(
      { problem, lambda, w: f64([0, 0]), data: noData },
      rule,
    );
    expect(gradient[2]).toBe(0);
    expect(report.warnings.join()).toContain("lambda.unused");
  });

  test.each([
    ["steps", () => implicit({ solver: dense(), steps: 0, dynamics: descent(1) })],
    ["solver", () => implicit({ solver: undefined as never, steps: 1, dynamics: descent(1) })],
    [
      "through",
      () => implicit({ solver: dense(), steps: 1, dynamics: descent(1), through: "w" as never }),
    ],
    [
      "symmetric",
      () => implicit({ solver: dense(), steps: 1, dynamics: descent(1), through: "dynamics" }),
    ],
    [
      "contraction",
      () =>
        implicit({ solver: fixedPoint(), steps: 1, dynamics: descent(1), through: "objective" }),
    ],
    [
      "projected",
      () =>
        implicit({
          solver: dense(),
          steps: 1,
          dynamics: descent(1),
          projection: box({ upper: 1 }),
        }),
    ],
  ])("misuse is refused: %s", (word, make) => {
    expect(make).toThrow(word);
  });
});
