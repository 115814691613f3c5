/** Rules that first move the response, then estimate the linear system's solution from its start at the new one. */
import type { Program } from "../../../program/index.ts";
import { countElements } from "../../../program/internal.ts";
import type { Problem } from "../../problem.ts";
import type { Estimate, Point } from "../../rule.ts";
import { openLevels, type Rate } from "../../estimate/levels.ts";
import type { ResponseState, Estimator } from "./neumann-estimators.ts";
import { laterSteps, leaderDirection, outerGradient } from "./stochastic.ts";
import { descendValue, nextStep } from "../../estimate/value-gap.ts";

/** What such rules differ in. */
export interface NestedOptions {
  /** The rule, for messages. */
  readonly name: string;
  /** Steps of the response. */
  readonly steps: number;
  readonly learningRate: Rate;
  /** Hessian-vector products of `estimator`. */
  readonly products: number;
  readonly estimator: Estimator;
}

/** `steps` of z, v by `estimator`, h = ∇_λ E + ∇²_λw L v; minibatches are those of z's steps, then of the products. */
export function estimateNested(
  program: Program,
  problem: Problem,
  point: Point,
  options: NestedOptions,
): Estimate {
  const { name, steps, learningRate, products, estimator } = options;
  const all = steps + products;
  const levels = openLevels(program, name, problem, point, all);
  const { w, k } = point.state as ResponseState;
  const z = descendValue(levels, problem, { steps, learningRate }, w, k);
  const later = laterSteps(program, problem, point, { all, length: products });
  const v = estimator(program, problem, later, { z, outer: outerGradient(levels, z), k });
  return {
    value: levels.outerValue(z),
    gradient: leaderDirection(levels, z, v),
    w: z,
    state: { w: z, k: nextStep(program, k) },
    report: levels.measure(w, z),
    cost: {
      innerGradients: steps,
      hessianVectorProducts: products,
      crossProducts: 1,
      storedFloats: 2 * countElements(z),
      reportGradients: 2,
    },
  };
}
