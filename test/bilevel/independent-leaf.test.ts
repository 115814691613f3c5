/**
 * A leaf whose inner gradient does not depend on λ before one that does, in closed form. In float64:
 *
 *     L = (a/2 + b − y)² + (a − 1)² + e^λ b²,   E = (a/2 + b − z)²   at λ = 0, y = 2, z = 3
 *
 * There the answer is a = 4/3, b = 2/3, and dF/dλ = 80/81.
 */
import { numpy as np } from "@jax-js/jax";
import { afterAll, expect, test } from "vitest";
import {
  adam,
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { implicit, implicitKkt, reverse, soba } from "../../src/bilevel/rules/index.ts";
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
import { still } from "./evaluate.ts";
import { f64 } from "./problems.ts";

type W = Record<"a" | "b", np.Array>;
const residual = ({ a, b }: W, y: np.Array): np.Array => np.square(a.mul(0.5).add(b).sub(y));

const plain = {
  inner: (w: W, lambda: np.Array, y: np.Array) =>
    residual(w, y)
      .add(np.square(w.a.sub(1)))
      .add(np.exp(lambda).mul(np.square(w.b))),
  outer: (w: W, _lambda: np.Array, z: np.Array) => residual(w, z),
};
const problem = bilevel(plain) as Problem;
/** e^λ comes from `prepare`, after a constant and a leaf that stays as it is. */
const prepared = bilevel({
  prepare: (lambda: np.Array, y: np.Array) => ({ one: np.onesLike(y), y, weight: np.exp(lambda) }),
  inner: (w: W, _lambda: np.Array, d: Record<"one" | "y" | "weight", np.Array>) =>
    residual(w, d.y)
      .add(np.square(w.a.sub(d.one)))
      .add(d.weight.mul(np.square(w.b))),
  outer: (w: W, _lambda: np.Array, d: { y: np.Array }) => residual(w, d.y),
} as never) as Problem;

const point = {
  lambda: f64(0),
  w: { a: f64(0), b: f64(0) },
  data: { inner: f64(2), outer: f64(3) },
};
const steps = 500;
const dynamics = gradientDescent({ learningRate: 0.1 });
const by = (solver: LinearSolver): Rule => implicit({ solver, steps, dynamics });
const EXACT = 80 / 81;

const rules: readonly [string, Rule][] = [
  ["reverse", reverse({ steps, dynamics })],
  ["conjugate gradients", by(conjugateGradient({ maxSteps: 10 }))],
  ["MINRES", by(minres({ maxSteps: 10 }))],
  ["LU", by(dense())],
  ["Neumann's series", by(neumann({ step: 0.1, maxSteps: 400 }))],
  ["Nyström", by(nystrom({ rank: 2, rho: 1e-6 }))],
  ["fixed point", by(fixedPoint({ maxSteps: 500 }))],
  [
    "normal equations through momentum",
    implicit({
      solver: conjugateGradientNormal({ maxSteps: 50 }),
      through: "dynamics",
      steps,
      dynamics: momentum({ learningRate: 0.05, momentum: 0.5 }),
    }),
  ],
  // An inequality that is far from active.
  ["KKT", implicitKkt({ inequalities: (w: W) => w.b.sub(100), penalty: 1, steps, dynamics })],
];

afterAll(async () => {
  await disposePrograms(problem);
  await disposePrograms(prepared);
});

test.each(rules)("%s: 80/81, through prepare too", async (name, rule) => {
  for (const form of [problem, prepared]) {
    const { gradient, w } = await hypergradient(form, { rule, ...point });
    // The series and the adjoint of 500 steps are off by some 1e-10, Nyström's method by its damping.
    expect((gradient as Tensor).item()).toBeCloseTo(EXACT, name === "Nyström" ? 5 : 8);
    expect((w as Record<"a" | "b", Tensor>).b.item()).toBeCloseTo(2 / 3, 8);
  }
});

test("a single loop at rest: 80/81", async () => {
  const options = { optimizer: still, budget: { steps: 300 }, innerValue: false };
  for (const form of [problem, prepared]) {
    const run = solve(form, { rule: soba({ learningRate: 0.1 }), ...point, ...options });
    let last = NaN;
    for await (const { gradient } of run) last = (gradient as Tensor).item();
    await run;
    expect(last).toBeCloseTo(EXACT, 8);
  }
});

test("through Adam: reverse agrees with central differences of its own value", async () => {
  const rule = reverse({ steps: 8, dynamics: adam({ learningRate: 0.05 }) });
  const at = async (lambda: number): Promise<{ value: number; gradient: number }> => {
    const result = await hypergradient(problem, { rule, ...point, lambda: f64(lambda) });
    return { value: result.value.item(), gradient: (result.gradient as Tensor).item() };
  };
  const h = 1e-3;
  const [ahead, behind, here] = [await at(h), await at(-h), await at(0)];
  // The error is h²/6 times a third derivative of order 1.
  expect(here.gradient).toBeCloseTo((ahead.value - behind.value) / (2 * h), 5);
});
