/** Constrained followers against closed forms, against reverse mode through the projection, and where they are degenerate. */
import { numpy as np, tree } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  box,
  disposePrograms,
  gradientDescent,
  hypergradient,
  simplex,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { implicitKkt, reverse } from "../../src/bilevel/rules/index.ts";
import { conjugateGradient, dense, fixedPoint } from "../../src/linear/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import { descend } from "./descend.ts";
import { evaluate, expectClose, flat, still } from "./evaluate.ts";
import {
  boxed,
  boxedAnswer,
  boxSides,
  clipped,
  confinedSines,
  confinement,
  inBall,
  onPlane,
} from "./problems-constrained.ts";
import { f64 } from "./problems.ts";

afterAll(async () => {
  const problems = [clipped, onPlane, inBall, boxed].map(({ problem }) => problem);
  for (const problem of [...problems, confinedSines]) await disposePrograms(problem);
});

const lu = dense({ factorization: "lu" });
const upTo1 = (y: np.Array): np.Array => y.sub(1);
const measured = (report: { measured: Readonly<Record<string, number>> }, name: string): number =>
  report.measured[name]!;

describe("P12 (a), y ≤ 1", () => {
  const dynamics = gradientDescent({ learningRate: 0.4 });
  const common = { inequalities: upTo1, steps: 500, dynamics };
  const projected = implicitKkt({ ...common, projection: box({ upper: 1 }) });
  const withMultipliers = implicitKkt({ ...common, solver: lu });

  test.each([
    ["projected", projected],
    ["with multipliers", withMultipliers],
  ])("%s: dy/dx = 1 below the kink, 0 above it", async (_, rule) => {
    const below = await evaluate({ ...clipped, lambda: f64([0.3]) }, rule);
    expectClose(below.gradient, [1.3], 1e-9);
    expect(below.report.status, below.report.sentence).toBe("converged");
    expect(below.report.sentence).toContain("0 of 1 constraints are active");

    const above = await evaluate({ ...clipped, lambda: f64([2]) }, rule);
    expectClose(flat(above.w), [1], 1e-9);
    expectClose(above.gradient, [0], 1e-9);
    expect(above.report.status, above.report.sentence).toBe("converged");
    expect(above.report.sentence).toContain("1 of 1 constraints is active");
    for (const name of ["stationarity", "feasibility", "complementarity"]) {
      expect(measured(above.report, name)).toBeLessThan(1e-9);
    }
    expect(measured(above.report, "weaklyActive")).toBe(0);
  });

  test("on the kink the active constraint has no multiplier, and the report says so", async () => {
    const { gradient, report } = await evaluate({ ...clipped, lambda: f64([1]) }, projected);
    expect(report.status).toBe("singular");
    expect(measured(report, "weaklyActive")).toBe(1);
    expect(report.sentence).toContain("no strict complementarity");
    // The side that keeps it active.
    expectClose(gradient, [0], 1e-9);
  });

  test("a run says how many of its answers were degenerate", async () => {
    const { data, w } = clipped;
    const options = { rule: projected, optimizer: still, w, data, budget: { steps: 2 } };
    const atKink = await solve(clipped.problem, { ...options, lambda: f64([1]) });
    expect(atKink.sentence).toContain(
      "In 3 of 3 evaluations the follower's response was degenerate",
    );
    const beside = await solve(clipped.problem, { ...options, lambda: f64([2]) });
    expect(beside.sentence).not.toContain("degenerate");
  });

  test("an answer that should leave its constraint is not called solved", async () => {
    const hesitant = gradientDescent({ learningRate: 1e-9 });
    const rule = implicitKkt({
      inequalities: upTo1,
      projection: box({ upper: 1 }),
      steps: 1,
      dynamics: hesitant,
    });
    const { report } = await evaluate(clipped, rule, f64([1]));
    expect(report.status).toBe("max-steps");
    expect(measured(report, "negativeMultipliers")).toBe(1);
    expect(report.sentence).toContain("negative multiplier");
  });
});

describe("P12 (b), Σy = 1", () => {
  test.each([
    ["MINRES", {}],
    ["LU", { solver: lu }],
  ])("dy/dx = I − 11ᵀ/n, by %s", async (_, options) => {
    const rule = implicitKkt({
      equalities: (y: np.Array) => np.sum(y).sub(1),
      steps: 600,
      dynamics: gradientDescent({ learningRate: 0.2 }),
      ...options,
    });
    const { gradient, w, report } = await evaluate(onPlane, rule);
    expectClose(gradient, onPlane.gradient, 1e-9);
    expect(Math.abs(flat(w).reduce((sum, v) => sum + v, 0) - 1)).toBeLessThan(1e-10);
    expect(report.status, report.sentence).toBe("converged");
    expect(Math.abs(measured(report, "tangentCurvature") - 1)).toBeLessThan(1e-8);
  });
});

