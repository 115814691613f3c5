/** Constrained leaders against closed-form optima with their multipliers, and where no point is feasible. */
import { numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test } from "vitest";
import {
  adam,
  augmentedLagrangian,
  bilevel,
  box,
  gradientDescent,
  type AugmentedLagrangianOptions,
  type Problem,
} from "../../src/bilevel/index.ts";
import { implicit, reverse } from "../../src/bilevel/rules/index.ts";
import { dense } from "../../src/linear/index.ts";
import { apply, multiply, solveDense, transpose, type Matrix } from "./dense.ts";
import { expectClose, flat } from "./evaluate.ts";
import { f64, planeQuadratic } from "./problems.ts";

const TARGET = [2, -1, 0.5];

/** w(λ) = λ, E = ½‖w − a‖²: what is left of E's minimum under constraints is plain geometry. */
const nearest = bilevel({
  inner: (w: np.Array, lambda: np.Array) => np.sum(np.square(w.sub(lambda))).mul(0.5),
  outer: (w: np.Array, _lambda: np.Array, a: np.Array) => np.sum(np.square(w.sub(a))).mul(0.5),
}) as Problem;

const common = {
  rule: implicit({
    solver: dense(),
    steps: 1,
    dynamics: gradientDescent({ learningRate: 1 }),
  }),
  optimizer: gradientDescent({ learningRate: 0.2 }),
  lambda: f64([0, 0, 0]),
  w: f64([0, 0, 0]),
  data: { inner: [], outer: f64(TARGET) },
  budget: { steps: 400 },
  penalty: 1,
  tolerance: 1e-9,
  constraintTolerance: 1e-8,
  innerValue: false,
} satisfies AugmentedLagrangianOptions;

/** No solve keeps the λ of its caller. */
afterEach(() => expect([...common.lambda.data]).toEqual([0, 0, 0]));

describe("a budget on λ", () => {
  const within =
    (budget: number) =>
    (_w: np.Array, lambda: np.Array): np.Array =>
      np.sum(lambda).sub(budget);

  test("that binds: λ = a − μ with μ = (Σa − b)/n", async () => {
    const result = await augmentedLagrangian(nearest, { ...common, inequalities: within(0.6) });
    const mu = (1.5 - 0.6) / 3;
    expect(result.status, result.sentence).toBe("converged");
    expectClose(
      flat(result.lambda),
      TARGET.map((a) => a - mu),
      1e-7,
    );
    expectClose([...result.multipliers.inequalities], [mu], 1e-7);
    expect(result.multipliers.equalities).toEqual([]);
    expect(Math.abs(result.value - (3 * mu ** 2) / 2)).toBeLessThan(1e-7);
    expect(result.violation).toBeLessThanOrEqual(1e-8);
    // Each update divides what is missing by 1 + ρ‖∇p‖² = 4.
    const [first, second, third] = result.updates.map(({ violation }) => violation);
    expect(second! / first!).toBeCloseTo(1 / 4, 5);
    expect(third! / second!).toBeCloseTo(1 / 4, 5);
    const solves = result.updates.reduce((sum, { steps }) => sum + steps + 1, 0);
    expect(result.cost.crossProducts).toBe(solves);
  });

  test("that does not bind costs nothing and has no multiplier", async () => {
    const result = await augmentedLagrangian(nearest, { ...common, inequalities: within(5) });
    expect(result.status, result.sentence).toBe("converged");
    expectClose(flat(result.lambda), TARGET, 1e-7);
    expect(result.multipliers.inequalities).toEqual([0]);
    expect(result.updates.length).toBe(1);
  });

  test("beside a projection, in float32 with an adaptive optimizer", async () => {
    const result = await augmentedLagrangian(nearest, {
      ...common,
      lambda: new Float32Array([0, 0, 0]),
      w: new Float32Array([0, 0, 0]),
      data: { inner: [], outer: new Float32Array(TARGET) },
      optimizer: adam({ learningRate: 0.05 }),
      constraints: box({ lower: 0 }),
      inequalities: within(1.5),
      growth: 2,
      tolerance: 1e-4,
      constraintTolerance: 1e-4,
    });
    // a without its negative element, (2, 0, 0.5), less (2.5 − 1.5)/2 where it is positive.
    expect(result.status, result.sentence).toBe("converged");
    expectClose(flat(result.lambda), [1.5, 0, 0], 2e-3);
    expectClose([...result.multipliers.inequalities], [0.5], 2e-3);
  });
});

