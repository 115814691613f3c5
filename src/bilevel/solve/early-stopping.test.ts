import { expect, test } from "vitest";
import { checkEarlyStopping, stepsWithoutImprovement } from "./early-stopping.ts";

test.each([
  [[], 0, 0],
  [[3], 0, 0],
  [[3, 2, 1], 0, 0],
  [[3, 2, 2, 2], 0, 2],
  [[3, 2.95, 2.85, 2.8], 0.1, 1], // 2.85 is the first more than 0.1 below 3, then the reference
  [[3, 2.95, 2.91], 0.1, 2],
  [[1, 5, 4, 3], 0, 3],
  [[1, Number.NaN, 0.5, 2], 0, 1],
])("values %j with minImprovement %d: %d steps", (values, minImprovement, steps) => {
  const history = values.map((value) => ({ value }));
  expect(stepsWithoutImprovement(history, { minImprovement })).toBe(steps);
});

test.each([
  [{ patience: 0 }, /patience must be a positive integer, got 0/],
  [{ patience: 2.5 }, /patience must be a positive integer, got 2.5/],
  [{ patience: 3, minImprovement: -1 }, /minImprovement must be a number >= 0, got -1/],
])("%j is refused", (options, message) => {
  expect(() => checkEarlyStopping(options)).toThrow(message);
});
