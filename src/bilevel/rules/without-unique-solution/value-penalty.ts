/**
 * The value gap as a penalty (V-PBGD): the leader minimises E over both levels' variables, and pays for a response that
 * is not an inner solution.
 *
 *     z: Q1 steps on L(z, λ)                                  z estimates a minimizer, ψ(λ) ≈ L(z, λ)
 *     y: Q2 steps on E(y, λ) + γ(L(y, λ) − L(z, λ))           with the step s/(1 + γ)
 *     h = ∇_λ E(y, λ) + γ(∇_λ L(y, λ) − ∇_λ L(z, λ))
 */
import { checkOptions, countElements, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { penaltyBound } from "../bounds-adjoint.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import { checkRate, openLevels, type Rate } from "../../estimate/levels.ts";
import {
  descendPenalized,
  descendValue,
  nextStep,
  penaltyGradient,
  rateValue,
} from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link valuePenalty}. */
export interface ValuePenaltyOptions {
  /** γ ≥ 0 over the outer steps, for example `linearRamp({ from: 1, to: 50, steps: 2000 })`. */
  readonly penalty: Rate;
  /** Q2 ≥ 1, steps of the response y. */
  readonly steps: number;
  /** s > 0 of the response's steps, over the outer steps; divided by 1 + γ. */
  readonly learningRate: Rate;
  /** Q1 ≥ 1, steps of the minimizer z. Default: as many as `steps`. */
  readonly valueSteps?: number;
  /** Of the minimizer's steps. Default: as `learningRate`, which is not divided by 1 + γ here. */
  readonly valueLearningRate?: Rate;
  /**
   * Where z starts in each outer step. "response" (default): at y, so that the gap compares y with the minimum of its own
   * basin; "warm": where z ended last, which is more exact where there is only one.
   */
  readonly valueStart?: "response" | "warm";
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The gradient of the penalized problem at the follower's response, by first derivatives alone.
 *
 * Costs Q1 + Q2 + 2 gradients of the inner and Q2 + 1 of the outer objective; keeps no trajectory. The state carries y,
 * z and the number of outer steps, which the schedules see: start warm. With y and z at their minimizers it is the
 * exact gradient of min_y E + γ(L − ψ), whose minimizer differs from the leader's by O(1/γ) where the gap grows
 * quadratically (the Polyak–Łojasiewicz condition). An optimizer whose learning rate falls like 1/(1 + γ) keeps the
 * outer steps stable too.
 *
 * The report measures `gap`, L(y, λ) − L(z, λ), `responseDistance`, ‖y − z‖, `valueGradientNorm`, ‖∇_w L(z, λ)‖,
 * `penalizedGradientNorm`, ‖∇_w (E + γL)(y, λ)‖, and `penalty`.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`, or `valueStart` is neither
 *   word.
 * @see Shen, Chen, "On penalty-based bilevel gradient descent method", ICML 2023.
 * @example
 * const penalty = linearRamp({ from: 1, to: 50, steps: 2000 });
 * const rule = valuePenalty({ penalty, steps: 5, learningRate: 0.5 });
 */
export function valuePenalty(options: ValuePenaltyOptions): Rule {
  checkOptions("valuePenalty", options, {
    penalty: "any!",
    steps: "number!",
    learningRate: "any!",
    valueSteps: "number",
    valueLearningRate: "any",
    valueStart: "string",
    tolerance: TOLERANCE,
  });
  const { penalty, steps, learningRate, valueStart = "response" } = options;
  const { valueSteps = steps, valueLearningRate = learningRate } = options;
  checkRate("valuePenalty: penalty", penalty, { atLeast: 0 });
  checkRate("valuePenalty: learningRate", learningRate, { above: 0 });
  checkRate("valuePenalty: valueLearningRate", valueLearningRate, { above: 0 });
  checkCount("valuePenalty: steps", steps);
  checkCount("valuePenalty: valueSteps", valueSteps);
  if (valueStart !== "response" && valueStart !== "warm") {
    throw new TypeError(
      `valuePenalty: valueStart must be "response" or "warm"; ${String(valueStart)} came.`,
    );
  }
  const innerSteps = Math.max(steps, valueSteps);
  return {
    name: "value-penalty",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it is that of the outer objective plus penalty times the gap, whose minimizer is off by O(1/penalty); the gap tells how far the response is from an inner solution",
    },
    innerSteps,
    tolerance: fullTolerance(options.tolerance),
    bound: penaltyBound((measured) => measured["penalty"]!),
    init: (w) => ({ w, z: w, k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "valuePenalty", problem, point, innerSteps);
      const { w, z: lastZ, k } = point.state as State;
      const gamma = rateValue(program, penalty, k, w);
      const ofValue = { steps: valueSteps, learningRate: valueLearningRate };
      const z = descendValue(levels, problem, ofValue, valueStart === "warm" ? lastZ : w, k);
      const ofResponse = { steps, learningRate, isScaled: true };
      const y = descendPenalized(levels, problem, ofResponse, w, gamma, k);
      const penalized = penaltyGradient(program, levels, y, z, gamma);
      return {
        value: levels.outerValue(y),
        gradient: penalized.gradient,
        w: y,
        state: { w: y, z, k: nextStep(program, k) },
        report: {
          ...levels.measure(w, y),
          ...levels.measureGap(y, z),
          ...penalized.measured,
          penalty: gamma,
        },
        cost: {
          innerGradients: valueSteps + steps + 2,
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

type State = { readonly w: Tree<Value>; readonly z: Tree<Value>; readonly k: Value };
