/**
 * BOME: one joint descent of (λ, y) on E, bent so that the value gap q falls at the rate that a barrier φ asks for.
 *
 *     z: T steps on L(·, λ) from y, held constant;   q(λ, y) = L(y, λ) − L(z, λ)
 *     m = max(η‖∇q‖² − ⟨∇E, ∇q⟩, 0) / ‖∇q‖²,   (λ, y) ← (λ, y) − ξ(∇E + m·∇q)
 */
import { checkOptions, countElements, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np, tree } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { penaltyBound } from "../bounds-adjoint.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import {
  checkRate,
  descend,
  openLevels,
  rateAt,
  type AtLeader,
  type Joint,
  type Rate,
} from "../../estimate/levels.ts";
import { descendValue, nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm, dot } from "../../../linear/internal.ts";

/** Options of {@link bome}. */
export interface BomeOptions {
  /** T ≥ 1, steps of the minimizer z from y. Default 10. */
  readonly steps?: number;
  /** Of the minimizer's steps, over the outer steps. */
  readonly learningRate: Rate;
  /** ξ > 0 of y, over the outer steps; the leader's ξ is the outer optimizer's learning rate. */
  readonly responseLearningRate: Rate;
  /** η > 0 of the barrier φ = η‖∇q‖². Default 0.5. */
  readonly eta?: number;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The leader's part of BOME's joint direction, at the response y that the last outer step left; y moves with it.
 *
 * Costs T + 2 gradients of the inner and 1 of the outer objective; keeps no trajectory. The state carries y and the
 * number of outer steps: start warm. Assumes a Polyak–Łojasiewicz inequality of the inner objective. m = 0 where
 * ‖∇q‖² < 1e-12. The fixed points are inexact: with few steps of z the gap, and so the multiplier, is underestimated.
 *
 * The report measures `gap`, q, `responseDistance`, ‖y − z‖, `valueGradientNorm`, ‖∇_w L(z, λ)‖, `penalizedGradientNorm`,
 * ‖∇_w (E + mL)(y, λ)‖, and `multiplier`, m.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Ye et al., "BOME! Bilevel optimization made easy: a simple first-order approach", NeurIPS 2022.
 */
export function bome(options: BomeOptions): Rule {
  checkOptions("bome", options, {
    steps: "number",
    learningRate: "any!",
    responseLearningRate: "any!",
    eta: "number",
    tolerance: TOLERANCE,
  });
  const { steps = 10, learningRate, responseLearningRate, eta = 0.5 } = options;
  checkCount("bome: steps", steps);
  checkRate("bome: learningRate", learningRate, { above: 0 });
  checkRate("bome: responseLearningRate", responseLearningRate, { above: 0 });
  if (!(eta > 0 && eta < Infinity)) {
    throw new RangeError(`bome: eta must be a finite number > 0; ${eta} came.`);
  }
  return {
    name: "bome",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it is the leader's part of a joint direction, whose fixed points depend on the learning rates and on the steps that estimate the inner minimum",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: penaltyBound((measured) => measured["multiplier"]!),
    init: (w) => ({ w, k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "bome", problem, point, steps);
      const { w: y, k } = point.state as State;
      const z = descendValue(levels, problem, { steps, learningRate }, y, k);
      const ofOuter = levels.jointGradient((at: AtLeader, y: Arrays) => at.outer(y), y);
      const gapOf = (at: AtLeader, y: Arrays, z: Arrays): np.Array => at.inner(y).sub(at.inner(z));
      const ofGap = levels.jointGradient(gapOf, y, z);
      const combine = (outer: Joint<Arrays>, gap: Joint<Arrays>): Combined<np.Array> => {
        const squared = dot(gap, gap);
        const wanted = np.maximum(squared.mul(eta).sub(dot(outer, gap)), 0);
        const isFlat = np.less(squared, 1e-12);
        const multiplier = np.where(isFlat, 0, wanted.div(np.where(isFlat, 1, squared)));
        const add = (e: np.Array, q: np.Array): np.Array =>
          e.add(q.mul(multiplier.astype(q.dtype)));
        return { direction: tree.map(add, outer, gap) as Joint<Arrays>, multiplier };
      };
      const combined = program.call(combine as never, ofOuter, ofGap);
      const { direction, multiplier } = combined as Combined<Value>;
      const move = (y: Arrays, direction: Arrays, k: np.Array): Arrays =>
        descend(y, direction, (dtype) => rateAt(responseLearningRate, k, dtype));
      const next: Tree<Value> = program.call(move as never, y, direction.w, k);
      return {
        value: levels.outerValue(y),
        gradient: direction.lambda,
        w: y,
        state: { w: next, k: nextStep(program, k) },
        report: {
          ...levels.measure(y, y),
          ...levels.measureGap(y, z),
          penalizedGradientNorm: program.call(treeNorm, direction.w),
          multiplier,
        },
        cost: {
          innerGradients: steps + 2,
          outerGradients: 1,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: countElements(z),
          reportGradients: 2,
        },
      };
    },
  };
}

type State = { readonly w: Tree<Value>; readonly k: Value };
type Combined<T> = { readonly direction: Joint<Tree<T>>; readonly multiplier: T };