test("on the simplex, where one weight is 0, reverse mode through the projection agrees", async () => {
  const shared = {
    steps: 100,
    dynamics: gradientDescent({ learningRate: 0.5 }),
    projection: simplex(),
  };
  const rule = implicitKkt({
    equalities: (y: np.Array) => np.sum(y).sub(1),
    inequalities: (y: np.Array) => y.mul(-1),
    ...shared,
  });
  const point = { ...onPlane, w: f64([0.25, 0.25, 0.25, 0.25]) };
  const { gradient, report } = await evaluate(point, rule);
  expect(measured(report, "activeConstraints")).toBe(2);
  expect(report.status, report.sentence).toBe("converged");
  expectClose(gradient, (await evaluate(point, reverse(shared))).gradient, 1e-9);
});

describe("P12 (c), sines confined to x + y in [0, 1]", () => {
  test.each([
    [1, -0.5, 12.5],
    [2, -4 / 3, 50 / 3],
  ])("n = %i: the leader finds x* = %f", async (n, optimum, value) => {
    const rule = implicitKkt({
      inequalities: confinement,
      steps: 300,
      stepsPerUpdate: 15,
      penalty: 2,
      dynamics: gradientDescent({ learningRate: 0.15 }),
    });
    const { x, y, last } = await descend(confinedSines, {
      rule,
      rate: 0.3 / (1 + n),
      steps: 40,
      lambda: f64(0),
      w: f64(Array.from({ length: n }, () => 0.2)),
    });
    expectClose(x, [optimum], 1e-7);
    expectClose(
      y,
      Array.from({ length: n }, () => -optimum),
      1e-7,
    );
    expect(Math.abs(last.value - value)).toBeLessThan(1e-6);
    expect(last.measured["activeConstraints"]).toBe(n);
  });
});

test("a curved set that moves with λ: both parts of the derivative", async () => {
  const rule = implicitKkt({
    inequalities: (y: { point: np.Array }, l: { r: np.Array }) =>
      np.sum(np.square(y.point)).sub(l.r),
    steps: 1500,
    penalty: 0.5,
    dynamics: gradientDescent({ learningRate: 0.1 }),
  });
  const { gradient, report } = await evaluate(inBall, rule);
  expect(report.status, report.sentence).toBe("converged");
  expectClose(gradient, [...inBall.gradient.a, inBall.gradient.r], 1e-8);
});

test("first weights made of λ have no influence", async () => {
  const problem = bilevel({
    inner: clipped.problem.inner,
    outer: clipped.problem.outer,
    init: (x: np.Array) => x.mul(-2),
  }) as Problem;
  const rule = implicitKkt({
    inequalities: upTo1,
    steps: 500,
    dynamics: gradientDescent({ learningRate: 0.4 }),
  });
  for (const [x, slope] of [
    [0.3, 1.3],
    [2, 0],
  ]) {
    const point = { lambda: f64([x!]), data: clipped.data };
    const { gradient, report } = await hypergradient(problem, { rule, ...point });
    expect(report.status, report.sentence).toBe("converged");
    expectClose(flat(gradient), [slope!], 1e-9);
  }
  await disposePrograms(problem);
});

