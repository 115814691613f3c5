import { expect, test } from "vitest";
import { innerStepsFor } from "./inner-steps.ts";

test.each([
  ["small classification", "binary", [341, 32], 1, true, 100],
  ["a census", "binary", [19_537, 102], 1, true, 15],
  ["large, ten classes", "multiclass", [100_000, 101], 10, true, 12],
  ["least squares are solved in one step", "regression", [12_384, 16], 1, true, 4],
  ["least squares with the diagonal are not", "regression", [72, 602], 1, false, 100],
  ["large and wide", "binary", [50_000, 602], 1, false, 30],
] as const)("%s", (_, task, size, outputs, dense, steps) => {
  expect(innerStepsFor(task, size, outputs, dense)).toBe(steps);
});
