/** The bounds in the reports of a run, while the leader moves. */
import { afterAll, describe, expect, test } from "vitest";
import {
  disposePrograms,
  gradientDescent,
  minibatches,
  solve,
  type ErrorBound,
  type Rule,
  type SolveOptions,
} from "../../src/bilevel/index.ts";
import { implicit, reverse } from "../../src/bilevel/rules/index.ts";
import { neumann } from "../../src/linear/index.ts";
import { leavesOf } from "./descend.ts";
import { finiteSum } from "./problems-finite-sum.ts";
import { knownScalar } from "./problems-known-constants.ts";

const { problem, lambda, w, data, constants } = knownScalar();
afterAll(() => disposePrograms(problem));

const dynamics = gradientDescent({ learningRate: 0.1 });
const optimizer = gradientDescent({ learningRate: 0.5 });

async function stepsOf(
  rule: Rule,
  options: Partial<SolveOptions>,
): Promise<{ bound: ErrorBound; sentence: string; error: number }[]> {
  const steps = [];
  const run = solve(problem, {
    rule,
    optimizer,
    lambda,
    w,
    data,
    budget: { steps: 8 },
    ...options,
  });
  for await (const { lambda, gradient, report } of run) {
    const [x] = leavesOf(lambda);
    const [h] = leavesOf(gradient);
    const { bound, sentence } = report;
    // The inner solution is x/2, so that dF/dx = 0.1·x + (x/2 − 1)/2.
    steps.push({ bound, sentence, error: Math.abs(h! - (0.1 * x! + (x! / 2 - 1) / 2)) });
  }
  return steps;
}

describe.each<["warm" | "cold"]>([["warm"], ["cold"]])("a %s start", (start) => {
  test.each([
    reverse({ steps: 3, dynamics }),
    implicit({ solver: neumann({ step: 0.1, maxSteps: 4 }), steps: 3, dynamics }),
  ])("$name: every step's error is within its bound", async (rule) => {
    const steps = await stepsOf(rule, { constants, start });
    expect(steps).toHaveLength(9);
    for (const { bound, sentence, error } of steps) {
      if (bound.kind !== "bound") throw new Error(JSON.stringify(bound));
      // The bound is of exact arithmetic.
      expect(error).toBeLessThanOrEqual(bound.value * (1 + 1e-9) + 1e-13);
      expect(sentence).toContain("is at most");
    }
    expect(Math.max(...steps.map(({ error }) => error))).toBeGreaterThan(0.01);
  });
});

test("without constants, and on minibatches, there is none", async () => {
  const rule = reverse({ steps: 3, dynamics });
  const [silent] = await stepsOf(rule, {});
  expect(silent!.bound).toMatchObject({ kind: "none" });
  expect(silent!.sentence).not.toContain("bound");
  const outer = minibatches({ data: finiteSum.data.outer, size: 3 });
  const { problem, ...place } = finiteSum;
  const data = { inner: place.data.inner, outer };
  for await (const { report } of solve(problem, { ...place, rule, optimizer, data, constants })) {
    expect(report.bound).toEqual({
      kind: "none",
      why: "the data are minibatches, drawn anew for each step",
    });
    break;
  }
});

test("constants that are none are refused", () => {
  const options = { rule: reverse({ steps: 3, dynamics }), optimizer, lambda, w, data };
  expect(() => solve(problem, { ...options, constants: { smoothness: -1 } })).toThrow(
    "solve: constants: smoothness must be a finite number >= 0; -1 came.",
  );
});
