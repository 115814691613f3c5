import { expect, test } from "vitest";
import { LINEAR_OUTCOMES } from "../../../linear/index.ts";
import { judgeLinear, linearMeasured, linearWarnings } from "./linear-report.ts";
import type { Status } from "../../rule.ts";

const measured = (outcome: (typeof LINEAR_OUTCOMES)[number]): Record<string, number> => ({
  ...linearMeasured({
    residualNorm: 0.5,
    relativeResidual: 0.25,
    steps: 7,
    smallestCurvature: -0.125,
    largestCurvature: 3,
    outcome: LINEAR_OUTCOMES.indexOf(outcome),
  }),
});

test.each<[(typeof LINEAR_OUTCOMES)[number], Status | undefined, string]>([
  ["converged", undefined, "is solved to a relative residual of 2.5e-1 in 7 steps"],
  ["max-steps", "max-steps", "is not solved (a relative residual of 2.5e-1 after 7 steps)"],
  ["singular", "singular", "without curvature in step 7"],
  ["negative-curvature", "singular", "negative curvature (-1.25e-1) by step 7"],
  ["inconsistent", "singular", "has no solution"],
  ["stagnated", "max-steps", "stagnated at a relative residual of 2.5e-1"],
  ["diverged", "diverged", "iteration diverges"],
  ["non-finite", "non-finite", "is not finite"],
  ["overdamped", "max-steps", "is solved only with its damping"],
])("%s: status and sentence", (outcome, status, words) => {
  const verdict = judgeLinear(measured(outcome));
  expect(verdict?.status).toBe(status);
  expect(verdict?.sentence).toContain(words);
  expect(verdict?.sentence).toMatch(/^The linear system.*\.$/);
});

test("a run counts the systems that were not solved and quotes the last", () => {
  const history = (outcomes: readonly (typeof LINEAR_OUTCOMES)[number][]) => outcomes.map(measured);
  expect(linearWarnings(history(["converged"]))).toEqual([]);
  const [unsolved] = linearWarnings(history(["max-steps", "converged"]));
  expect(unsolved).toMatch(/^In 1 of 2 evaluations .* not solved\. The last of them: The linear/);
  const [singular] = linearWarnings(history(["singular", "converged", "max-steps"]));
  expect(singular).toContain("In 2 of 3");
  expect(singular).toContain("not unique");
  expect(singular).toContain("allow the solver more steps");
});
