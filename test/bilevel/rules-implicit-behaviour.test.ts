/** What implicit rules do with minibatches, projections and warm starts, what they cost and what they say. */
import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import {
  bilevel,
  box,
  gradientDescent,
  hypergradient,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { implicit, reverse } from "../../src/bilevel/rules/index.ts";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
  nystrom,
} from "../../src/linear/index.ts";
import { Program, type Tensor, type Tree, type Value } from "../../src/program/index.ts";
import { evaluate, flat, distance } from "./evaluate.ts";
import { equal, merelyConvex, noData, stronglyConvex } from "./problems-without-unique-answer.ts";
import { f64, logisticTrees, planeQuadratic, representation, type Case } from "./problems.ts";

const descent = (learningRate: number) => gradientDescent({ learningRate });

describe("minibatches, projections, first weights", () => {
  test("the equation is that of the last minibatch", async () => {
    const c = representation();
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
      one.w,
    );
    expect(distance(flat(together.w), flat(two.w))).toBeLessThan(1e-15);
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
    const c: Case = {
      name: "below 1",
      problem,
      lambda: f64(x),
      w: f64(0),
      data: noData,
      learningRate: 0.5,
    };
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

  test("0 steps take the first weights for the answer", async () => {
    const c = planeQuadratic;
    const solver = dense();
    const answer = f64([4 / 7, 5 / 7]);
    const none = implicit({ solver, steps: 0, dynamics: descent(0.3) });
    const { gradient, w, report } = await evaluate(c, none, answer);
    expect(distance(gradient, [-0.6346938776, 1.8142857143])).toBeLessThan(1e-9);
    expect(flat(w)).toEqual([...answer.data]);
    expect(report.cost.innerGradients).toBe(0);
    expect(report.innerGradientNorm).toBeLessThan(1e-15);
    const { problem, lambda, data } = c;
    const batched = { rule: none, lambda, w: answer, data, batched: true };
    await expect(hypergradient(problem, batched)).rejects.toThrow("there are no steps");
  });

  test("first weights made of λ do not enter the derivative", async () => {
    const problem: Problem = bilevel({
      init: (x: np.Array) => x.mul(2),
      inner: (y: np.Array, x: np.Array) => np.sum(np.square(y.sub(x.mul(3)))).mul(0.5),
      outer: (y: np.Array) => np.sum(np.square(y)).mul(0.5),
    });
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
        const cold = await evaluate(c, make(3 * (k + 1), false), w);
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
        // The residual's, and Nyström's search for what the damping hides.
        reportProducts: solver.name === "nystrom" ? 2 : 1,
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
      { name: "shift", problem, lambda, w: f64([0, 0]), data: noData, learningRate: 0.3 },
      rule,
    );
    expect(gradient[2]).toBe(0);
    expect(report.warnings.join()).toContain("lambda.unused");
  });

  test.each([
    ["steps", () => implicit({ solver: dense(), steps: -1, dynamics: descent(1) })],
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
