/**
 * Single-loop averaged method (sl-BAMM): the implicit hypergradient of the aggregated objective φ = μE + (1 − μ)L, whose
 * Hessian is nonsingular where L is only convex, with one step of the response y and one of the linear system's solution v.
 *
 *     y⁺ = y − β ∇_w φ(y, λ)
 *     v⁺ = v − η (∇²_ww φ(y, λ) v − ∇_w E(y, λ))
 *     h  = ∇_λ E(y, λ) − ∇²_λw φ(y, λ) v
 */
import { callTree, checkOptions, countElements, treeMap } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { zerosLikeTree } from "../../estimate/leaves.ts";
import { powerLaw } from "../../optimizers/power-law.ts";
import type { Schedule } from "../../optimizers/schedule.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import {
  checkRate,
  descend,
  gradientOf,
  openLevels,
  rateAt,
  type AtLeader,
  type Rate,
} from "../../estimate/levels.ts";
import { nextStep, rateValue } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm, dot } from "../../../linear/internal.ts";

/** Options of {@link slBamm}. */
export interface SlBammOptions {
  /** μ_k in [0, 1], which must fall to 0 slowly. Default `powerLaw({ initial: 0.9, power: -1 / 10 })`. */
  readonly aggregation?: Rate;
  /** β_k > 0 of the response's step. Default 0.1. */
  readonly learningRate?: Rate;
  /** η_k > 0 of v's step. Default `powerLaw({ initial: 0.1, power: -1 / 80 })`. */
  readonly auxiliaryLearningRate?: Rate;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The leader's direction of sl-BAMM, at the y and v that the last outer step left.
 *
 * Costs one gradient, one Hessian-vector and one cross product of each of the two objectives. The state carries y, v and
 * the number of outer steps: start warm; a first evaluation has v = 0. Assumes a convex inner objective, and an
 * outer one that is strongly convex in the weights. {@link slBammLeaderRate} is the published leader's schedule.
 *
 * The report measures `responseResidual`, ‖∇_w φ‖, `auxiliaryResidual`, ‖∇²_ww φ v − ∇_w E‖, which with the
 * hypergradient's norm are the stationarity of the method, and `aggregation`, μ.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Liu et al., "Averaged method of multipliers for bi-level optimization without lower-level strong convexity",
 *   ICML 2023.
 * @example
 * const optimizer = gradientDescent({ learningRate: slBammLeaderRate() });
 * await solve(problem, { rule: slBamm(), optimizer, lambda, w, data });
 */
export function slBamm(options: SlBammOptions = {}): Rule {
  checkOptions("slBamm", options, {
    aggregation: "any",
    learningRate: "any",
    auxiliaryLearningRate: "any",
    tolerance: TOLERANCE,
  });
  const {
    aggregation = powerLaw({ initial: MU, power: -1 / P }),
    learningRate = 0.1,
    auxiliaryLearningRate = powerLaw({ initial: 0.1, power: -TAU / 2 }),
  } = options;
  checkRate("slBamm: aggregation", aggregation, { atLeast: 0, atMost: 1 });
  checkRate("slBamm: learningRate", learningRate, { above: 0 });
  checkRate("slBamm: auxiliaryLearningRate", auxiliaryLearningRate, { above: 0 });
  return {
    name: "sl-bamm",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it is the leader's part of a joint step, exact only where response and auxiliary residual and the aggregation are 0",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: {
      kind: "none",
      why: "its theory bounds the averaged objective's stationarity over a run, not the error of one direction",
    },
    init: (w) => ({ w, v: zerosLikeTree(w), k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "slBamm", problem, point, 1);
      const { w: y, v, k } = point.state as State;
      const mu = rateValue(program, aggregation, k, y);
      const aggregated = (at: AtLeader, y: Arrays, mu: np.Array): np.Array =>
        at
          .outer(y)
          .mul(mu)
          .add(at.inner(y).mul(np.subtract(1, mu)));
      const ofOuter = levels.jointGradient((at: AtLeader, y: Arrays) => at.outer(y), y);
      const ofAggregated = levels.jointGradient(aggregated, y, mu);
      // The gradient of ⟨∇_w φ, v⟩ holds both products with v.
      const along = (at: AtLeader, y: Arrays, v: Arrays, mu: np.Array): np.Array =>
        dot(
          gradientOf((y) => aggregated(at, y, mu), y),
          v,
        );
      const products = levels.jointGradient(along, y, v, mu);
      const residual = callTree(program, subtract, products.w, ofOuter.w);
      const step = (rate: Rate, x: Tree<Value>, direction: Tree<Value>): Tree<Value> => {
        const move = (x: Arrays, direction: Arrays, k: np.Array): Arrays =>
          descend(x, direction, (dtype) => rateAt(rate, k, dtype));
        return callTree(program, move, x, direction, k);
      };
      return {
        value: levels.outerValue(y),
        gradient: callTree(program, subtract, ofOuter.lambda, products.lambda),
        w: y,
        state: {
          w: step(learningRate, y, ofAggregated.w),
          v: step(auxiliaryLearningRate, v, residual),
          k: nextStep(program, k),
        },
        report: {
          ...levels.measure(y, y),
          responseResidual: program.call(treeNorm, ofAggregated.w),
          auxiliaryResidual: program.call(treeNorm, residual),
          aggregation: mu,
        },
        cost: {
          innerGradients: 1,
          outerGradients: 1,
          hessianVectorProducts: 1,
          outerHessianVectorProducts: 1,
          crossProducts: 1,
          outerCrossProducts: 1,
          storedFloats: countElements(v),
          reportGradients: 1,
        },
      };
    },
  };
}

/**
 * The published learning rate of sl-BAMM's leader, α_k = s·(k + 1)^(−3τ/2)·μ_k³ with μ_k = μ_0 (k + 1)^(−1/p).
 *
 * @param options.scale - s > 0. Default 0.1.
 */
export function slBammLeaderRate(options: { scale?: number } = {}): Schedule {
  checkOptions("slBammLeaderRate", options, { scale: "number" });
  const { scale = 0.1 } = options;
  return powerLaw({ initial: scale * MU ** 3, power: (-3 * TAU) / 2 - 3 / P });
}

// The published schedules: μ_k = 0.9 (k + 1)^(−1/10), τ = 1/40.
const MU = 0.9;
const P = 10;
const TAU = 1 / 40;

type State = { readonly w: Tree<Value>; readonly v: Tree<Value>; readonly k: Value };

function subtract(a: Arrays, b: Arrays): Arrays {
  return treeMap((x: np.Array, y: np.Array) => x.sub(y), a, b);
}
