/**
 * Fully first-order stochastic approximation (F2SA): the derivative of the response as the difference of two first
 * derivatives, at the minimizer z of L and at the minimizer y of E + λ̂·L, with a multiplier λ̂ that grows.
 *
 *     z ← z − s_z ∇_w L(z, λ),   y ← y − s_y (∇_w E(y, λ) + λ̂ ∇_w L(y, λ))          T times each
 *     h = ∇_λ E(y, λ) + λ̂ (∇_λ L(y, λ) − ∇_λ L(z, λ)),   λ̂ ← λ̂ + δ_k
 */
import { checkOptions, countElements, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np, tree } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { penaltyBound } from "../bounds-adjoint.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import { checkRate, openLevels, rateAt, type Rate } from "../../estimate/levels.ts";
import {
  descendPenalized,
  descendValue,
  nextStep,
  penaltyGradient,
} from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link f2sa}. */
export interface F2saOptions {
  /** T ≥ 1, steps of both y and z. Default 10. */
  readonly steps?: number;
  /** s_y > 0 over the outer steps; the curvature that it meets is that of E + λ̂·L. */
  readonly learningRate: Rate;
  /** s_z. Default: as `learningRate`. */
  readonly valueLearningRate?: Rate;
  /** λ̂ at the first outer step, ≥ 0. Default 1. */
  readonly multiplier?: number;
  /** δ_k ≥ 0: what λ̂ gains after outer step k. Default 0.1; 0 keeps λ̂ fixed. */
  readonly increment?: Rate;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The fully first-order hypergradient.
 *
 * Costs 2T + 2 gradients of the inner and T + 1 of the outer objective; keeps no trajectory. The state carries y, z, λ̂
 * and the number of outer steps: start warm. Assumes a strongly convex inner objective; the bias is O(1/λ̂). The
 * published decay exponents, as `powerLaw({ initial, power })`: −5/7 for y, −4/7 for z and λ, −1/7 for the increment.
 *
 * The report measures `gap`, L(y, λ) − L(z, λ), `responseDistance`, ‖y − z‖, `valueGradientNorm`, ‖∇_w L(z, λ)‖,
 * `penalizedGradientNorm`, ‖∇_w (E + λ̂·L)(y, λ)‖, and `multiplier`.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Kwon et al., "A fully first-order method for stochastic bilevel optimization", ICML 2023.
 * @example
 * const rule = f2sa({ steps: 10, learningRate: 0.01, increment: powerLaw({ initial: 0.1, power: -1 / 7 }) });
 */
export function f2sa(options: F2saOptions): Rule {
  checkOptions("f2sa", options, {
    steps: "number",
    learningRate: "any!",
    valueLearningRate: "any",
    multiplier: "number",
    increment: "any",
    tolerance: TOLERANCE,
  });
  const { steps = 10, learningRate, multiplier = 1, increment = 0.1 } = options;
  const { valueLearningRate = learningRate } = options;
  checkCount("f2sa: steps", steps);
  checkRate("f2sa: learningRate", learningRate, { above: 0 });
  checkRate("f2sa: valueLearningRate", valueLearningRate, { above: 0 });
  checkRate("f2sa: increment", increment, { atLeast: 0 });
  if (!(multiplier >= 0 && multiplier < Infinity)) {
    throw new RangeError(`f2sa: multiplier must be a finite number >= 0; ${multiplier} came.`);
  }
  const first = (w: Arrays): np.Array =>
    np.zerosLike(np.sum(tree.leaves<np.Array>(w)[0]!)).add(multiplier);
  return {
    name: "f2sa",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w|)",
      bias: "it differs from the exact one by O(1/multiplier)",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: penaltyBound((measured) => measured["multiplier"]!),
    init: (w) => ({ w, z: w, multiplier: first(w), k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "f2sa", problem, point, steps);
      const { w, z: lastZ, multiplier, k } = point.state as State;
      const ofValue = { steps, learningRate: valueLearningRate };
      const z = descendValue(levels, problem, ofValue, lastZ, k);
      const ofResponse = { steps, learningRate, isScaled: false };
      const y = descendPenalized(levels, problem, ofResponse, w, multiplier, k);
      const grow = (multiplier: np.Array, k: np.Array): np.Array =>
        multiplier.add(rateAt(increment, k, multiplier.dtype));
      const next = program.call(grow, multiplier, k);
      const penalized = penaltyGradient(program, levels, y, z, multiplier);
      return {
        value: levels.outerValue(y),
        gradient: penalized.gradient,
        w: y,
        state: { w: y, z, multiplier: next, k: nextStep(program, k) },
        report: {
          ...levels.measure(w, y),
          ...levels.measureGap(y, z),
          ...penalized.measured,
          multiplier,
        },
        cost: {
          innerGradients: 2 * steps + 2,
          outerGradients: steps + 1,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: countElements(z),
          reportGradients: 3,
        },
      };
    },
  };
}

type State = {
  readonly w: Tree<Value>;
  readonly z: Tree<Value>;
  readonly multiplier: Value;
  readonly k: Value;
};
