import { expect, test } from "vitest";
import { checkBudget, exhausted } from "./budget.ts";

const spent = { steps: 4, seconds: 1.5, innerGradients: 400 };

test.each([
  [{}, undefined],
  [{ steps: 5 }, undefined],
  [{ steps: 4 }, "4 outer steps"],
  [{ seconds: 2 }, undefined],
  [{ seconds: 1.5 }, "1.5 seconds"],
  [{ innerGradients: 500 }, undefined],
  [{ innerGradients: 499 }, "499 inner gradients"],
  [{ steps: 9, seconds: 1, innerGradients: 0 }, "1 seconds"],
])("%j after 4 steps, 1.5 s and 400 inner gradients of 100 each: %s", (budget, reason) => {
  expect(exhausted(budget, spent, 100)).toBe(reason);
});

test("nothing limited means 100 steps", () => {
  expect(checkBudget()).toEqual({ steps: 100 });
  expect(checkBudget({ seconds: undefined } as object)).toEqual({ steps: 100 });
  expect(checkBudget({ seconds: 3 })).toEqual({ seconds: 3 });
});

test.each([
  [{ steps: -1 }, /budget.steps must be a non-negative integer, got -1/],
  [{ steps: 1.5 }, /budget.steps must be a non-negative integer, got 1.5/],
  [{ seconds: Number.NaN }, /budget.seconds must be a non-negative number, got NaN/],
  [{ minutes: 1 } as object, /no limit "minutes"; use steps/],
])("budget %j is refused", (budget, message) => {
  expect(() => checkBudget(budget)).toThrow(message);
});
