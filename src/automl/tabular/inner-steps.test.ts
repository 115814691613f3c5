import { expect, test } from "vitest";
import { innerStepsFor } from "./inner-steps.ts";
import { denseLimit } from "./problem.ts";

test.each([
  ["small classification", "binary", [341, 32], 1, 100],
  ["a census", "binary", [19_537, 102], 1, 15],
  ["large, ten classes", "multiclass", [100_000, 101], 10, 12],
  ["least squares are solved in one step", "regression", [12_384, 16], 1, 4],
  ["least squares with the diagonal are not", "regression", [72, denseLimit + 2], 1, 100],
  ["large and wide", "binary", [50_000, denseLimit + 2], 1, 30],
] as const)("%s", (_, task, size, outputs, steps) => {
  expect(innerStepsFor(task, size, outputs)).toBe(steps);
});
