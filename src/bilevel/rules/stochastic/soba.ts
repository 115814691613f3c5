/**
 * Stochastic bilevel algorithm (SOBA): response, linear system and leader move at once, each along an unbiased direction
 * that is linear in the data, all taken at the same old iterates.
 *
 *     z⁺ = z − ρ ∇_w L(z, λ)
 *     v⁺ = v − ρ (∇²_ww L(z, λ) v + ∇_w E(z, λ))
 *     h  = ∇_λ E(z, λ) + ∇²_λw L(z, λ) v
 */
import { checkOptions, countElements } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { Rule } from "../../rule.ts";
import { openLevels } from "../../estimate/levels.ts";
import {
  directionsOf,
  firstState,
  move,
  noBoundOnSamples,
  ratesOf,
  type StochasticOptions,
  type StochasticState,
} from "./stochastic.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

/** Options of {@link soba}. */
export type SobaOptions = StochasticOptions;

/**
 * The leader's direction of SOBA, at the z and v that the last outer step left.
 *
 * Costs one gradient of each objective, one Hessian-vector and one cross product; memory of two vectors. The state
 * carries z, v and the number of outer steps: start warm; a first evaluation has v = 0. On minibatches from `solve`'s
 * samplers every direction is unbiased at (z, v), and rates of z, v and λ that fall as k^(−1/2),
 * `powerLaw({ initial, power: -1 / 2 })`, converge; constant ones stop at a distance that their noise sets. Assumes a
 * strongly convex inner objective.
 *
 * The report measures `auxiliaryResidual`, ‖∇²_ww L v + ∇_w E‖.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Dagréou et al., "A framework for bilevel optimization that enables stochastic and global variance reduction
 *   algorithms", NeurIPS 2022.
 * @example
 * const rate = (initial: number) => powerLaw({ initial, power: -1 / 2 });
 * const optimizer = gradientDescent({ learningRate: rate(0.05) });
 * await solve(problem, { rule: soba({ learningRate: rate(0.2) }), optimizer, lambda, w, data });
 */
export function soba(options: SobaOptions = {}): Rule {
  checkOptions("soba", options, {
    learningRate: "any",
    auxiliaryLearningRate: "any",
    tolerance: TOLERANCE,
  });
  const rates = ratesOf("soba", options);
  return {
    name: "soba",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w|)",
      bias: "it is the leader's part of a joint step, exact only where the gradient norm and the auxiliary residual are 0",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: firstState,
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "soba", problem, point, 1);
      const { w: z, v, k } = point.state as StochasticState;
      const { response, auxiliary, leader } = directionsOf(levels, z, v);
      const norm = program.call(treeNorm, response);
      return {
        value: levels.outerValue(z),
        gradient: leader,
        w: z,
        state: {
          w: move(program, rates.z, z, response, k),
          v: move(program, rates.v, v, auxiliary, k),
          k: nextStep(program, k),
        },
        report: {
          innerGradientNorm: norm,
          initialInnerGradientNorm: norm,
          auxiliaryResidual: program.call(treeNorm, auxiliary),
        },
        cost: {
          innerGradients: 1,
          outerGradients: 1,
          hessianVectorProducts: 1,
          crossProducts: 1,
          storedFloats: countElements(v),
          reportGradients: 0,
        },
      };
    },
  };
}
