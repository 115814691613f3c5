import { expect, test } from "vitest";
import { linearScale, logScale, spansDecades } from "./axis.ts";

test("linear ticks are round and cover the values", () => {
  const scale = linearScale([0.3123, 0.3687], { ticks: 4 });
  expect(scale.ticks.map(({ label }) => label)).toEqual(["0.30", "0.32", "0.34", "0.36", "0.38"]);
  expect(scale.position(0.3)).toBeCloseTo(0);
  expect(scale.position(0.38)).toBeCloseTo(1);
});

test("step axes have whole labels", () => {
  const scale = linearScale([1, 3], { ticks: 6, whole: true, tight: true });
  expect(scale.ticks.map(({ label }) => label)).toEqual(["1", "2", "3"]);
});

test("constant and empty values still have an axis", () => {
  expect(linearScale([5, 5]).position(5)).toBeCloseTo(0.5);
  expect(linearScale([0]).position(0)).toBeCloseTo(0.5);
  expect(linearScale([]).ticks.length).toBeGreaterThan(1);
  expect(logScale([NaN, 0]).ticks.length).toBeGreaterThan(0);
});

test("log ticks are powers of ten, with 2 and 5 over few decades", () => {
  expect(logScale([1e-4, 10]).ticks.map(({ label }) => label)).toEqual([
    "10⁻⁴",
    "0.001",
    "0.01",
    "0.1",
    "1",
    "10",
  ]);
  expect(logScale([0.1, 0.9]).ticks.map(({ label }) => label)).toEqual(["0.1", "0.2", "0.5"]);
  expect(logScale([1e-12, 1]).ticks.length).toBeLessThanOrEqual(7);
});

test("decades are counted on positive values only", () => {
  expect(spansDecades([1, 100], 2)).toBe(true);
  expect(spansDecades([1, 99], 2)).toBe(false);
  expect(spansDecades([0, 100], 2)).toBe(false);
});
