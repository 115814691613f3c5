/** What `npm run bench:scale` measures is what it says, and a large follower stays within its memory. */
import { afterAll, describe, expect, test } from "vitest";

import { fittedPower, measureAll } from "../../bench/scale/measure.ts";
import { allSeries, type Series } from "../../bench/scale/series.ts";
import { disposePrograms, hypergradient } from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";

const named = (name: string): Series => allSeries.find((series) => series.name === name)!;
const evaluate = (name: string, size: number) => {
  const { problem, ...evaluation } = named(name).make(size);
  return hypergradient(problem, { ...evaluation, threads: 1 });
};

afterAll(async () => {
  for (const series of allSeries) await disposePrograms(series.make(series.sizes[0]!).problem);
});

describe("series of the scale benchmark", () => {
  test.each([
    ["steps", 10, 10 * 20_000],
    ["checkpointed", 100, 20 * 20_000],
    ["hyperparameters", 1_000, 10 * 1_000_000],
    ["parameters", 1_000, 10 * 1_000],
    ["tasks", 4, 100 * 4 * 64 * 5],
  ])("%s of %i: the states that the rule keeps", async (name, size, floats) => {
    const { report } = await evaluate(name, size);
    expect(report.cost.storedFloats).toBe(floats);
    expect(report.nonFinite).toEqual({ value: false, gradient: false, w: false });
  });

  test("with checkpoints and without, the same hypergradient", async () => {
    const [full, checkpointed] = await Promise.all([
      evaluate("steps", 100),
      evaluate("checkpointed", 100),
    ]);
    // The same operations in the same order.
    expect((checkpointed.gradient as Tensor).data).toEqual((full.gradient as Tensor).data);
  });
});

test("the fitted power is that of a power law", () => {
  const points = [10, 100, 1_000].map((size) => ({ size, value: 3 * size ** 0.5 }));
  expect(fittedPower(points)).toBeCloseTo(0.5, 12);
  expect(fittedPower(points.slice(0, 1))).toBeUndefined();
});

// 4 GB for ten million parameters are 400 bytes for each of them; ten states are 40.
test("ten steps of a follower of a million parameters take less than 400 MB", async () => {
  const series = { ...named("parameters"), sizes: [1_000_000] };
  const { rows } = await measureAll([series], 1);
  const [row] = rows.get("parameters")!;
  expect(row!.peakBytes).toBeGreaterThan(row!.storedBytes);
  expect(row!.peakBytes).toBeLessThan(400e6);
});
