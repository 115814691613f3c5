/**
 * Stochastic bilevel optimizer (StocBiO): a few steps of the response, then Neumann's series from its start with one
 * minibatch for each Hessian-vector product (SHIA).
 *
 *     z ← z − ρ ∇_w L(z, λ)                                               N times
 *     p = s = ∇_w E(z, λ);   p ← p − η ∇²_ww L(z, λ) p,  s ← s + p        J times;   v = −η s
 *     h = ∇_λ E(z, λ) + ∇²_λw L(z, λ) v
 */
import { checkOptions, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { Rule } from "../../rule.ts";
import { checkRate, type Rate } from "../../estimate/levels.ts";
import { estimateNested } from "./nested.ts";
import { firstResponse, shia } from "./neumann-estimators.ts";
import { noBoundOnSamples, ratesOf, type StochasticOptions } from "./stochastic.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link stocBio}. */
export interface StocBioOptions extends Omit<StochasticOptions, "auxiliaryLearningRate"> {
  /** N ≥ 1, steps of z. Default 10. */
  readonly steps?: number;
  /** J ≥ 1, Hessian-vector products; the series has J + 1 terms. Default 10. */
  readonly products?: number;
  /** η > 0 of the series, below 2/λ_max of the inner Hessian. Default: as `learningRate`. */
  readonly seriesStep?: Rate;
}

/**
 * The hypergradient through a truncated series of the inverse Hessian, whose minibatches are independent.
 *
 * Costs N inner gradients, J Hessian-vector and one cross product; memory of two vectors. The state carries z and the
 * number of outer steps. An inner sampler with `perStep: N + J` gives every step of z and then every product its own
 * minibatch, as published; without `perStep` all of them see the outer step's one.
 *
 * Biased by the terms that are missing, as (1 − η·λ_min)^(J + 1): the leader comes to rest beside the solution however small
 * its steps are. {@link amigo} and {@link soba}, which warm-start v, have no such bias. Assumes a strongly convex
 * inner objective.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Ji, Yang, Liang, "Bilevel optimization: convergence analysis and enhanced design", ICML 2021.
 * @example
 * const rule = stocBio({ steps: 10, products: 10, learningRate: 0.1, seriesStep: 0.5 });
 */
export function stocBio(options: StocBioOptions = {}): Rule {
  checkOptions("stocBio", options, {
    steps: "number",
    products: "number",
    seriesStep: "any",
    tolerance: TOLERANCE,
    learningRate: "any",
  });
  const { steps = 10, products = 10 } = options;
  checkCount("stocBio: steps", steps);
  checkCount("stocBio: products", products);
  const { z: learningRate } = ratesOf("stocBio", options);
  const { seriesStep = learningRate } = options;
  checkRate("stocBio: seriesStep", seriesStep, { above: 0 });
  return {
    name: "stocbio",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w|)",
      bias: `it cuts the series of the inverse Hessian after ${products + 1} terms`,
    },
    innerSteps: steps + products,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: firstResponse,
    estimate: (program, problem, point) =>
      estimateNested(program, problem, point, {
        name: "stocBio",
        steps,
        learningRate,
        products,
        estimator: shia(seriesStep),
      }),
  };
}
