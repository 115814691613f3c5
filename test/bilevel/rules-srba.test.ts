/** SRBA on finite sums: with one batch or period 1 it is SOBA, else it converges with constant rates. */
import { afterAll, expect, test } from "vitest";
import {
  disposePrograms,
  gradientDescent,
  hypergradient,
  minibatches,
  solve,
} from "../../src/bilevel/index.ts";
import { soba, srba } from "../../src/bilevel/rules/index.ts";
import { sinesByBranch } from "./branches.ts";
import { scalarPath, scalarPoint, scalarSum, stoppedAndWhole } from "./finite-sum.ts";

afterAll(() => disposePrograms(scalarSum));

const rates = { learningRate: 0.1, auxiliaryLearningRate: 0.15 };
// z = (b̄/ā)x with ā = 2, b̄ = 5/6; 0.1x + (b̄/ā)(z − c̄) = 0 with c̄ = 1.
const slope = 5 / 12;
const optimum = slope / (0.1 + slope ** 2);

test("one batch that is all the data, or period 1: SOBA", async () => {
  const expected = await scalarPath(soba(rates), 12);
  for (const options of [
    { size: { inner: 6, outer: 4 }, period: 5 },
    { size: { inner: 2, outer: 1 }, period: 1 },
  ]) {
    const found = await scalarPath(srba({ ...rates, ...options }), 12);
    found.forEach((x, k) => expect(x).toBeCloseTo(expected[k]!, 13));
  }
});

test("small batches: its own path, and with constant rates the same solution", async () => {
  const size = { inner: 2, outer: 1 };
  const found = await scalarPath(srba({ ...rates, size, period: 8 }), 2000);
  const [plain, other] = [
    await scalarPath(soba(rates), 8),
    await scalarPath(srba({ ...rates, size, period: 8, seed: 1 }), 8),
  ];
  // The first direction is that of all the data, the next ones are not.
  expect(found[1]).toBeCloseTo(plain[1]!, 15);
  expect(Math.abs(found[7]! - plain[7]!)).toBeGreaterThan(1e-6);
  expect(Math.abs(found[7]! - other[7]!)).toBeGreaterThan(1e-6);
  expect(found.at(-1)).toBeCloseTo(optimum, 11);
});

test("on all the data nothing is computed outside the branch of its step", () => {
  const rule = srba({ size: { inner: 3, outer: 2 }, period: 5 });
  const { always, branches } = sinesByBranch(rule, { inner: 90, outer: 70 });
  expect(always).toEqual([]);
  expect(branches.map((lengths) => [...new Set(lengths)])).toEqual([[90], [3]]);
});

test("a run that was stopped goes on bit for bit", async () => {
  const rule = srba({ size: { inner: 2, outer: 1 }, period: 4 });
  const [stopped, whole] = await stoppedAndWhole(rule);
  expect(Buffer.compare(stopped, whole)).toBe(0);
});

test("costs, and what cannot work", async () => {
  const rule = srba({ size: { inner: 2, outer: 2 }, period: 3 });
  expect((await hypergradient(scalarSum, { rule, ...scalarPoint })).report.cost).toEqual({
    innerGradients: 2,
    outerGradients: 2,
    hessianVectorProducts: 2,
    crossProducts: 2,
    storedFloats: 7,
    reportGradients: 0,
  });
  const odd = srba({ size: { inner: 4, outer: 2 }, period: 3 });
  await expect(hypergradient(scalarSum, { rule: odd, ...scalarPoint })).rejects.toThrow(
    "srba: the inner data must be arrays that share their first axis, a number of examples that size.inner = 4 divides, and have first axes 6",
  );
  const stacked = minibatches({ data: scalarPoint.data.inner, size: 2, perStep: 1 });
  const run = solve(scalarSum, {
    ...scalarPoint,
    rule,
    optimizer: gradientDescent({ learningRate: 0.2 }),
    data: { ...scalarPoint.data, inner: stacked },
  });
  await expect(run).rejects.toThrow("srba: it draws its own batches");
  expect(() => srba({ size: { inner: 2, outer: 2 }, period: 0 })).toThrow("srba: period must be");
});
