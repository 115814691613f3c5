/**
 * Random quadratic problems L = ½wᵀGw − wᵀCλ, E = ½‖w − c‖² + ½‖λ‖² with n weights and m ≠ n hyperparameters, whose
 * penalized, aggregated and truncated forms dense linear algebra solves exactly.
 */
import { numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  bda,
  f2sa,
  gradientPenalty,
  iaptt,
  reverse,
  slBamm,
  valuePenalty,
} from "../../src/bilevel/rules/index.ts";
import {
  bilevel,
  disposePrograms,
  exponentialDecay,
  gradientDescent,
  hypergradient,
  solve,
  type Rule,
} from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import * as dense from "./dense.ts";
import { leavesOf } from "./descend.ts";
import { f64 } from "./problems.ts";

const [n, m] = [3, 2];
const number = fc.double({ min: -1, max: 1, noNaN: true, noDefaultInfinity: true });
const matrix = (rows: number, columns: number): fc.Arbitrary<dense.Matrix> =>
  fc.array(fc.array(number, { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });
const instance = fc.record({
  factor: matrix(n, n),
  cross: matrix(n, m),
  lambda: matrix(1, m),
  target: matrix(1, n),
  start: matrix(1, n),
});
type Instance = typeof instance extends fc.Arbitrary<infer T> ? T : never;

const problem = bilevel({
  inner: (w: np.Array, lambda: np.Array, d: { g: np.Array; c: np.Array }) =>
    np
      .dot(w, np.dot(d.g, w))
      .mul(0.5)
      .sub(np.dot(w, np.dot(d.c, lambda))),
  outer: (w: np.Array, lambda: np.Array, target: np.Array) =>
    np
      .sum(np.square(w.sub(target)))
      .add(np.sum(np.square(lambda)))
      .mul(0.5),
});
afterAll(() => disposePrograms(problem));

/** G = I + FFᵀ/3 with eigenvalues from 1 to 4. */
const hessian = ({ factor }: Instance): dense.Matrix =>
  dense.add(dense.identity(n), dense.multiply(factor, dense.transpose(factor)), 1 / 3);

function pointOf(drawn: Instance) {
  return {
    lambda: f64(drawn.lambda[0]!),
    w: f64(drawn.start[0]!),
    data: { inner: { g: f64(hessian(drawn)), c: f64(drawn.cross) }, outer: f64(drawn.target[0]!) },
  };
}

async function expectGradient(
  drawn: Instance,
  rule: Rule,
  expected: readonly number[],
  tolerance: number,
): Promise<void> {
  const { gradient } = await hypergradient(problem, { rule, ...pointOf(drawn) });
  for (const [i, g] of leavesOf(gradient).entries()) {
    expect(Math.abs(g - expected[i]!), `${g} against ${expected[i]}`).toBeLessThan(tolerance);
  }
}

const property = (check: (drawn: Instance) => Promise<void>, numRuns = 25): Promise<void> =>
  fc.assert(fc.asyncProperty(instance, check), { numRuns, seed: 20 }) as Promise<void>;

const plus = (a: number[], b: number[], scale: number): number[] =>
  a.map((v, i) => v + scale * b[i]!);

const gamma = 7;

test("the value gap's gradient is λ + γCᵀ(z − y), z = G⁻¹Cλ, y = (I + γG)⁻¹(c + γCλ)", async () => {
  const rules = [
    valuePenalty({ penalty: gamma, steps: 200, learningRate: 0.4 }),
    f2sa({
      multiplier: gamma,
      increment: 0,
      steps: 200,
      learningRate: 0.4 / (1 + gamma),
      valueLearningRate: 0.4,
    }),
  ];
  await property(async (drawn) => {
    const g = hessian(drawn);
    const right = dense.apply(drawn.cross, drawn.lambda[0]!);
    const z = dense.solveDense(g, right);
    const penalized = dense.add(dense.identity(n), g, gamma);
    const y = dense.solveDense(penalized, plus(drawn.target[0]!, right, gamma));
    const toLeader = dense.apply(dense.transpose(drawn.cross), dense.subtract(z, y));
    for (const rule of rules) {
      await expectGradient(drawn, rule, plus(drawn.lambda[0]!, toLeader, gamma), 1e-10);
    }
  });
});

test("the gradient penalty's is λ − 2γCᵀ(Gy − Cλ), y = (I + 2γG²)⁻¹(c + 2γGCλ)", async () => {
  const rule = gradientPenalty({ penalty: gamma, steps: 400, learningRate: 0.05 });
  await property(async (drawn) => {
    const g = hessian(drawn);
    const right = dense.apply(drawn.cross, drawn.lambda[0]!);
    const penalized = dense.add(dense.identity(n), dense.multiply(g, g), 2 * gamma);
    const y = dense.solveDense(penalized, plus(drawn.target[0]!, dense.apply(g, right), 2 * gamma));
    const slope = dense.subtract(dense.apply(g, y), right);
    const toLeader = dense.apply(dense.transpose(drawn.cross), slope);
    await expectGradient(drawn, rule, plus(drawn.lambda[0]!, toLeader, -2 * gamma), 1e-10);
  });
});

test("aggregated steps are those of the mixed matrices", async () => {
  const [steps, s] = [6, 0.2];
  const share = (t: number): number => 0.6 * 0.8 ** t;
  const rule = bda({
    steps,
    dynamics: gradientDescent({ learningRate: s }),
    aggregation: exponentialDecay({ initial: 0.6, rate: 0.8 }),
  });
  await property(async (drawn) => {
    const g = hessian(drawn);
    const lambda = drawn.lambda[0]!;
    // w ← w − s[ρ(w − c) + (1 − ρ)(Gw − Cλ)] and Z ← (I − s[ρI + (1 − ρ)G])Z + s(1 − ρ)C.
    let w = drawn.start[0]!;
    let z: dense.Matrix = drawn.cross.map((row) => row.map(() => 0));
    for (let t = 0; t < steps; t++) {
      const rho = share(t);
      const inner = dense.subtract(dense.apply(g, w), dense.apply(drawn.cross, lambda));
      const outer = dense.subtract(w, drawn.target[0]!);
      const mixed = dense.add(dense.identity(n, 1 - s * rho), g, -s * (1 - rho));
      z = dense.add(dense.multiply(mixed, z), drawn.cross, s * (1 - rho));
      w = plus(plus(w, outer, -s * rho), inner, -s * (1 - rho));
    }
    const toOuter = dense.subtract(w, drawn.target[0]!);
    const expected = plus(lambda, dense.apply(dense.transpose(z), toOuter), 1);
    await expectGradient(drawn, rule, expected, 1e-12);
  });
});

test("without truncation, IAPTT's derivative is reverse mode's; with it, that of some number of steps", async () => {
  const dynamics = gradientDescent({ learningRate: 0.2 });
  const auxiliary = gradientDescent({ learningRate: 0.1 });
  const steps = 5;
  const whole = reverse({ steps, dynamics });
  const parts = Array.from({ length: steps }, (_, j) => reverse({ steps: j + 1, dynamics }));
  await property(async (drawn) => {
    const at = pointOf(drawn);
    const all = await hypergradient(problem, { rule: whole, ...at });
    const untruncated = iaptt({ steps, dynamics, auxiliary, truncation: "none" });
    await expectGradient(drawn, untruncated, leavesOf(all.gradient), 1e-13);
    const values = [];
    for (const rule of parts) values.push((await hypergradient(problem, { rule, ...at })).value);
    const numbers = values.map((value: Tensor) => value.item());
    const worst = numbers.indexOf(Math.max(...numbers));
    const cut = await hypergradient(problem, { rule: parts[worst]!, ...at });
    await expectGradient(
      drawn,
      iaptt({ steps, dynamics, auxiliary }),
      leavesOf(cut.gradient),
      1e-13,
    );
  }, 6);
});

test("the single loop's fixed point solves the aggregated system", async () => {
  const mu = 0.2;
  const rule = slBamm({ aggregation: mu, learningRate: 0.3, auxiliaryLearningRate: 0.3 });
  await property(async (drawn) => {
    const g = hessian(drawn);
    const lambda = drawn.lambda[0]!;
    const mixed = dense.add(dense.identity(n, mu), g, 1 - mu);
    const right = dense.apply(drawn.cross, lambda);
    const y = dense.solveDense(
      mixed,
      right.map((v, i) => (1 - mu) * v + mu * drawn.target[0]![i]!),
    );
    const v = dense.solveDense(mixed, dense.subtract(y, drawn.target[0]!));
    const expected = plus(lambda, dense.apply(dense.transpose(drawn.cross), v), 1 - mu);
    const run = solve(problem, {
      rule,
      optimizer: gradientDescent({ learningRate: 1e-300 }),
      ...pointOf(drawn),
      budget: { steps: 150 },
      innerValue: false,
    });
    let found: number[] = [];
    for await (const { gradient } of run) found = leavesOf(gradient);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 9);
  }, 8);
});
