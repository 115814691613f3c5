/** VRBO: on all the data it is StocBiO, on batches it is its recursion written out, and with constant rates it converges. */
import { numpy as np } from "@jax-js/jax";
import { afterAll, describe, expect, test } from "vitest";
import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  minibatches,
  solve,
  type Problem,
  type Rule,
} from "../../src/bilevel/index.ts";
import { stocBio, vrbo } from "../../src/bilevel/rules/index.ts";
import { drawBatches } from "../../src/bilevel/rules/stochastic/own-batches.ts";
import { Program, tensor, type Tensor } from "../../src/program/index.ts";
import type { Value } from "../../src/program/ir.ts";
import { descend, leavesOf } from "./descend.ts";
import { scalarPath, scalarPoint, scalarSum, stoppedAndWhole, terms } from "./finite-sum.ts";
import { f64, planeQuadratic, representation } from "./problems.ts";
import { sinesByBranch } from "./branches.ts";

const { problem, data } = planeQuadratic;
const learned = representation();
afterAll(async () => {
  for (const p of [problem, scalarSum, learned.problem]) await disposePrograms(p as Problem);
});
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

describe("batches that are all the data", () => {
  // The arrays of P2 have two rows each.
  const whole = { size: { inner: 2, outer: 2 }, period: 3 };
  const descent = async (rule: Rule, steps: number, rate: number, x = [1, 1]): Promise<number[]> =>
    (await descend(problem, { rule, rate, steps, lambda: f64(x), w: f64([0.4, -0.3]), data })).x;

  test("P2: the first step at the start, then stocBio's from there", async () => {
    const options = { learningRate: 0.2, steps: 4, products: 3, seriesStep: 0.15 };
    const first = await descent(vrbo({ ...options, ...whole }), 1, 0.05);
    const found = await descent(vrbo({ ...options, ...whole }), 8, 0.05);
    const expected = await descent(stocBio(options), 7, 0.05, first);
    expect(distance(found, expected)).toBeLessThan(1e-14);
    expect(distance(found, first)).toBeGreaterThan(0.01);
    // h(x₀, z₀) with z₀ = (0.4, −0.3): the answer has not moved.
    const still = await descent(stocBio({ ...options, learningRate: 1e-300 }), 1, 0.05);
    expect(distance(first, still)).toBeLessThan(1e-15);
  });

  const optimum = [1.3766566908935443, -0.5515177426250534];
  test("P2, 11 terms: it rests at the truncated series' own solution", async () => {
    const x = await descent(vrbo({ ...whole, learningRate: 0.2, steps: 3 }), 450, 0.2);
    expect(distance(x, [1.36345963, -0.53574527])).toBeLessThan(1e-8);
    expect(distance(x, optimum)).toBeCloseTo(0.0158, 4);
  });

  test("P2, 101 terms: 2.4e-9 beside the solution", async () => {
    const x = await descent(
      vrbo({ ...whole, learningRate: 0.2, steps: 2, products: 100 }),
      450,
      0.2,
    );
    expect(distance(x, optimum)).toBeCloseTo(2.4584e-9, 12);
  });

  test("a learned representation: derivatives flow through `prepare`", async () => {
    const { lambda, w, data, learningRate } = learned;
    const common = { learningRate, steps: 4, products: 5 };
    const direction = async (rule: Rule): Promise<number[]> => {
      const run = solve(learned.problem, {
        rule,
        optimizer: gradientDescent({ learningRate: 1e-300 }),
        lambda,
        w,
        data,
        budget: { steps: 3 },
        innerValue: false,
      });
      let last: number[] = [];
      for await (const { gradient } of run) last = leavesOf(gradient);
      return last;
    };
    // After 12 steps of the answer, and between two evaluations on all the data.
    const found = await direction(vrbo({ ...common, size: { inner: 7, outer: 5 }, period: 5 }));
    const expected = await direction(stocBio({ ...common, steps: 3 }));
    expect(distance(found, expected)).toBeLessThan(1e-12 * Math.max(...expected.map(Math.abs)));
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.1);
  });
});

