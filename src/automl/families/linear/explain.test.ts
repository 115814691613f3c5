import { expect, test } from "vitest";
import { effectiveShrinkage } from "./explain.ts";

test("shrinkage is one half where the penalty equals the curvature of the loss", () => {
  expect(effectiveShrinkage(1, "regression")).toBe(0.5);
  expect(effectiveShrinkage(0.25, "binary")).toBe(0.5);
  expect(effectiveShrinkage(0.5, "multiclass")).toBe(0.5);
});
