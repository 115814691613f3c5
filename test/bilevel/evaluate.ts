/** Evaluations of a rule on a case, as plain numbers, for the tests of the rules. */
import { tree } from "@jax-js/jax";
import { expect } from "vitest";
import {
  gradientDescent,
  hypergradient,
  type Optimizer,
  type Report,
  type Rule,
} from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";
import type { Case } from "./problems.ts";

/** What a rule answers. */
export interface Answer {
  gradient: number[];
  w: Tree<Tensor>;
  value: number;
  report: Report;
}

/** The hypergradient of a case; `w` replaces its first weights. */
export async function evaluate(c: Case, rule: Rule, w: Tree<Tensor> = c.w): Promise<Answer> {
  const { lambda, data } = c;
  const result = await hypergradient(c.problem, { rule, lambda, w, data });
  const gradient = flat(result.gradient);
  return {
    gradient,
    w: result.w as Tree<Tensor>,
    value: result.value.item(),
    report: result.report,
  };
}

/** The numbers of all leaves in order. */
export const flat = (values: unknown): number[] =>
  tree.leaves<Tensor>(values as Tree<Tensor>).flatMap((leaf) => [...leaf.data]);

/** Expects numbers within an absolute tolerance. */
export function expectClose(actual: number[], expected: number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(tolerance);
  }
}

/** Euclidean distance. */
export const distance = (a: number[], b: number[]): number =>
  Math.hypot(...a.map((v, i) => v - b[i]!));

/** The follower's weights after some steps of gradient descent. */
export async function weightsAfter(c: Case, steps: number): Promise<Tree<Tensor>> {
  if (steps === 0) return c.w;
  const dynamics = gradientDescent({ learningRate: c.learningRate });
  return (await evaluate(c, reverse({ steps, dynamics }))).w;
}

/** A leader that stays where it is. */
export const still: Optimizer = {
  name: "still",
  init: () => [],
  update: (_gradient, state, params) => [params, state],
};
