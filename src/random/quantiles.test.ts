import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { normalQuantile, studentQuantile } from "./quantiles.ts";

test.each([
  [0.975, 1.959963984540054],
  [0.8413447460685429, 1],
  [0.925, 1.4395314709384563],
  [0.07, -1.4757910281791706],
  [1e-10, -6.361340902404056],
  [1e-300, -37.0470962993612],
])("normal quantile of %d as in SciPy 1 (scipy.stats.norm.ppf)", (p, z) => {
  expect(Math.abs(normalQuantile(p) / z - 1)).toBeLessThan(1e-14);
});

test("normal quantiles at the ends and outside", () => {
  expect([0, 0.5, 1, -0.1, NaN].map(normalQuantile)).toEqual([-Infinity, 0, Infinity, NaN, NaN]);
});

property.prop([fc.double({ min: 1e-10, max: 0.5, noNaN: true })])(
  "normal quantiles are odd about ½",
  (p) => {
    // 1 − p rounds by up to 1.1e-16, which moves the upper quantile by that over the density at z.
    const z = normalQuantile(p);
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    expect(Math.abs(normalQuantile(1 - p) + z)).toBeLessThan(2.3e-16 / density + 1e-14);
  },
);

test.each([
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [4, 2.776],
  [9, 2.262],
  [30, 2.042],
])("Student's quantile for %d degrees of freedom as tabulated", (degrees, t) => {
  expect(studentQuantile(degrees)).toBeCloseTo(t, 3);
});

test("Student's quantile: closed form for 1 and 2 degrees, other probabilities, the normal limit", () => {
  // ν = 1: tan(πp/2); ν = 2: p √(2/(1 − p²)).
  expect(studentQuantile(1, 0.8)).toBeCloseTo(Math.tan(0.4 * Math.PI), 12);
  expect(studentQuantile(2, 0.8)).toBeCloseTo(0.8 * Math.sqrt(2 / 0.36), 12);
  expect(studentQuantile(9, 0.99)).toBeCloseTo(3.24983554159, 10);
  expect(studentQuantile(100_000)).toBeCloseTo(normalQuantile(0.975), 4);
  expect(() => studentQuantile(0)).toThrow(RangeError);
});
