/** Coefficients that are functions of λ: right derivatives wherever they go, and a report that names the ones out of range. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  adam,
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
  truncated,
  type Rule,
} from "../../src/index.ts";
import { bda, forward, realTime } from "../../src/bilevel/rules/index.ts";
import { clipped } from "../../src/bilevel/index.ts";
import { fixedPoint } from "../../src/linear/index.ts";
import { flat, expectClose, still } from "./evaluate.ts";
import { f64 } from "./small-problems.ts";

/** L = ½(w − 1)², E = ½(w − 2)²: w_T = 1 − Π(1 − s_t) from w = 0. */
const scalar = bilevel({
  inner: (w: np.Array, _l: np.Array) => np.square(w.sub(1)).mul(0.5),
  outer: (w: np.Array) => np.square(w.sub(2)).mul(0.5),
});
const none = { inner: [], outer: [] };
afterAll(() => Promise.all([scalar, dual, twoLeaves].map((problem) => disposePrograms(problem))));

const shared = (l: np.Array): np.Array => l;
const at = (lambda: number | number[], rule: Rule) => ({
  rule,
  lambda: f64(lambda),
  w: f64(0),
  data: none,
});

describe("a learning rate that is λ itself", () => {
  // dF/ds = (w − 2)·2(1 − s) with w − 2 = −1 − (1 − s)².
  const exact = (s: number): number => -2 * (1 - s) * (1 + (1 - s) ** 2);

  test.each([
    reverse({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) }),
    forward({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) }),
    truncated({ steps: 2, keep: 2, dynamics: gradientDescent({ learningRate: shared }) }),
    realTime({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) }),
  ])("$name: exact everywhere, and named where it is not > 0", async (rule) => {
    for (const s of [0.1, 0, -0.2]) {
      const { gradient, report } = await hypergradient(scalar, at(s, rule));
      expectClose(flat(gradient), [exact(s)], 1e-14);
      const named = `The follower's learningRate, a function of the hyperparameters, is ${s}, out of its range in 2 of its steps: it must be a finite number > 0.`;
      expect(report.sentence.includes(named), report.sentence).toBe(s <= 0);
      expect(report.warnings.some((sentence) => sentence.startsWith(named))).toBe(s <= 0);
    }
  });

  test("the known value, and a rate for each step", async () => {
    const rule = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) });
    expectClose(flat((await hypergradient(scalar, at(0.1, rule))).gradient), [-3.258], 1e-14);
    const perStep = (l: np.Array, t: np.Array): np.Array =>
      np.sum(np.where(np.equal(np.arange(2), t), l, 0));
    const each = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: perStep }) });
    const { gradient } = await hypergradient(scalar, at([0.1, 0.1], each));
    expectClose(flat(gradient), [-1.629, -1.629], 1e-14);
    const { report } = await hypergradient(scalar, at([0.1, -0.1], each));
    expect(report.sentence).toContain("is from -0.1 to 0.1, out of its range in 1 of its steps");
  });

  test("a rate that is not a number is named beside the NaN that it makes", async () => {
    const rule = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) });
    const { report } = await hypergradient(scalar, at(NaN, rule));
    expect(report.status).toBe("non-finite");
    expect(report.sentence).toContain("learningRate, a function of the hyperparameters, is NaN");
  });

  test("numbers, schedules and exponentials are not looked at, or always in range", async () => {
    const plain = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: 0.1 }) });
    const { report } = await hypergradient(scalar, at(-1, plain));
    expect(Object.keys(report.measured).filter((name) => name.endsWith("Outside"))).toEqual([]);
    const rate = (l: np.Array): np.Array => np.exp(l);
    const safe = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: rate }) });
    const found = (await hypergradient(scalar, at(-1, safe))).report;
    expect(found.measured["learningRateOutside"]).toBe(0);
    expect(found.measured["learningRateLeast"]).toBeCloseTo(Math.exp(-1), 14);
  });

  test("solve counts the evaluations and quotes the last, with empty data too", async () => {
    const rule = reverse({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) });
    const result = await solve(scalar, {
      ...at(-0.2, rule),
      optimizer: still,
      budget: { steps: 3 },
      start: "cold",
    });
    const named = "In 4 of 4 evaluations a coefficient left its range.";
    expect(result.sentence).toContain(named);
    expect(result.warnings.some((sentence) => sentence.startsWith(named))).toBe(true);
  });

  test("a step that is not finite names the rate that made it so", async () => {
    const rule = reverse({ steps: 400, dynamics: gradientDescent({ learningRate: shared }) });
    const { status, sentence } = await solve(scalar, {
      ...at(-10, rule),
      optimizer: still,
      budget: { steps: 3 },
    });
    expect(status).toBe("non-finite");
    expect(sentence).toContain("In 1 of 1 evaluations a coefficient left its range");
  });
});

