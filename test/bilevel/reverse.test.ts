/** The reverse rule on every problem with every dynamics, against central differences and against itself with checkpoints. */
import { numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test } from "vitest";
import {
  adam,
  boxWithinL1Ball,
  checkHypergradient,
  constant,
  contraction,
  cosineDecay,
  disposePrograms,
  exponentialDecay,
  gradientDescent,
  hypergradient,
  inverseTimeDecay,
  momentum,
  nonNegative,
  simplex,
  box,
  type Dynamics,
  type Optimizer,
  type Projection,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { tree } from "@jax-js/jax";
import type { Tensor } from "../../src/program/index.ts";
import { allCases, type Case } from "./problems.ts";

const cases = allCases();
afterEach(async () => {
  for (const { problem } of cases) await disposePrograms(problem);
});

/** The methods that a follower may use, at the case's learning rate s. */
const dynamics: Record<string, (s: number) => Optimizer | Dynamics> = {
  "gradient descent": (s) => gradientDescent({ learningRate: s }),
  "inverse-time decay": (s) =>
    gradientDescent({ learningRate: inverseTimeDecay({ initial: s, decay: 0.3 }) }),
  "heavy ball": (s) => momentum({ learningRate: s / 2, momentum: 0.6 }),
  nesterov: (s) =>
    momentum({
      learningRate: cosineDecay({ initial: s / 2, steps: 12, final: s / 10 }),
      momentum: constant(0.7),
      nesterov: true,
    }),
  adam: (s) => adam({ learningRate: s / 2, epsilon: 1e-3 }),
  "adam with decay": (s) =>
    adam({
      learningRate: exponentialDecay({ initial: s, rate: 0.5, steps: 5 }),
      beta1: 0.5,
      beta2: 0.9,
      epsilon: 1e-2,
    }),
  "a contraction": (s) =>
    contraction({
      name: "damped step",
      step: (w, gradient) =>
        tree.map((x: np.Array, g: np.Array) => x.sub(np.tanh(g).mul(s)), w, gradient) as np.Array,
    }),
};

const rows = cases.flatMap((c) =>
  Object.keys(dynamics).map((name) => ({ c, name, label: c.name })),
);

const leavesOf = (value: unknown): number[] =>
  tree.leaves<Tensor>(value as Tensor).flatMap((leaf) => [...leaf.data]);

function largestDifference(a: unknown, b: unknown): number {
  const right = leavesOf(b);
  return leavesOf(a).reduce((worst, v, i) => Math.max(worst, Math.abs(v - right[i]!)), 0);
}

const at = (c: Case): Pick<Case, "lambda" | "w" | "data"> => ({
  lambda: c.lambda,
  w: c.w,
  data: c.data,
});

describe.each(rows)("$label, $name", ({ c, name }) => {
  const follower = dynamics[name]!(c.learningRate);

  test("agrees with central differences, whose error falls as h²", async () => {
    const rule = reverse({ steps: 9, dynamics: follower });
    const check = await checkHypergradient(c.problem, { rule, ...at(c) });
    expect(check.passed, check.sentence).toBe(true);
    expect(check.precision).toBe("float64");
    if (check.order !== undefined) expect(check.order).toBeCloseTo(2, 0);
  });

  test("with checkpoints it is the same, to the last bit", async () => {
    const plain = await hypergradient(c.problem, {
      rule: reverse({ steps: 10, dynamics: follower }),
      ...at(c),
    });
    const rule = reverse({ steps: 10, dynamics: follower, checkpoints: "sqrt" });
    const result = await hypergradient(c.problem, { rule, ...at(c) });
    expect(result.value.item()).toBe(plain.value.item());
    expect(largestDifference(result.w, plain.w)).toBe(0);
    expect(largestDifference(result.gradient, plain.gradient)).toBe(0);
  });
});

describe("checkpoints", () => {
  const c = cases[4]!;
  const follower = momentum({ learningRate: 0.2, momentum: 0.5 });

  test.each([1, 2, 7, 8, 9])("any number of steps, here %i, and any distance", async (steps) => {
    const plain = await hypergradient(c.problem, {
      rule: reverse({ steps, dynamics: follower }),
      ...at(c),
    });
    for (const checkpoints of [1, 2, 3, 100, "sqrt"] as const) {
      const rule = reverse({ steps, dynamics: follower, checkpoints });
      const { gradient } = await hypergradient(c.problem, { rule, ...at(c) });
      expect(largestDifference(gradient, plain.gradient)).toBe(0);
    }
  });

  test("the counts follow the formulas", async () => {
    // The state is w (6 numbers in all) and as many of momentum.
    const state = 12;
    const cost = async (steps: number, checkpoints?: "sqrt" | number) => {
      const rule = reverse({ steps, dynamics: follower, ...(checkpoints && { checkpoints }) });
      return (await hypergradient(c.problem, { rule, ...at(c) })).report.cost;
    };
    expect(await cost(16)).toEqual({
      innerGradients: 16,
      hessianVectorProducts: 16,
      crossProducts: 16,
      storedFloats: 16 * state,
      reportGradients: 2,
    });
    // 2√T states for a square T: four starts of segments and four states of one segment.
    expect((await cost(16, "sqrt")).storedFloats).toBe(2 * Math.sqrt(16) * state);
    expect((await cost(16, "sqrt")).innerGradients).toBe(2 * 16);
    // ⌈10/4⌉ = 3 starts and 4 states.
    expect((await cost(10, 4)).storedFloats).toBe((3 + 4) * state);
    expect((await cost(10, 4)).hessianVectorProducts).toBe(10);
    expect((await cost(10, 100)).storedFloats).toBe((1 + 10) * state);
  });
});

describe("projected followers", () => {
  const projections: Projection[] = [
    box({ lower: -0.05, upper: 0.12 }),
    nonNegative(),
    simplex(),
    boxWithinL1Ball({ radius: 0.2, upper: 0.1 }),
  ];
  test.each(projections.map((projection) => ({ projection, label: projection.label })))(
    "$label: right, and inside the set",
    async ({ projection }) => {
      // The softmax regression: a vector of six weights.
      const c = cases[5]!;
      const follower = gradientDescent({ learningRate: c.learningRate });
      const rule = reverse({ steps: 6, dynamics: follower, projection });
      const check = await checkHypergradient(c.problem, { rule, ...at(c) });
      expect(check.passed, check.sentence).toBe(true);
    },
  );
});