describe("batches", () => {
  const rates = { learningRate: 0.1, seriesStep: 0.12 };
  const size = { inner: 2, outer: 1 };
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, x) => sum + x, 0) / values.length;

  /** The rows of batches of outer step k. */
  async function rowsAt(k: number, draws: { rows: number; inner: number }): Promise<number[][]> {
    const program = new Program();
    const input = (name: string, x: Tensor): Value => program.input(name, x) as Value;
    const { inner, outer } = scalarPoint.data;
    const w = input("w", scalarPoint.w);
    const point = {
      lambda: w,
      w,
      state: [],
      data: {
        inner: { a: input("a", inner.a), b: input("b", inner.b) },
        outer: { c: input("c", outer.c) },
      },
    };
    const step = input("k", tensor(k, { dtype: "int32" }));
    const { rows } = drawBatches(program, "test", point, { size, seed: 7, ...draws }, step);
    program.output("rows", rows);
    const executable = await program.compile();
    const inputs = { w: scalarPoint.w, ...inner, ...outer, k: tensor(k, { dtype: "int32" }) };
    const { data } = (await executable.run(inputs)).rows as Tensor;
    await executable.dispose();
    return Array.from({ length: draws.rows }, (_, t) => [
      ...data.slice(t * (draws.inner + 1), (t + 1) * (draws.inner + 1)),
    ]);
  }

  test("the recursion, written out with the same batches", async () => {
    const [steps, products, period] = [2, 3, 3];
    const options = { ...rates, steps, products, size, period, seed: 7 };
    const found = await scalarPath(vrbo(options), 7);

    type Batches = { a: number[]; b: number[]; c: number };
    const batches = (row: number[]): Batches => {
      const of = (all: number[]): number[] =>
        row.slice(0, -1).map((i) => mean(all.slice(2 * i, 2 * i + 2)));
      return { a: of(terms.a), b: of(terms.b), c: terms.c[row.at(-1)!]! };
    };
    const f = (x: number, z: number, { a, b }: Batches): number => a[0]! * z - b[0]! * x;
    const g = (x: number, z: number, { a, b, c }: Batches): number => {
      let p = z - c;
      let sum = p;
      for (const each of a.slice(1)) sum += p *= 1 - rates.seriesStep * each;
      return 0.1 * x + rates.seriesStep * sum * b.at(-1)!;
    };
    const all: Batches = {
      a: new Array<number>(1 + products).fill(mean(terms.a)),
      b: new Array<number>(1 + products).fill(mean(terms.b)),
      c: mean(terms.c),
    };
    let [x, z, d, h] = [0.3, 0.4, 0, 0];
    let old = { x, z };
    const seen = new Set<string>();
    for (let k = 0; k < 7; k++) {
      const rows = await rowsAt(k, { rows: steps + 1, inner: 1 + products });
      for (const [t, row] of rows.entries()) {
        if (t > 0) z -= rates.learningRate * d;
        const batch = batches(row);
        d += f(x, z, batch) - f(old.x, old.z, batch);
        h += g(x, z, batch) - g(old.x, old.z, batch);
        old = { x, z };
        row.forEach((i, column) => seen.add(`${column === 1 + products ? "outer" : "inner"} ${i}`));
      }
      if (k % period === 0) [d, h] = [f(x, z, all), g(x, z, all)];
      expect(found[k]).toBeCloseTo(x, 14);
      x -= 0.2 * h;
    }
    // Every one of the 3 + 4 batches was drawn.
    expect(seen.size).toBe(7);
  });

  test("constant rates: the solution of the truncated series", async () => {
    const products = 4;
    const options = { ...rates, steps: 3, products, size };
    const found = await scalarPath(vrbo({ ...options, period: 4 }), 600);
    // z = (b̄/ā)x and 0.1x + b̄s(z − c̄) = 0 with the series' s = η Σ (1 − ηā)ⁱ; ā = 2, b̄ = 5/6, c̄ = 1.
    let series = 0;
    for (let i = 0; i <= products; i++)
      series += rates.seriesStep * (1 - rates.seriesStep * 2) ** i;
    const pull = (5 / 6) * series;
    expect(found.at(-1)).toBeCloseTo(pull / (0.1 + (pull * 5) / 12), 11);
    const other = await scalarPath(vrbo({ ...options, period: 4, seed: 1 }), 8);
    expect(Math.abs(found[7]! - other[7]!)).toBeGreaterThan(1e-6);
  });
});

test("on all the data nothing is computed outside the branch of its step", () => {
  const rule = vrbo({ size: { inner: 3, outer: 2 }, period: 5, steps: 2, products: 2 });
  const { always, branches } = sinesByBranch(rule, { inner: 90, outer: 70 });
  // Whole data in one branch alone; elsewhere stacks of three batches, and single ones.
  expect(branches).toHaveLength(1);
  expect(branches[0]).toContain(90);
  expect(always).not.toContain(90);
  expect(always).toContain(3);
});

test("a run that was stopped goes on bit for bit", async () => {
  const rule = vrbo({ size: { inner: 2, outer: 1 }, period: 4, steps: 2, products: 2 });
  const [stopped, whole] = await stoppedAndWhole(rule);
  expect(Buffer.compare(stopped, whole)).toBe(0);
});

test("costs, and what cannot work", async () => {
  const size = { inner: 2, outer: 2 };
  const rule = vrbo({ size, period: 3, steps: 4, products: 6 });
  expect((await hypergradient(scalarSum, { rule, ...scalarPoint })).report.cost).toEqual({
    innerGradients: 2 * 5,
    outerGradients: 2 * 5,
    hessianVectorProducts: 2 * 5 * 6,
    crossProducts: 2 * 5,
    storedFloats: 6,
    reportGradients: 0,
  });
  const odd = vrbo({ size: { inner: 2, outer: 3 }, period: 3 });
  await expect(hypergradient(scalarSum, { rule: odd, ...scalarPoint })).rejects.toThrow(
    "vrbo: the outer data must be arrays that share their first axis, a number of examples that size.outer = 3 divides, and have first axes 4",
  );
  const stacked = minibatches({ data: scalarPoint.data.inner, size: 2, perStep: 1 });
  const run = solve(scalarSum, {
    ...scalarPoint,
    rule,
    optimizer: gradientDescent({ learningRate: 0.2 }),
    data: { ...scalarPoint.data, inner: stacked },
  });
  await expect(run).rejects.toThrow("vrbo: it draws its own batches");
  const withInit = bilevel({
    inner: (z: np.Array, x: np.Array) => np.square(z.sub(x)),
    outer: (z: np.Array) => np.square(z),
    init: (x: np.Array) => x,
  });
  const { lambda, data } = scalarPoint;
  await expect(hypergradient(withInit, { rule, lambda, data })).rejects.toThrow("vrbo");
  expect(() => vrbo({ size, period: 0 })).toThrow("vrbo: period must be");
  expect(() => vrbo({ size, period: 1, steps: 0 })).toThrow("vrbo: steps must be");
  expect(() => vrbo({ size, period: 1, products: 1.5 })).toThrow("vrbo: products must be");
  expect(() => vrbo({ size, period: 1, seriesStep: 0 })).toThrow("vrbo: seriesStep must be");
  expect(() => vrbo({ size, period: 1, seed: -1 })).toThrow("vrbo: seed must be");
  expect(() => vrbo({ size: { inner: 0, outer: 1 }, period: 1 })).toThrow("vrbo: size.inner must");
});
