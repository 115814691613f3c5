/** SRBA on finite sums: with one batch or period 1 it is SOBA, else it converges with constant rates. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  minibatches,
  soba,
  solve,
  srba,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { Program } from "../../src/program/index.ts";
import type { Operation } from "../../src/program/ir.ts";
import { leavesOf } from "./descend.ts";
import { f64 } from "./problems.ts";

/** L = mean ½a_i z² − b_i xz, E = mean ½(z − c_j)² + 0.05x². */
const scalar: Problem = bilevel({
  inner: (z: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
    np.mean(d.a.mul(0.5).mul(np.square(z)).sub(d.b.mul(x).mul(z))),
  outer: (z: np.Array, x: np.Array, d: { c: np.Array }) =>
    np
      .mean(np.square(z.sub(d.c)))
      .mul(0.5)
      .add(np.square(x).mul(0.05)),
});
const data = {
  inner: { a: f64([1, 1.5, 2, 2.5, 3, 2]), b: f64([0.5, 1.5, 1.2, 0.3, 0.8, 0.7]) },
  outer: { c: f64([0.4, 1.6, 1.2, 0.8]) },
};
afterAll(() => disposePrograms(scalar));

async function path(rule: Rule, steps: number): Promise<number[]> {
  const run = solve(scalar, {
    rule,
    optimizer: gradientDescent({ learningRate: 0.2 }),
    lambda: f64(0.3),
    w: f64(0.4),
    data,
    budget: { steps },
  });
  const xs: number[] = [];
  for await (const { lambda } of run) xs.push(leavesOf(lambda)[0]!);
  expect((await run).status).toBe("max-steps");
  return xs;
}
const rates = { learningRate: 0.1, auxiliaryLearningRate: 0.15 };
// z = (b̄/ā)x with ā = 2, b̄ = 5/6; 0.1x + (b̄/ā)(z − c̄) = 0 with c̄ = 1.
const slope = 5 / 12;
const optimum = slope / (0.1 + slope ** 2);

test("one batch that is all the data, or period 1: SOBA", async () => {
  const expected = await path(soba(rates), 12);
  for (const options of [
    { size: { inner: 6, outer: 4 }, period: 5 },
    { size: { inner: 2, outer: 1 }, period: 1 },
  ]) {
    const found = await path(srba({ ...rates, ...options }), 12);
    found.forEach((x, k) => expect(x).toBeCloseTo(expected[k]!, 13));
  }
});

test("small batches: its own path, and with constant rates the same solution", async () => {
  const size = { inner: 2, outer: 1 };
  const found = await path(srba({ ...rates, size, period: 8 }), 2000);
  const [plain, other] = [
    await path(soba(rates), 8),
    await path(srba({ ...rates, size, period: 8, seed: 1 }), 8),
  ];
  // The first direction is that of all the data, the next ones are not.
  expect(found[1]).toBeCloseTo(plain[1]!, 15);
  expect(Math.abs(found[7]! - plain[7]!)).toBeGreaterThan(1e-6);
  expect(Math.abs(found[7]! - other[7]!)).toBeGreaterThan(1e-6);
  expect(found.at(-1)).toBeCloseTo(optimum, 11);
});

test("on all the data nothing is computed outside the branch of its step", () => {
  const problem = bilevel({
    inner: (z: np.Array, x: np.Array, d: np.Array) =>
      np.mean(np.square(np.sin(d.mul(z)))).add(np.exp(x).mul(np.square(z))),
    outer: (z: np.Array, _x: np.Array, d: np.Array) => np.mean(np.sin(d.mul(z))),
  });
  const rule = srba({ size: { inner: 3, outer: 2 }, period: 5 });
  const program = new Program();
  const lambda = program.input("lambda", f64(0));
  const w = program.input("w", f64(0));
  const data = {
    inner: program.input("inner", f64(new Float64Array(90))),
    outer: program.input("outer", f64(new Float64Array(70))),
  };
  const state = program.call(rule.init as () => np.Array[], w, lambda);
  program.output("gradient", rule.estimate(program, problem, { lambda, w, state, data }).gradient);
  const sines = (operations: readonly Operation[]): number[] =>
    operations.flatMap((operation) =>
      operation.kind === "apply" && operation.primitive === "sin"
        ? (operation.outputs[0]!.shape as number[])
        : [],
    );
  const { operations } = program.block();
  const bodies = operations.flatMap((op) => (op.kind === "while" ? [op.body.operations] : []));
  expect(sines(operations)).toEqual([]);
  expect(bodies).toHaveLength(2);
  expect(new Set(sines(bodies[0]!))).toEqual(new Set([90]));
  expect(new Set(sines(bodies[1]!))).toEqual(new Set([3]));
});

test("a run that was stopped goes on bit for bit", async () => {
  const run = async (
    change: { resume?: Uint8Array },
    stopAfter = Infinity,
  ): Promise<Uint8Array> => {
    let bytes = new Uint8Array();
    const steps = solve(scalar, {
      rule: srba({ size: { inner: 2, outer: 1 }, period: 4 }),
      optimizer: gradientDescent({ learningRate: 0.2 }),
      lambda: f64(0.3),
      w: f64(0.4),
      data,
      budget: { steps: 14 },
      checkpoint: { everySteps: 100, save: (saved) => void (bytes = Uint8Array.from(saved)) },
      ...change,
    });
    for await (const { step } of steps) if (step === stopAfter) break;
    await steps;
    return bytes;
  };
  const whole = await run({});
  expect(Buffer.compare(await run({ resume: await run({}, 6) }), whole)).toBe(0);
});

test("costs, and what cannot work", async () => {
  const rule = srba({ size: { inner: 2, outer: 2 }, period: 3 });
  const point = { lambda: f64(0.3), w: f64(0.4), data };
  expect((await hypergradient(scalar, { rule, ...point })).report.cost).toEqual({
    innerGradients: 2,
    outerGradients: 2,
    hessianVectorProducts: 2,
    crossProducts: 2,
    storedFloats: 7,
    reportGradients: 0,
  });
  const odd = srba({ size: { inner: 4, outer: 2 }, period: 3 });
  await expect(hypergradient(scalar, { rule: odd, ...point })).rejects.toThrow(
    "srba: the inner data must be arrays that share their first axis, a number of examples that size.inner = 4 divides, and have first axes 6",
  );
  const stacked = minibatches({ data: data.inner, size: 2, perStep: 1 });
  const run = solve(scalar, {
    ...point,
    rule,
    optimizer: gradientDescent({ learningRate: 0.2 }),
    data: { ...data, inner: stacked },
  });
  await expect(run).rejects.toThrow("srba: it draws its own batches");
  expect(() => srba({ size: { inner: 2, outer: 2 }, period: 0 })).toThrow("srba: period must be");
});