describe("a quadratic in a box", () => {
  const dynamics = gradientDescent({ learningRate: 0.3 });
  const projection = box({ lower: 0, upper: 0.5 });
  const rules: [string, Rule][] = [
    [
      "projected, MINRES",
      implicitKkt({ inequalities: boxSides, projection, steps: 200, dynamics }),
    ],
    [
      "projected, LU",
      implicitKkt({ inequalities: boxSides, projection, steps: 200, dynamics, solver: lu }),
    ],
    [
      "with multipliers",
      implicitKkt({
        inequalities: boxSides,
        steps: 1500,
        dynamics: gradientDescent({ learningRate: 0.25 }),
      }),
    ],
  ];

  test.each(rules)("%s: the closed form on the free weights", async (_, rule) => {
    const expected = boxedAnswer();
    const { gradient, w, report } = await evaluate(boxed, rule);
    expectClose(flat(w), expected.y, 1e-9);
    expectClose(gradient, expected.gradient, 1e-8);
    expect(report.status, report.sentence).toBe("converged");
    expect(measured(report, "activeConstraints")).toBe(2);
    expect(measured(report, "constraints")).toBe(8);
  });

  test("reverse mode through the projection agrees when T is large", async () => {
    const unrolled = await evaluate(boxed, reverse({ steps: 200, dynamics, projection }));
    const { gradient } = await evaluate(boxed, rules[0]![1]);
    expectClose(gradient, unrolled.gradient, 1e-9);
  });

  test("central differences agree", async () => {
    const rule = rules[0]![1];
    const { gradient } = await evaluate(boxed, rule);
    const x = flat(boxed.lambda);
    for (const [i, slope] of gradient.entries()) {
      const at = async (h: number): Promise<number> => {
        const lambda = f64(x.map((v, j) => (i === j ? v + h : v)));
        return (await evaluate({ ...boxed, lambda }, rule)).value;
      };
      const difference = ((await at(1e-4)) - (await at(-1e-4))) / 2e-4;
      expect(Math.abs(difference - slope)).toBeLessThan(1e-8);
    }
  });

  test("a constraint stated twice is named, and MINRES still solves", async () => {
    const twice = (y: np.Array): np.Array => np.concatenate([boxSides(y), y.sub(0.5)]);
    const rule = implicitKkt({ inequalities: twice, projection, steps: 200, dynamics });
    const { gradient, report } = await evaluate(boxed, rule);
    expect(report.status).toBe("singular");
    expect(measured(report, "dependentConstraints")).toBe(1);
    expect(report.sentence).toContain("linearly dependent");
    expectClose(gradient, boxedAnswer().gradient, 1e-8);
  });

  test("stacked minibatches, all alike, give the same", async () => {
    const steps = 60;
    const rule = implicitKkt({ inequalities: boxSides, projection, steps, dynamics });
    const stack = (leaf: Tensor): Tensor =>
      tensor(
        Float64Array.from({ length: steps * leaf.size }, (_, i) => leaf.data[i % leaf.size]!),
        { shape: [steps, ...leaf.shape] },
      );
    const { lambda, w, data } = boxed;
    const inner = tree.map(stack, data.inner) as Tree<Tensor>;
    const point = { lambda, w, data: { ...data, inner }, batched: true };
    const { gradient } = await hypergradient(boxed.problem, { rule, ...point });
    expectClose(flat(gradient), (await evaluate(boxed, rule)).gradient, 1e-12);
  });

  test("float32 agrees to its precision", async () => {
    const narrow = (values: Tree<Tensor>): Tree<Tensor> =>
      tree.map((leaf: Tensor) => tensor(leaf.toNested()), values) as Tree<Tensor>;
    const { lambda, w, data } = boxed;
    const { gradient } = await hypergradient(boxed.problem, {
      rule: rules[0]![1],
      lambda: narrow(lambda),
      w: narrow(w),
      data: { inner: narrow(data.inner), outer: narrow(data.outer) },
    });
    expectClose(flat(gradient), boxedAnswer().gradient, 1e-4);
  });
});

test("a saddle along the constraint is no minimum", async () => {
  const problem = bilevel({
    inner: (y: np.Array, x: np.Array) =>
      np
        .sum(np.square(y).mul(np.array([-0.5, 0.5]).astype(y.dtype)))
        .sub(np.sum(y.mul(x).mul(np.array([0, 1]).astype(y.dtype)))),
    outer: (y: np.Array) => np.sum(y),
  }) as Problem;
  const rule = implicitKkt({
    equalities: (y: np.Array) => y.slice([1, 2]).sub(1),
    projection: Object.assign(
      (y: unknown) => np.where(np.array([true, false]), y as np.Array, 1) as never,
      { label: "second weight at 1" },
    ),
    steps: 3,
    dynamics: gradientDescent({ learningRate: 0.1 }),
  });
  const point = { lambda: f64(0.5), w: f64([0, 1]), data: { inner: [], outer: [] } };
  const { report } = await hypergradient(problem, { rule, ...point });
  expect(report.status, report.sentence).toBe("singular");
  expect(report.sentence).toContain("curvature along the constraints is negative (-1.00e+0)");
  await disposePrograms(problem);
});

test("misuse is refused in words", () => {
  const good = {
    inequalities: upTo1,
    steps: 10,
    dynamics: gradientDescent({ learningRate: 0.1 }),
  };
  const { inequalities: _, ...without } = good;
  expect(() => implicitKkt(without)).toThrow("inequalities or equalities is required");
  expect(() => implicitKkt({ ...good, steps: 0 })).toThrow("steps must be a whole number");
  expect(() => implicitKkt({ ...good, penalty: 0 })).toThrow("penalty must be a positive number");
  expect(() => implicitKkt({ ...good, activeTolerance: -1 })).toThrow("activeTolerance");
  expect(() => implicitKkt({ ...good, solver: conjugateGradient() })).toThrow("positive definite");
  expect(() => implicitKkt({ ...good, solver: fixedPoint() })).toThrow("contraction");
});
