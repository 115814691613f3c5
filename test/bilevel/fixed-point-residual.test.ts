/** Contractions are judged by ‖Φ(w) − w‖: where a proximal map rests the inner gradient does not vanish. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, expect, test } from "vitest";
import {
  advise,
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  implicit,
  reverse,
  solve,
  tensor,
} from "../../src/index.ts";
import { contraction } from "../../src/bilevel/index.ts";
import { fixedPoint } from "../../src/linear/index.ts";
import { expectClose, flat, still } from "./evaluate.ts";
import { f64 } from "./small-problems.ts";

/** The lasso ½‖w − b‖² + λ‖w‖₁ by iterative soft thresholding of step ½; L is its smooth part. */
const lasso = bilevel({
  inner: (w: np.Array, _: np.Array, { b }: { b: np.Array }) => np.sum(np.square(w.sub(b))).mul(0.5),
  outer: (w: np.Array, _: np.Array, { v }: { v: np.Array }) => np.sum(np.square(w.sub(v))).mul(0.5),
});
afterAll(() => disposePrograms(lasso));
const soft = (z: np.Array, k: np.Array): np.Array =>
  np.maximum(z.sub(k), 0).sub(np.maximum(z.mul(-1).sub(k), 0));
const shrink = (step: number) =>
  contraction({
    name: "ista",
    step: (w: np.Array, g: np.Array, l: np.Array) => soft(w.sub(g.mul(step)), l.mul(step)),
  });
const data = { inner: { b: f64([3, 0.2, -2]) }, outer: { v: f64([2, 1, -1]) } };
const unrolled = reverse({ steps: 80, dynamics: shrink(0.5) });
const rules = [
  unrolled,
  implicit({ solver: fixedPoint({ maxSteps: 200 }), steps: 80, dynamics: shrink(0.5) }),
];

test.each(rules)("$name: solved at the map's fixed point, in either regime", async (rule) => {
  for (const [lambda, answer, slope] of [
    [0.5, [2.5, 0, -1.5], -1],
    [5, [0, 0, 0], 0],
  ] as const) {
    const { w, gradient, report } = await hypergradient(lasso, {
      rule,
      lambda: f64(lambda),
      w: f64([0, 0, 0]),
      data,
    });
    expectClose(flat(w), [...answer], 1e-12);
    expectClose(flat(gradient), [slope], 1e-9);
    expect(report.status, report.sentence).toBe("converged");
    expect(report.sentence).toContain("The inner problem is solved: its residual ‖Φ(w) − w‖");
    // The gradient of the smooth part is λ there, and is still reported as what it is.
    expect(report.innerGradientNorm).toBeGreaterThan(0.5);
  }
});

test("few steps, and steps so small that their residual is too, solve nothing", async () => {
  const place = { lambda: f64(0.5), w: f64([0, 0, 0]), data };
  const few = await hypergradient(lasso, {
    ...place,
    rule: reverse({ steps: 3, dynamics: shrink(0.5) }),
  });
  expect(few.report.status).toBe("max-steps");
  // ‖Φ(w) − w‖ is some 3e-9 at w = 0, far from the answer.
  const tiny = await hypergradient(lasso, {
    ...place,
    rule: reverse({ steps: 50, dynamics: shrink(1e-9) }),
  });
  expect(tiny.report.measured["fixedPointResidual"]).toBeLessThan(1e-8);
  expect(tiny.report.status, tiny.report.sentence).toBe("max-steps");
  expect(tiny.report.sentence).toContain("(residual ‖Φ(w) − w‖");
});

test.each(["float64", "float32"] as const)(
  "%s: a warm start at the fixed point stays solved",
  async (dtype) => {
    const all = (values: number[] | number) => tensor(values, { dtype });
    const run = solve(lasso, {
      rule: unrolled,
      optimizer: still,
      lambda: all(0.5),
      w: all([0, 0, 0]),
      data: { inner: { b: all([3, 0.2, -2]) }, outer: { v: all([2, 1, -1]) } },
      budget: { steps: 3 },
    });
    for await (const { report } of run) expect(report.status, report.sentence).toBe("converged");
  },
);

test("a map that leads away diverges", async () => {
  const away = contraction({
    name: "away",
    step: (w: np.Array, g: np.Array) => w.sub(g.mul(3)),
  });
  const { report } = await hypergradient(lasso, {
    rule: reverse({ steps: 40, dynamics: away }),
    lambda: f64(0.5),
    w: f64([0, 0, 0]),
    data,
  });
  expect(report.status).toBe("diverged");
  expect(report.sentence).toContain("its residual ‖Φ(w) − w‖ grew to");
});

test("the adviser takes it for solved too, and optimizers keep the gradient's norm", async () => {
  const place = { lambda: f64(0.5), w: f64([0, 0, 0]), data };
  const advice = await advise(lasso, { ...place, steps: 80, dynamics: shrink(0.5), starts: 3 });
  expect(advice.isSolved, advice.sentence).toBe(true);
  const plain = reverse({ steps: 80, dynamics: gradientDescent({ learningRate: 0.5 }) });
  const { report } = await hypergradient(lasso, { ...place, rule: plain });
  expect(report.measured["fixedPointResidual"]).toBeUndefined();
  expect(report.sentence).toContain("its gradient norm fell");
});