test("a constraint on the follower's answer: its part of the hypergradient comes from the rule", async () => {
  // E = ½‖Mx − c‖² + 0.05‖x‖² subject to 1ᵀMx = 1 and (Mx)_0 ≤ 0.5, y = Mx the answer.
  const { a, b } = planeQuadratic.data.inner as unknown as Record<
    "a" | "b",
    { toNested(): Matrix }
  >;
  const columns = transpose(b.toNested()).map((_, j) =>
    solveDense(
      a.toNested(),
      transpose(b.toNested()).map((row) => row[j]!),
    ),
  );
  const m = transpose(columns);
  const gram = multiply(transpose(m), m);
  const sums = apply(transpose(m), [1, 1]);
  const first = m[0]!;
  const kkt = [
    [gram[0]![0]! + 0.1, gram[0]![1]!, sums[0]!, first[0]!],
    [gram[1]![0]!, gram[1]![1]! + 0.1, sums[1]!, first[1]!],
    [sums[0]!, sums[1]!, 0, 0],
    [first[0]!, first[1]!, 0, 0],
  ];
  const [x0, x1, nu, mu] = solveDense(kkt, [...apply(transpose(m), [1, -1]), 1, 0.5]);
  expect(mu).toBeGreaterThan(0);

  const result = await augmentedLagrangian(planeQuadratic.problem, {
    rule: reverse({ steps: 60, dynamics: gradientDescent({ learningRate: 0.4 }) }),
    optimizer: gradientDescent({ learningRate: 0.25 }),
    lambda: planeQuadratic.lambda,
    w: planeQuadratic.w,
    data: planeQuadratic.data,
    equalities: (y: np.Array) => np.sum(y).sub(1),
    inequalities: (y: np.Array) => y.slice([0, 1]).sub(0.5),
    penalty: 4,
    budget: { steps: 300 },
    tolerance: 1e-8,
    constraintTolerance: 1e-7,
    innerValue: false,
  });
  expect(result.status, result.sentence).toBe("converged");
  expectClose(flat(result.lambda), [x0!, x1!], 1e-6);
  expectClose([...result.multipliers.equalities], [nu!], 1e-6);
  expectClose([...result.multipliers.inequalities], [mu!], 1e-6);
});

test("constraints that contradict each other end as infeasible, in words", async () => {
  const result = await augmentedLagrangian(nearest, {
    ...common,
    // λ_0 ≥ 1 and λ_0 ≤ 0
    inequalities: (_w: np.Array, lambda: np.Array) => {
      const head = lambda.slice([0, 1]);
      return np.concatenate([head.mul(-1).add(1), head]);
    },
  });
  expect(result.status).toBe("infeasible");
  expect(result.sentence).toMatch(/No feasible point was found: .* leaves 0\.5\./);
  expect(Math.abs(result.violation - 0.5)).toBeLessThan(0.02);
  expect(result.updates.length).toBeLessThan(30);
});

test("a penalty that is too small for the updates is not called infeasible", async () => {
  const slow = { ...common, penalty: 1e-4, updates: 8, budget: { steps: 60 } };
  const result = await augmentedLagrangian(nearest, {
    ...slow,
    inequalities: (_w: np.Array, lambda: np.Array) => np.sum(lambda).sub(0.6),
  });
  expect(result.status).toBe("max-steps");
  expect(result.sentence).toContain("Raise updates or the penalty");
});

test("a leader that diverges ends the sequence", async () => {
  const result = await augmentedLagrangian(nearest, {
    ...common,
    penalty: 100,
    equalities: (_w: np.Array, lambda: np.Array) => np.sum(lambda).sub(0.6),
  });
  expect(result.status).toBe("diverged");
  expect(result.sentence).toContain("Solve 1 of the sequence ended it");
});

test("a cancelled sequence says so, with an init and before its first step", async () => {
  const problem = bilevel({ ...nearest, init: (lambda: np.Array) => lambda.mul(0) }) as Problem;
  const result = await augmentedLagrangian(problem, {
    ...common,
    signal: AbortSignal.abort(),
    inequalities: (w: np.Array) => np.sum(w),
  });
  expect(result.status).toBe("cancelled");
  expect(result.violation).toBeNaN();
  expect(result.updates.map(({ steps }) => steps)).toEqual([0]);
});

test("an outer objective that is not finite ends the sequence", async () => {
  const result = await augmentedLagrangian(nearest, {
    ...common,
    data: { inner: [], outer: f64([Number.NaN, 0, 0]) },
    inequalities: (w: np.Array) => np.sum(w),
  });
  expect(result.status).toBe("non-finite");
  expect(result.value).toBeNaN();
});

test("misuse is refused in words", async () => {
  const inequalities = (_w: np.Array, lambda: np.Array): np.Array => np.sum(lambda);
  const refused = (options: object): Promise<unknown> =>
    augmentedLagrangian(nearest, { ...common, inequalities, ...options });
  await expect(augmentedLagrangian(nearest, common)).rejects.toThrow("inequalities or equalities");
  await expect(refused({ penalty: 0 })).rejects.toThrow("penalty must be a positive number");
  await expect(refused({ growth: 0.5 })).rejects.toThrow("growth must be a number >= 1");
  await expect(refused({ updates: 1.5 })).rejects.toThrow("updates must be a whole number");
});
