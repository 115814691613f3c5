/** Advice for the tests, held against what every advice must hold and against the catalog's facts. */
import { runInThisContext } from "node:vm";
import { expect } from "vitest";
import { advise } from "../../src/bilevel/advise/advise.ts";
import type { Advice, AdviseOptions } from "../../src/bilevel/advise/types.ts";
import { ruleCatalog } from "../../src/bilevel/rules/catalog.ts";
import * as bilevel from "../../src/bilevel/index.ts";
import * as rules from "../../src/bilevel/rules/index.ts";
import {
  disposePrograms,
  gradientDescent,
  type Dynamics,
  type Optimizer,
  type Problem,
  type Projection,
  type Rule,
} from "../../src/bilevel/index.ts";
import * as linear from "../../src/linear/index.ts";
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
  checkAdvice(advice, { dynamics, ...options }, problem);
  return advice;
}

/** What every advice must hold. */
export function checkAdvice(
  advice: Advice,
  options: Pick<AdviseOptions, "dynamics" | "projection" | "bytes">,
  problem: Problem,
): void {
  const { ranking, ruledOut, sentence, isSolved, innerSolutions, measured } = advice;
  used.add(problem);
  const forbidden = ruledOut.map(({ factory }) => factory);
  for (const { factory } of ruledOut) expect(entryOf(factory)).toBeDefined();
  for (const { factory, call, rule, bytes, cost, seconds, why, caution } of ranking) {
    const { family, fails } = entryOf(factory);
    const { name, needs, innerSteps } = written(call, options);
    expect({ name, needs, innerSteps }).toEqual({
      name: rule.name,
      needs: rule.needs,
      innerSteps: rule.innerSteps,
    });
    if (needs.uniqueInnerSolution) expect(innerSolutions).toBe("unique");
    if (needs.strongConvexity) expect(measured.atResponse.smallest).toBeGreaterThan(0);
    if (needs.strongConvexity && family.startsWith("single-loop")) {
      expect(measured.anywhere.smallest).toBeGreaterThanOrEqual(0);
    }
    if (/\bcold\b/.test(fails)) expect(caution).toMatch(/[Ss]tart warm/);
    if (fails.includes("the inner objective is not convex")) expect(innerSolutions).toBe("flat");
    if (fails.includes("not means over examples")) expect(measured.finiteSum).toBeDefined();
    if (fails.includes("minibatches come from a sampler")) expect(measured.noise).toBeUndefined();
    if (fails.includes("the problem has an init")) expect(problem.init).toBeUndefined();
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
}

/** The rule that a call's text makes, with the dynamics that the text leaves out. */
export function written(
  call: string,
  options: { readonly dynamics: Dynamics | Optimizer; readonly projection?: Projection },
): Rule {
  const { dynamics, projection } = options;
  const given = projection ? { dynamics, projection } : { dynamics };
  const scope: Record<string, unknown> = { ...linear, ...bilevel, ...rules };
  for (const name of ["reverse", "forward", "truncated", "implicit", "bda", "iaptt"] as const) {
    const make = rules[name] as (options: object) => Rule;
    scope[name] = (options: object) => make({ ...given, ...options });
  }
  const names = Object.keys(scope).join(", ");
  const make = runInThisContext(`(({ ${names} }) => ${call})`) as (scope: object) => Rule;
  return make(scope);
}

function entryOf(factory: string): (typeof ruleCatalog)[number] {
  const entry = ruleCatalog.find((one) => one.factory === factory);
  expect(entry, factory).toBeDefined();
  return entry!;
}