describe("the other coefficients and the dynamics around them", () => {
  test("momentum in [0, 1)", async () => {
    const mu = (l: np.Array, t: np.Array): np.Array => l.mul(t);
    const rule = reverse({ steps: 3, dynamics: momentum({ learningRate: 0.1, momentum: mu }) });
    const inside = (await hypergradient(scalar, at(0.4, rule))).report;
    expect(inside.sentence).not.toContain("out of its range");
    const { report } = await hypergradient(scalar, at(0.6, rule));
    expect(report.sentence).toContain(
      "momentum, a function of the hyperparameters, is from 0 to 1.2, out of its range in 1 of its steps: it must be >= 0 and < 1",
    );
  });

  test.each([
    reverse({ steps: 2, dynamics: adam({ learningRate: shared }) }),
    reverse({ steps: 2, dynamics: clipped(adam({ learningRate: shared }), { norm: 1 }) }),
    bda({ steps: 2, dynamics: gradientDescent({ learningRate: shared }) }),
    implicit({
      steps: 2,
      dynamics: gradientDescent({ learningRate: shared }),
      solver: fixedPoint({ maxSteps: 3 }),
    }),
  ])("$name passes it on", async (rule) => {
    const { report } = await hypergradient(scalar, at(-0.2, rule));
    expect(report.sentence).toContain("learningRate, a function of the hyperparameters, is -0.2");
  });
});

/** A support vector machine's dual, ½Σq a² − Σa: a = (min(1, C), min(1/4, C)) in the box [0, C]. */
const dual = bilevel({
  inner: (a: np.Array, _: np.Array, { q }: { q: np.Array }) =>
    np
      .sum(q.mul(np.square(a)))
      .mul(0.5)
      .sub(np.sum(a)),
  outer: (a: np.Array) => np.sum(np.square(a.sub(1))).mul(0.5),
});
const twoLeaves = bilevel({
  inner: (w: { a: np.Array; b: np.Array }, _l: np.Array) =>
    np.sum(np.square(w.a.sub(3))).add(np.sum(np.square(w.b.add(3)))),
  outer: (w: { a: np.Array; b: np.Array }) => np.sum(w.a).add(np.sum(w.b).mul(2)),
});

describe("a box whose bounds are functions of λ", () => {
  const confined = {
    steps: 400,
    dynamics: gradientDescent({ learningRate: 0.1 }),
    projection: box({ lower: 0, upper: (c: np.Array) => c }),
  };
  const rules = [
    reverse(confined),
    forward(confined),
    truncated({ ...confined, keep: 100 }),
    implicit({ ...confined, solver: fixedPoint({ maxSteps: 400, rtol: 1e-12 }) }),
  ];
  const place = (c: number) => ({
    lambda: f64(c),
    w: f64([0.1, 0.1]),
    data: { inner: { q: f64([1, 4]) }, outer: [] },
  });

  test.each(rules)("$name: its own derivative at the bound", async (rule) => {
    // dE/dC = Σ (C − 1) over the weights at the bound.
    for (const [c, a, slope] of [
      [0.5, [0.5, 0.25], -0.5],
      [0.1, [0.1, 0.1], -1.8],
      [2, [1, 0.25], 0],
    ] as const) {
      const { w, gradient, report } = await hypergradient(dual, { rule, ...place(c) });
      expectClose(flat(w), [...a], 1e-12);
      expectClose(flat(gradient), [slope], 1e-9);
      expect(report.status, report.sentence).toBe("converged");
      expect(report.sentence).not.toContain("boxWidth");
    }
  });

  test("against central differences", async () => {
    const check = await checkHypergradient(dual, { rule: reverse(confined), ...place(0.5) });
    expect(check.passed, check.sentence).toBe(true);
  });

  test("an empty box holds no solution", async () => {
    const { report } = await hypergradient(dual, { rule: reverse(confined), ...place(-1) });
    expect(report.status).toBe("max-steps");
    expect(report.sentence).toMatch(/^The inner problem is not solved/);
    expect(report.sentence).toContain("boxWidth, a function of the hyperparameters, is -1");
  });

  test("a bound for each leaf, or one for all", async () => {
    const point = { lambda: f64([1, 2]), w: { a: f64([0, 0]), b: f64(0) }, data: none };
    const run = async (projection: ReturnType<typeof box>) => {
      const rule = reverse({ ...confined, projection });
      const { w, gradient } = await hypergradient(twoLeaves, { rule, ...point });
      return [...flat(w), ...flat(gradient)];
    };
    // a goes up to its bound, b down to its own.
    const each = box({
      upper: (l: np.Array) => ({ a: l, b: l.slice(0) }),
      lower: (l: np.Array) => ({ a: l.mul(-1), b: l.slice(1).mul(-0.5) }),
    });
    expectClose(await run(each), [1, 2, -1, 1, 1 - 1], 1e-12);
    const one = box({ upper: (l: np.Array) => l.slice(1), lower: -1 });
    expectClose(await run(one), [2, 2, -1, 0, 2], 1e-12);
  });

  test("what does not fit is refused in a sentence", async () => {
    const wrong = (upper: (l: np.Array) => never) =>
      hypergradient(dual, {
        rule: reverse({ ...confined, projection: box({ upper }) }),
        ...place(1),
      });
    await expect(wrong((l) => np.stack([l, l, l]) as never)).rejects.toThrow(
      "box: upper must return a scalar or an array of the weights' shape [2]; [3] came",
    );
    await expect(wrong((l) => [l, l] as never)).rejects.toThrow(
      "box: upper must return one array, or a tree like the weights with 1 leaves; a tree with 2 came",
    );
    expect(() => box({ upper: "1" as never })).toThrow(
      "box: upper must be a number or a function of the hyperparameters; 1 came",
    );
    const leader = solve(scalar, {
      ...at(0.1, reverse({ steps: 2, dynamics: gradientDescent({ learningRate: 0.1 }) })),
      optimizer: still,
      constraints: box({ upper: (l: np.Array) => l }),
    });
    await expect(Promise.resolve(leader)).rejects.toThrow("which only a follower's projection has");
  });
});
