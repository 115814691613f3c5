/** The rules that go to λ through the first weights alone, against closed forms, other rules and differences; and per task. */
import { numpy as np } from "@jax-js/jax";
import { afterEach, describe, expect, test } from "vitest";
import {
  bilevel,
  checkHypergradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  momentum,
  perTask,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import {
  closedForm,
  displacement,
  firstOrder,
  gradientPenalty,
  reverse,
} from "../../src/bilevel/rules/index.ts";
import { tensor } from "../../src/program/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import { expectClose, flat } from "./evaluate.ts";

const f64 = (x: number | number[] | number[][]): Tensor => tensor(x, { dtype: "float64" });

// L = ½ Σ aᵢ(wᵢ − cᵢ)² + ½ e^λ‖w‖², whose solution is wᵢ = aᵢcᵢ/(aᵢ + e^λ); E = ½‖w − t‖² + λ²/2.
type Data = { a: np.Array; c: np.Array };
const inner = (w: np.Array, lambda: np.Array, { a, c }: Data): np.Array =>
  np
    .sum(np.square(w.sub(c)).mul(a))
    .add(np.sum(np.square(w)).mul(np.exp(lambda)))
    .mul(0.5);
const outer = (w: np.Array, lambda: np.Array, t: np.Array): np.Array =>
  np.sum(np.square(w.sub(t))).add(np.square(lambda)).mul(0.5); // prettier-ignore
const [a, c, t] = [[2, 0.5, 1], [1, -1, 2], [0.3, 0.2, 0.1]] as const; // prettier-ignore
const data = { inner: { a: f64([...a]), c: f64([...c]) }, outer: f64([...t]) };
const lambda = f64(0.4);
const e = Math.exp(0.4);

const solved = bilevel({
  inner,
  outer,
  init: (lambda: np.Array, { a, c }: Data) => a.mul(c).div(a.add(np.exp(lambda))),
});
// The first weights are λ·(1, 1, 1).
const copied = bilevel({
  inner,
  outer,
  init: (lambda: np.Array, { c }: Data) => np.onesLike(c).mul(lambda),
});
const used = [solved, copied] as unknown as Problem[];
afterEach(async () => {
  for (const problem of used) await disposePrograms(problem);
});

const dynamics = gradientDescent({ learningRate: 0.2 });
const copy = { lambda, data };

describe("closed form", () => {
  test("is the derivative through the solution that init computes", async () => {
    const { gradient, w, report } = await hypergradient(solved, { rule: closedForm(), ...copy });
    const answer = a.map((x, i) => (x * c[i]!) / (x + e));
    const slope = a.map((x, i) => (-e * x * c[i]!) / (x + e) ** 2);
    expectClose(flat(w), answer, 1e-15);
    const exact = answer.reduce((sum, w, i) => sum + (w - t[i]!) * slope[i]!, 0.4);
    expectClose(flat(gradient), [exact], 1e-14);
    expect(report.status).toBe("converged");
    expect(report.cost).toMatchObject({ innerGradients: 0, storedFloats: 0 });
    expect(report.bound).toMatchObject({ kind: "none" });
  });

  test("agrees with differences of the value", async () => {
    const check = await checkHypergradient(solved, { rule: closedForm(), ...copy });
    expect(check.passed, check.sentence).toBe(true);
  });
});

describe("first order", () => {
  // h = ∇_λ E + Σᵢ (w_T − t)ᵢ, for ∂w₀/∂λ = 1.
  test.each([1, 4])("takes %i steps for the identity", async (steps) => {
    const options = { steps, dynamics };
    const { gradient, w, report } = await hypergradient(copied, {
      rule: firstOrder(options),
      ...copy,
    });
    const exact = await hypergradient(copied, { rule: reverse(options), ...copy });
    const reached = flat(exact.w);
    expectClose(flat(w), reached, 1e-15);
    const expected = reached.reduce((sum, w, i) => sum + w - t[i]!, 0.4);
    expectClose(flat(gradient), [expected], 1e-14);
    expect(Math.abs(flat(exact.gradient)[0]! - expected)).toBeGreaterThan(0.01);
    expect(report.sentence).toContain("biased: it takes the follower's steps for the identity");
    expect(report.cost).toMatchObject({ innerGradients: steps, storedFloats: 3 });
  });
});

describe("displacement", () => {
  test("of one step is the learning rate times the inner gradient at the start", async () => {
    const rule = displacement({ steps: 1, dynamics });
    const { gradient } = await hypergradient(copied, { rule, ...copy });
    const expected = a.reduce((sum, x, i) => sum + 0.2 * (x * (0.4 - c[i]!) + e * 0.4), 0);
    expectClose(flat(gradient), [expected], 1e-14);
  });

  test("is the way back of all weights, and does not see an optimizer's memory", async () => {
    const options = { steps: 5, dynamics: momentum({ learningRate: 0.1, momentum: 0.9 }) };
    const { gradient, w, report } = await hypergradient(copied, {
      rule: displacement(options),
      ...copy,
    });
    const expected = flat(w).reduce((sum, w) => sum + 0.4 - w, 0);
    expectClose(flat(gradient), [expected], 1e-14);
    expect(report.cost.storedFloats).toBe(2 * 6);
  });
});

describe("misuse", () => {
  test.each([
    ["firstOrder", firstOrder],
    ["displacement", displacement],
  ])(
    "%s refuses no steps",
    (name, make: (o: { steps: number; dynamics: typeof dynamics }) => Rule) => {
      expect(() => make({ steps: 0, dynamics })).toThrow(
        `${name}: steps must be a whole number >= 1; 0 came.`,
      );
    },
  );
});

test("per task, the curvature that is reported is the least of the tasks", async () => {
  // L = ½ d·w²: along its gradient the curvature is d, one of them negative.
  const problem = bilevel({
    inner: (w: np.Array, _lambda: np.Array, d: np.Array) => np.sum(np.square(w).mul(d)).mul(0.5),
    outer: (w: np.Array, lambda: np.Array) => np.sum(w).mul(lambda),
  });
  const rule = gradientPenalty({ steps: 1, learningRate: 0.01, penalty: 1 });
  const { report } = await hypergradient(problem, {
    rule: perTask(rule),
    lambda,
    w: f64([[1], [1], [1]]),
    data: { inner: f64([2, -3, 1]), outer: f64([0, 0, 0]) },
  });
  expect(report.measured["curvatureAlongGradient"]).toBeCloseTo(-3, 10);
  expect(report.status).toBe("singular");
  expect(report.sentence).toContain("curves down along its gradient (-3.00e+0)");
  await disposePrograms(problem);
});
