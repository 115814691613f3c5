/** Plain gradient descent of the leader with any rule, and what the tests of rules look at afterwards. */
import { tree } from "@jax-js/jax";
import { expect } from "vitest";
import {
  gradientDescent,
  solve,
  type Problem,
  type Projection,
  type Rule,
  type Schedule,
  type StepRecord,
} from "../../src/bilevel/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";
import { noData } from "./problems-without-unique-answer.ts";

/** Where and how to descend. */
export interface Run {
  readonly rule: Rule;
  readonly rate: number | Schedule;
  readonly steps: number;
  readonly lambda: Tensor;
  readonly w: Tree<Tensor>;
  readonly data?: { inner: Tree<Tensor>; outer: Tree<Tensor> };
  readonly constraints?: Projection;
}

/** What {@link descend} found. */
export interface Descent {
  /** λ, flattened. */
  readonly x: number[];
  /** The follower's weights, flattened. */
  readonly y: number[];
  readonly history: readonly StepRecord[];
  readonly last: StepRecord;
}

/** Plain gradient descent of λ: its last value, the weights', the records and the last report. */
export async function descend(
  problem: Problem,
  { rate, steps, data = noData, ...run }: Run,
): Promise<Descent> {
  const result = await solve(problem, {
    ...run,
    data,
    optimizer: gradientDescent({ learningRate: rate }),
    budget: { steps },
    innerValue: false,
  });
  expect(result.status, result.sentence).toBe("max-steps");
  return {
    x: [...(result.lambda as Tensor).data],
    y: tree.leaves<Tensor>(result.w as Tensor).flatMap((leaf) => [...leaf.data]),
    history: result.history,
    last: result.history.at(-1)!,
  };
}

/** Every number within `tolerance` of the expected one. */
export function expectAll(actual: readonly number[], expected: number, tolerance: number): void {
  for (const value of actual) {
    expect(Math.abs(value - expected), `${value} against ${expected}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
}

/** All numbers of a tree of host arrays. */
export function leavesOf(values: unknown): number[] {
  return tree.leaves<Tensor>(values as Tensor).flatMap((leaf) => [...leaf.data]);
}
