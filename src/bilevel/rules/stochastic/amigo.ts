/**
 * Amortized implicit gradient optimization (AmIGO): a few steps of the response, a few of the linear system, both from where
 * the last outer step left them, then the implicit hypergradient.
 *
 *     z ← z − ρ ∇_w L(z, λ)                                   N times
 *     v ← v − ρ_v (∇²_ww L(z, λ) v + ∇_w E(z, λ))             M times
 *     h = ∇_λ E(z, λ) + ∇²_λw L(z, λ) v
 */
import { checkOptions, countElements, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { numpy as np } from "@jax-js/jax";
import type { Arrays } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import { descend, openLevels, rateAt } from "../../estimate/levels.ts";
import {
  combine,
  firstState,
  hessianProduct,
  laterSteps,
  leaderDirection,
  noBoundOnSamples,
  outerGradient,
  ratesOf,
  type StochasticOptions,
  type StochasticState,
} from "./stochastic.ts";
import { descendValue, nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link amigo}. */
export interface AmigoOptions extends StochasticOptions {
  /** N ≥ 1, steps of z. Default 10. */
  readonly steps?: number;
  /** M ≥ 1, steps of v. Default: as `steps`. */
  readonly auxiliarySteps?: number;
}

/**
 * The implicit hypergradient with both solutions warm-started.
 *
 * Costs N inner gradients, M Hessian-vector and one cross product, and one gradient of the outer objective; memory of
 * two vectors. The state carries z, v and the number of outer steps: start warm. An inner sampler with
 * `perStep: N + M` gives every step of z and then of v its own minibatch, as published; without `perStep` all of them
 * see the outer step's one. Assumes a strongly convex inner objective.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Arbel and Mairal, "Amortized implicit differentiation for stochastic bilevel optimization", ICLR 2022.
 * @example
 * const rule = amigo({ steps: 10, learningRate: 0.1 });
 * const inner = minibatches({ data: train, size: 64, perStep: rule.innerSteps });
 */
export function amigo(options: AmigoOptions = {}): Rule {
  checkOptions("amigo", options, {
    steps: "number",
    auxiliarySteps: "number",
    learningRate: "any",
    auxiliaryLearningRate: "any",
    tolerance: TOLERANCE,
  });
  const { steps = 10 } = options;
  const { auxiliarySteps = steps } = options;
  checkCount("amigo: steps", steps);
  checkCount("amigo: auxiliarySteps", auxiliarySteps);
  const rates = ratesOf("amigo", options);
  const all = steps + auxiliarySteps;
  return {
    name: "amigo",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w|)",
      bias: "it is exact only where both the response and the linear system's solution have converged",
    },
    innerSteps: all,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: firstState,
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "amigo", problem, point, all);
      const { w, v, k } = point.state as StochasticState;
      const z = descendValue(levels, problem, { steps, learningRate: rates.z }, w, k);
      const later = laterSteps(program, problem, point, { all, length: auxiliarySteps });
      const step = (
        v: Arrays,
        lambda: Arrays,
        inner: Arrays,
        z: Arrays,
        outer: Arrays,
        k: np.Array,
      ): Arrays => {
        const residual = combine(1, hessianProduct(problem, z, lambda, inner, v), 1, outer);
        return descend(v, residual, (dtype) => rateAt(rates.v, k, dtype));
      };
      const solution = later.repeat(step, v, z, outerGradient(levels, z), k);
      return {
        value: levels.outerValue(z),
        gradient: leaderDirection(levels, z, solution),
        w: z,
        state: { w: z, v: solution, k: nextStep(program, k) },
        report: levels.measure(w, z),
        cost: {
          innerGradients: steps,
          outerGradients: 1,
          hessianVectorProducts: auxiliarySteps,
          crossProducts: 1,
          storedFloats: countElements(v),
          reportGradients: 2,
        },
      };
    },
  };
}
