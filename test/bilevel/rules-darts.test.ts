/** DARTS against numbers worked out by hand, the exact cross product, and the order of its finite difference. */
import { lax, numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  momentum,
  solve,
} from "../../src/bilevel/index.ts";
import { darts, oneStage } from "../../src/bilevel/rules/index.ts";
import { distance, evaluate, expectClose, flat, still, weightsAfter } from "./evaluate.ts";
import {
  allCases,
  f64,
  planeQuadratic,
  representation,
  scalarQuadratic,
  type Case,
} from "./problems.ts";
import { logSlope } from "./slope.ts";

const cases = allCases();
const rows = cases.map((c) => ({ c, label: c.name }));
afterEach(async () => {
  for (const { problem } of cases) await disposePrograms(problem);
});

describe("DARTS", () => {
  /** P6: L = ½aw² − αw, E = ½(w − c)² with a = 2, c = 1, at w = α = 1. */
  const p6: Case = {
    name: "P6",
    problem: bilevel({
      inner: (w: np.Array, alpha: np.Array) => np.square(w).sub(alpha.mul(w)),
      outer: (w: np.Array) => np.square(w.sub(1)).mul(0.5),
    }),
    lambda: f64(1),
    w: f64(1),
    data: { inner: f64(0), outer: f64(0) },
    learningRate: 0.25,
  };
  afterEach(() => disposePrograms(p6.problem));

  test.each([1e-3, 0.01, 1, 100])("P6 with ε = %d/‖v‖", async (epsilon) => {
    const { gradient, w, value } = await evaluate(
      p6,
      darts({ learningRate: 0.25, order: 2, difference: "finite", epsilon }),
    );
    expectClose(flat(w), [0.75], 1e-16);
    expect(value).toBeCloseTo(0.5 * 0.25 ** 2, 16);
    expectClose(gradient, [-0.0625], 0.0625 * 1e-10);
  });

  test("P6 exact, and first order", async () => {
    const exact = darts({ learningRate: 0.25, order: 2 });
    expectClose((await evaluate(p6, exact)).gradient, [-0.0625], 1e-16);
    const first = await evaluate(p6, darts({ learningRate: 0.25, order: 1 }));
    expectClose(first.gradient, [0], 0);
    expectClose(flat(first.w), [1], 0);
    expect(first.report.sentence).toContain(
      "biased: it leaves out all that the hyperparameters do through the follower's weights",
    );
  });

  describe.each(rows)("$label", ({ c }) => {
    const at = { learningRate: c.learningRate, order: 2 } as const;

    test("exact DARTS is the one-stage rule with one step", async () => {
      const dynamics = gradientDescent({ learningRate: c.learningRate });
      const w = await weightsAfter(c, 2);
      const expected = await evaluate(c, oneStage({ steps: 1, dynamics }), w);
      const exact = await evaluate(c, darts(at), w);
      expectClose(exact.gradient, expected.gradient, 1e-14);
      expectClose(flat(exact.w), flat(expected.w), 1e-15);
    });

    test("finite differences are within their error of it, which falls as ε²", async () => {
      const w = await weightsAfter(c, 2);
      const exact = await evaluate(c, darts(at), w);
      const errors: number[] = [];
      for (const epsilon of [0.2, 0.1, 0.05]) {
        const finite = await evaluate(c, darts({ ...at, difference: "finite", epsilon }), w);
        errors.push(distance(finite.gradient, exact.gradient));
      }
      const scale = Math.hypot(...exact.gradient);
      const byDefault = await evaluate(c, darts({ ...at, difference: "finite" }), w);
      expect(distance(byDefault.gradient, exact.gradient)).toBeLessThan(1e-4 * scale);
      // A quadratic in w has no error but rounding.
      if (errors[0]! < 1e-12 * scale) return;
      expect(logSlope([0.2, 0.1, 0.05].map(Math.log), errors)).toBeCloseTo(2, 1);
    });
  });

  test("quadratic in w: any ε", async () => {
    for (const c of [scalarQuadratic, planeQuadratic, representation()]) {
      const at = { learningRate: c.learningRate, order: 2 } as const;
      const exact = await evaluate(c, darts(at));
      for (const epsilon of [1e-3, 1, 1e3]) {
        const finite = await evaluate(c, darts({ ...at, difference: "finite", epsilon }));
        expectClose(finite.gradient, exact.gradient, 1e-10 * Math.hypot(...exact.gradient));
      }
      await disposePrograms(c.problem);
    }
  });

  test("the norm in ε is that of all weights together", async () => {
    // L = λ(a³ + b³), E = 3a + 4b.
    const c: Case = {
      name: "cubic",
      problem: bilevel({
        inner: (w: { a: np.Array; b: np.Array }, l: np.Array) =>
          np.square(w.a).mul(w.a).add(np.square(w.b).mul(w.b)).mul(l),
        outer: (w: { a: np.Array; b: np.Array }) => w.a.mul(3).add(w.b.mul(4)),
      }),
      lambda: f64(0.5),
      w: { a: f64(1), b: f64(-2) },
      data: { inner: f64(0), outer: f64(0) },
      learningRate: 0.1,
    };
    // v = (3, 4), ‖v‖ = 5, ε = 0.1/5. [(w+εv)³ − (w−εv)³]/(2ε) = 3w²v + ε²v³.
    const epsilon = 0.1 / 5;
    const quotient = 3 * 1 * 3 + epsilon ** 2 * 27 + 3 * 4 * 4 + epsilon ** 2 * 64;
    const rule = darts({ learningRate: 0.1, order: 2, difference: "finite", epsilon: 0.1 });
    const { gradient } = await evaluate(c, rule);
    expectClose(gradient, [-0.1 * quotient], 1e-12);
    await disposePrograms(c.problem);
  });

  test("where the outer gradient is 0 the second-order term is 0, not NaN", async () => {
    // w' = 0.75 is the outer optimum.
    const problem = bilevel({
      ...p6.problem,
      outer: (w: np.Array, alpha: np.Array) => np.square(w.sub(0.75)).add(alpha.mul(2)),
    });
    for (const difference of ["exact", "finite"] as const) {
      const rule = darts({ learningRate: 0.25, order: 2, difference });
      expectClose((await evaluate({ ...p6, problem }, rule)).gradient, [2], 0);
    }
    await disposePrograms(problem);
  });

  test("the counts", async () => {
    const c = cases[4]!;
    const second = await evaluate(c, darts({ learningRate: 0.1, order: 2 }));
    expect(second.report.cost).toEqual({
      innerGradients: 2,
      hessianVectorProducts: 0,
      crossProducts: 1,
      storedFloats: 6,
      reportGradients: 2,
    });
    const first = await evaluate(c, darts({ learningRate: 0.1, order: 1 }));
    expect(first.report.cost).toMatchObject({
      innerGradients: 1,
      crossProducts: 0,
      storedFloats: 0,
    });
  });

  test("the finite difference needs no second derivatives", () => {
    const needs = (options: { order: 1 | 2; difference?: "finite" }): boolean =>
      darts({ learningRate: 0.1, ...options }).needs.secondDerivatives;
    expect(needs({ order: 2 })).toBe(true);
    expect(needs({ order: 2, difference: "finite" })).toBe(false);
    expect(needs({ order: 1 })).toBe(false);
  });

  test("a stop-gradient: the default keeps it, the finite difference sees through it and says so", async () => {
    // L = ½λ(w·s)² with s = stop(1/w), E = w: dw'/dλ = −ξ·w·s² = −ξ/w; the difference sees ∇_λ L = ½ for any w, and 0.
    const problem = bilevel({
      inner: (w: np.Array, l: np.Array) =>
        np
          .square(w.mul(lax.stopGradient(np.reciprocal(w))))
          .mul(l)
          .mul(0.5),
      outer: (w: np.Array) => w,
    });
    const c: Case = { ...p6, problem, lambda: f64(0.5), w: f64(2) };
    const exact = await evaluate(c, darts({ learningRate: 0.1, order: 2 }));
    expectClose(exact.gradient, [-0.05], 1e-16);
    expect(exact.report.sentence).not.toContain("stop-gradients");
    const finite = await evaluate(c, darts({ learningRate: 0.1, order: 2, difference: "finite" }));
    expectClose(finite.gradient, [0], 1e-15);
    expect(finite.report.sentence).toContain(
      "a finite difference over ±0.01 along the outer gradient, which rounds and also differentiates through stop-gradients",
    );
    await disposePrograms(problem);
  });

  test("an epsilon without the finite difference is refused", () => {
    for (const options of [{ order: 2 }, { order: 1, difference: "finite" }] as const) {
      expect(() => darts({ learningRate: 0.1, epsilon: 0.1, ...options })).toThrow(
        'only order: 2 with difference: "finite" has',
      );
    }
  });

  test("the follower goes on with dynamics of its own", async () => {
    // Momentum 0.9 from rest makes a gradient step of 0.1 first, whatever ξ is.
    const dynamics = momentum({ learningRate: 0.1, momentum: 0.9 });
    const rule = darts({ learningRate: 0.25, order: 2, dynamics });
    const steps = solve(p6.problem, {
      rule,
      optimizer: still,
      lambda: p6.lambda,
      w: p6.w,
      data: p6.data,
      budget: { steps: 3 },
    });
    const virtual: number[] = [];
    for await (const { w } of steps) virtual.push(...flat(w));
    // ∇L = 2w − 1, v ← 0.9v + ∇L, w ← w − 0.1v; w' = w − 0.25·∇L.
    let [w, v] = [1, 0];
    const expected = [0, 1, 2, 3].map(() => {
      const ahead = w - 0.25 * (2 * w - 1);
      v = 0.9 * v + (2 * w - 1);
      w -= 0.1 * v;
      return ahead;
    });
    expectClose(virtual, expected, 1e-15);
  });
});
