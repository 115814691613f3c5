/** Multipliers of inequalities have a sign: where one is negative the point is no solution, whatever its residual without signs. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  box,
  disposePrograms,
  gradientDescent,
  hypergradient,
  nonNegative,
} from "../../src/index.ts";
import { dense, minres } from "../../src/linear/index.ts";
import { implicitKkt, type ImplicitKktOptions } from "../../src/bilevel/rules/index.ts";
import { expectClose, flat } from "./evaluate.ts";
import { f64 } from "./small-problems.ts";

/** L = ½‖w − λ‖², E = ½‖w − 3‖². */
const near = bilevel({
  inner: (w: np.Array, l: np.Array) => np.sum(np.square(w.sub(l))).mul(0.5),
  outer: (w: np.Array) => np.sum(np.square(w.sub(3))).mul(0.5),
});
const dual = bilevel({
  inner: (a: np.Array, _: np.Array, { q }: { q: np.Array }) =>
    np
      .sum(q.mul(np.square(a)))
      .mul(0.5)
      .sub(np.sum(a)),
  outer: (a: np.Array) => np.sum(np.square(a.sub(1))).mul(0.5),
});
afterAll(() => Promise.all([near, dual].map((problem) => disposePrograms(problem))));

const solver = dense({ factorization: "lu" });
const evaluate = (
  options: Partial<ImplicitKktOptions>,
  lambda: number | number[],
  w: number | number[],
) =>
  hypergradient(near, {
    rule: implicitKkt({
      steps: 500,
      dynamics: gradientDescent({ learningRate: 0.3 }),
      solver,
      ...options,
    }),
    lambda: f64(lambda),
    w: f64(w),
    data: { inner: [], outer: [] },
  });

describe.each([
  ["by multipliers", {}],
  ["projected", { projection: nonNegative() }],
])("w >= 0, %s", (_name, how) => {
  const confined = { ...how, inequalities: (w: np.Array) => w.mul(-1) };

  test("steps too small to leave the corner solve nothing", async () => {
    const dynamics = gradientDescent({ learningRate: 1e-9 });
    const { report } = await evaluate({ ...confined, steps: 10, dynamics }, 1, 0);
    expect(report.status).toBe("max-steps");
    expect(report.sentence).toMatch(/^The inner problem is not solved/);
    expect(report.sentence).toContain("1 active constraint has a negative multiplier");
    expect(report.sentence).not.toContain("kink");
    expect(report.measured["stationarity"]).toBeCloseTo(1, 6);
  });

  test("the solution inside, at the bound, and at the kink between them", async () => {
    const inside = await evaluate(confined, 1, 0);
    expectClose([...flat(inside.w), ...flat(inside.gradient)], [1, -2], 1e-12);
    expect(inside.report.status).toBe("converged");
    const atBound = await evaluate(confined, -1, 0.5);
    expectClose([...flat(atBound.w), ...flat(atBound.gradient)], [0, 0], 1e-12);
    expect(atBound.report.status).toBe("converged");
    const between = await evaluate(confined, 0, 0.5);
    expect(between.report.status).toBe("singular");
    expect(between.report.sentence).toContain("the response has a kink here");
  });
});

test("an equality's multiplier has no sign", async () => {
  for (const sign of [1, -1]) {
    const equalities = (w: np.Array): np.Array => np.sum(w).sub(1).mul(sign);
    const { w, gradient, report } = await evaluate({ equalities }, [1, 3], [0, 0]);
    // w = λ − (Σλ − 1)/2, of which dE/dλ is the projection of w − 3.
    expectClose([...flat(w), ...flat(gradient)], [-0.5, 1.5, -1, 1], 1e-9);
    expect(report.status, report.sentence).toBe("converged");
  }
});

test("dependent constraints: other multipliers of the right signs are looked for", async () => {
  // At 0 in the plane all three are active; the least multipliers for λ = (2, 0.1) have a negative one.
  const three = (w: np.Array): np.Array => {
    const [a, b] = [w.slice(0), w.slice(1)];
    return np.stack([a, b, a.add(b.mul(2))]);
  };
  const options = { inequalities: three, solver: minres({ maxSteps: 50 }), steps: 3000 };
  const dynamics = gradientDescent({ learningRate: 0.05 });
  const { report } = await evaluate({ ...options, dynamics }, [2, 0.1], [0, 0]);
  expect(report.sentence).toMatch(/^The inner problem is solved/);
  expect(report.sentence).toContain("linearly dependent");
  expect(report.measured["negativeMultipliers"]).toBe(0);
  expect(report.status).toBe("singular");
  // No signs do where the follower would gain by leaving along a.
  const stuck = gradientDescent({ learningRate: 1e-9 });
  const away = await evaluate({ ...options, dynamics: stuck, steps: 5 }, [-2, 0.1], [0, 0]);
  expect(away.report.sentence).toMatch(/^The inner problem is not solved/);
  expect(away.report.measured["negativeMultipliers"]).toBeGreaterThan(0);
});

test("a projection onto another set than that of the constraints is named", async () => {
  const { report } = await evaluate(
    { inequalities: (w: np.Array) => w.sub(1), projection: nonNegative() },
    2,
    0,
  );
  expect(report.status).not.toBe("converged");
  expect(report.sentence).toContain("the projection is not onto the set that the constraints");
});

describe.each([
  ["by multipliers", undefined],
  ["projected onto a box of λ", box({ lower: 0, upper: (c: np.Array) => c })],
])("λ in the constraints: 0 <= a <= C, %s", (_name, projection) => {
  const rule = implicitKkt({
    inequalities: (a: np.Array, c: np.Array) => np.concatenate([a.sub(c), a.mul(-1)]),
    steps: 2000,
    dynamics: gradientDescent({ learningRate: 0.1 }),
    solver,
    ...(projection && { projection }),
  });
  const at = (c: number) => ({
    rule,
    lambda: f64(c),
    w: f64([0.1, 0.1]),
    data: { inner: { q: f64([1, 4]) }, outer: [] },
  });

  test("the derivative at the bound", async () => {
    const { w, value, gradient, report } = await hypergradient(dual, at(0.5));
    expectClose(flat(w), [0.5, 0.25], 1e-9);
    expect(value.item()).toBeCloseTo(0.40625, 9);
    expectClose(flat(gradient), [-0.5], 1e-8);
    expect(report.status, report.sentence).toBe("converged");
  });

  test("where the bound only just touches, the kink is named", async () => {
    const { report } = await hypergradient(dual, at(1));
    expect(report.status).toBe("singular");
    expect(report.sentence).toContain("the response has a kink here");
  });
});
