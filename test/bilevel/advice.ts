/** Advice for the tests, held against what every advice must hold. */
import { expect } from "vitest";
import { advise, type Advice } from "../../src/bilevel/advise.ts";
import {
  disposePrograms,
  gradientDescent,
  type Problem,
  type Projection,
} from "../../src/bilevel/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";

const CLASSICAL = ["reverse", "forward", "truncated", "implicit"];
const used = new Set<Problem>();

/** Frees the programs of all problems that advice was asked for. */
export async function disposeAdvised(): Promise<void> {
  for (const problem of used) await disposePrograms(problem);
}

/** Where advice is asked for. */
export interface Place {
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
}

/** Advice for gradient descent, with what every advice must hold. */
export async function adviceFor(
  problem: Problem,
  { lambda, w, data }: Place,
  options: { steps: number; rate: number; projection?: Projection; bytes?: number },
): Promise<Advice> {
  const { rate, ...rest } = options;
  used.add(problem);
  const dynamics = gradientDescent({ learningRate: rate });
  const advice = await advise(problem, { lambda, w, data, dynamics, ...rest });
  const { ranking, ruledOut, sentence, isSolved, innerSolutions } = advice;
  const forbidden = ruledOut.map(({ factory }) => factory);
  for (const { factory, bytes, cost, seconds, why, caution } of ranking) {
    expect(forbidden).not.toContain(factory);
    expect(bytes).toBeLessThanOrEqual(options.bytes ?? Infinity);
    expect(cost.innerGradients).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThan(0);
    expect(why).toMatch(/\.$/);
    expect(caution).toMatch(/\.$/);
    if (factory === "implicit") expect(isSolved).toBe(true);
  }
  if (innerSolutions !== "unique") {
    expect(forbidden).toEqual(expect.arrayContaining(CLASSICAL));
  }
  if (ranking[0]) expect(sentence).toContain(`Use ${ranking[0].call}: ${ranking[0].why}`);
  return advice;
}
