/**
 * Moreau-envelope method (MEHA): the inner minimum is taken near the response only,
 * v(λ, y) = min_θ L(θ, λ) + (γ/2)‖θ − y‖², and the gap L − v is a penalty. Single loop: every variable makes one step.
 *
 *     θ⁺ = θ − η(∇_w L(θ, λ) + γ(θ − y))
 *     y⁺ = y − β(∇_w E(y, λ)/c + ∇_w L(y, λ) − γ(y − θ⁺))
 *     h  = ∇_λ E(y, λ) + c(∇_λ L(y, λ) − ∇_λ L(θ⁺, λ))
 */
import { checkOptions, countElements, treeMap } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { penaltyBound } from "../bounds-adjoint.ts";
import { powerLaw } from "../../optimizers/power-law.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import {
  checkRate,
  descend,
  gradientOf,
  openLevels,
  rateAt,
  type Rate,
} from "../../estimate/levels.ts";
import { nextStep, penaltyGradient, rateValue } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link moreauEnvelope}. */
export interface MoreauEnvelopeOptions {
  /** β > 0 of the response's step, over the outer steps. */
  readonly learningRate: Rate;
  /** η > 0 of θ's step, over the outer steps. Default: as `learningRate`. */
  readonly proximalLearningRate?: Rate;
  /** γ > 0: how strongly θ is held to y; it must exceed the inner objective's weak convexity. Default 0.5. */
  readonly proximalWeight?: number;
  /** c > 0 over the outer steps. Default `powerLaw({ initial: 0.2, power: 0.25 })`, 0.2·(k + 1)^0.25. */
  readonly penalty?: Rate;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The leader's direction of the Moreau-envelope method, at the response y that the last outer step left.
 *
 * Costs 3 gradients of the inner and 1 of the outer objective; keeps no trajectory. The state carries y, θ and the
 * number of outer steps: start warm. Assumes a weakly convex inner objective. The direction is c times the published
 * one, so that it approximates dF/dλ for any c: the published step α is a learning rate of α/c_k.
 *
 * The report measures `gap`, L(y, λ) − L(θ⁺, λ), `responseDistance`, ‖y − θ⁺‖, `valueGradientNorm`, ‖∇_w L(θ⁺, λ)‖,
 * `penalizedGradientNorm`, ‖∇_w (E + cL)(y, λ)‖, and `penalty`, c.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Liu et al., "Moreau envelope for nonconvex bi-level optimization", ICML 2024.
 */
export function moreauEnvelope(options: MoreauEnvelopeOptions): Rule {
  checkOptions("moreauEnvelope", options, {
    learningRate: "any!",
    proximalLearningRate: "any",
    proximalWeight: "number",
    penalty: "any",
    tolerance: TOLERANCE,
  });
  const { learningRate, proximalLearningRate = learningRate, proximalWeight = 0.5 } = options;
  const { penalty = powerLaw({ initial: 0.2, power: 0.25 }) } = options;
  checkRate("moreauEnvelope: learningRate", learningRate, { above: 0 });
  checkRate("moreauEnvelope: proximalLearningRate", proximalLearningRate, { above: 0 });
  checkRate("moreauEnvelope: penalty", penalty, { above: 0 });
  if (!(proximalWeight > 0 && proximalWeight < Infinity)) {
    throw new RangeError(
      `moreauEnvelope: proximalWeight must be a finite number > 0; ${proximalWeight} came.`,
    );
  }
  return {
    name: "moreau-envelope",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it is that of the outer objective plus penalty times the gap to the Moreau envelope, whose minimizer is off by O(1/penalty)",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: penaltyBound((measured) => measured["penalty"]!),
    init: (w) => ({ w, theta: w, k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "moreauEnvelope", problem, point, 1);
      const { w: y, theta: lastTheta, k } = point.state as State;
      const c = rateValue(program, penalty, k, y);
      const toProximal = (
        theta: Arrays,
        lambda: Arrays,
        inner: Arrays,
        _outer: Arrays,
        y: Arrays,
        k: np.Array,
      ): Arrays => {
        const gradient = gradientOf((theta) => problem.inner(theta, lambda, inner), theta);
        const pulled = treeMap(
          (g: np.Array, theta: np.Array, y: np.Array) => g.add(theta.sub(y).mul(proximalWeight)),
          gradient,
          theta,
          y,
        );
        return descend(theta, pulled, (dtype) => rateAt(proximalLearningRate, k, dtype));
      };
      const theta = levels.repeat(1, toProximal, lastTheta, y, k);
      const toResponse = (
        y: Arrays,
        lambda: Arrays,
        inner: Arrays,
        outer: Arrays,
        theta: Arrays,
        c: np.Array,
        k: np.Array,
      ): Arrays => {
        const mixed = (y: Arrays): np.Array =>
          problem
            .outer(y, lambda, outer)
            .div(c)
            .add(problem.inner(y, lambda, inner));
        const released = treeMap(
          (g: np.Array, y: np.Array, theta: np.Array) => g.sub(y.sub(theta).mul(proximalWeight)),
          gradientOf(mixed, y),
          y,
          theta,
        );
        return descend(y, released, (dtype) => rateAt(learningRate, k, dtype));
      };
      const penalized = penaltyGradient(program, levels, y, theta, c);
      return {
        value: levels.outerValue(y),
        gradient: penalized.gradient,
        w: y,
        state: {
          w: levels.repeat(1, toResponse, y, theta, c, k),
          theta,
          k: nextStep(program, k),
        },
        report: {
          ...levels.measure(y, y),
          ...levels.measureGap(y, theta),
          ...penalized.measured,
          penalty: c,
        },
        cost: {
          innerGradients: 3,
          outerGradients: 1,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: countElements(theta),
          reportGradients: 2,
        },
      };
    },
  };
}

type State = { readonly w: Tree<Value>; readonly theta: Tree<Value>; readonly k: Value };
