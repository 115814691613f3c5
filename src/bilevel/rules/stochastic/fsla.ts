/**
 * Fully single-loop algorithm (FSLA): one step of the response, one of the linear system at the new response, and a leader's
 * direction that recycles the last one (STORM).
 *
 *     z_k = z_{k−1} − ρ ∇_w L(z_{k−1}, λ_k)
 *     v_k = v_{k−1} − ρ (∇²_ww L(z_k, λ_k) v_{k−1} + ∇_w E(z_k, λ_k))
 *     g(λ, z, v) = ∇_λ E(z, λ) + ∇²_λw L(z, λ) v
 *     h_k = g(λ_k, z_k, v_k) + (1 − η) (h_{k−1} − g(λ_{k−1}, z_{k−1}, v_{k−1}))
 *
 * Both g of one outer step see the same minibatch.
 */
import { checkOptions, countElements } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { Tree, Value } from "../../../program/index.ts";
import { zerosLikeTree } from "../../estimate/leaves.ts";
import type { Rule } from "../../rule.ts";
import { checkRate, openLevels, type Rate } from "../../estimate/levels.ts";
import { recycle } from "./storm.ts";
import {
  directionsOf,
  firstState,
  leaderDirection,
  move,
  noBoundOnSamples,
  ratesOf,
  type StochasticOptions,
} from "./stochastic.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

/** Options of {@link fsla}. */
export interface FslaOptions extends StochasticOptions {
  /** η in (0, 1], a number or a schedule; 1 recycles nothing. Default 0.5. */
  readonly momentum?: Rate;
}

/**
 * The leader's direction of FSLA.
 *
 * Costs two gradients of each objective, one Hessian-vector and two cross products. The state carries z, v, the last λ and
 * the last direction: start warm. At outer step 0 the direction is g itself. Assumes a strongly convex inner objective.
 * All three published rates fall as k^(−1/2).
 *
 * The report measures `auxiliaryResidual`, ‖∇²_ww L(z_k) v_{k−1} + ∇_w E(z_k)‖.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Li, Gu, Huang, "A fully single loop algorithm for bilevel optimization without Hessian inverse", AAAI 2022.
 * @example
 * const rule = fsla({ learningRate: powerLaw({ initial: 0.1, power: -1 / 2 }), momentum: 0.5 });
 */
export function fsla(options: FslaOptions = {}): Rule {
  checkOptions("fsla", options, {
    momentum: "any",
    learningRate: "any",
    auxiliaryLearningRate: "any",
    tolerance: TOLERANCE,
  });
  const { momentum = 0.5 } = options;
  const rates = ratesOf("fsla", options);
  checkRate("fsla: momentum", momentum, { above: 0, atMost: 1 });
  return {
    name: "fsla",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w| + |λ|)",
      bias: "it is the leader's part of a joint step, exact only where the gradient norm and the auxiliary residual are 0",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: (w, lambda) => ({ ...firstState(w), lambda, direction: zerosLikeTree(lambda) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "fsla", problem, point, 1);
      const { w, v, lambda, direction, k } = point.state as State;
      const before = openLevels(program, "fsla", problem, { ...point, lambda }, 1);
      const first = directionsOf(levels, w, v).response;
      const z = move(program, rates.z, w, first, k);
      const { response, auxiliary } = directionsOf(levels, z, v);
      const solution = move(program, rates.v, v, auxiliary, k);
      const h = recycle(program, momentum, k, {
        now: leaderDirection(levels, z, solution),
        before: leaderDirection(before, w, v),
        direction,
      });
      return {
        value: levels.outerValue(z),
        gradient: h,
        w: z,
        state: { w: z, v: solution, k: nextStep(program, k), lambda: point.lambda, direction: h },
        report: {
          innerGradientNorm: program.call(treeNorm, response),
          initialInnerGradientNorm: program.call(treeNorm, first),
          auxiliaryResidual: program.call(treeNorm, auxiliary),
        },
        cost: {
          innerGradients: 1,
          outerGradients: 2,
          hessianVectorProducts: 1,
          crossProducts: 2,
          storedFloats: countElements(v) + 2 * countElements(point.lambda),
          reportGradients: 1,
        },
      };
    },
  };
}

type State = {
  readonly w: Tree<Value>;
  readonly v: Tree<Value>;
  readonly lambda: Tree<Value>;
  readonly direction: Tree<Value>;
  readonly k: Value;
};
