import { expect, test } from "vitest";
import { observedOrder, settle } from "./differences.ts";

/** Central differences of a function whose derivative is 3, with error c·h² and noise e/h. */
const table = (c: number, e: number) =>
  [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6].map((h, i) => ({
    h,
    numeric: 3 + c * h * h + (i % 2 === 0 ? e : -e) / h,
    magnitude: 1,
  }));

test("settles where truncation and rounding balance, without looking at the gradient under test", () => {
  const { numeric, uncertainty } = settle(table(2, 1e-16));
  expect(Math.abs(numeric - 3)).toBeLessThan(1e-6);
  expect(uncertainty).toBeLessThan(1e-6);
  const undefinedAt = (h: number) => ({ h, numeric: NaN, magnitude: NaN });
  expect(settle([1, 0.1, 0.01].map(undefinedAt)).uncertainty).toBe(Infinity);
});

test("observes order 2 for a right derivative, order 0 for a wrong one, none at rounding level", () => {
  expect(observedOrder(3, table(2, 1e-16), 2 ** -52)).toBeCloseTo(2, 2);
  expect(observedOrder(3.03, table(2, 1e-16), 2 ** -52)).toBeCloseTo(0, 2);
  expect(observedOrder(3, table(0, 1e-17), 2 ** -52)).toBeUndefined();
});
