/**
 * Momentum-based recursive bilevel optimizer (MRBO): the directions of response and leader both recycle their last value
 * (STORM), the leader's being that of StocBiO's series (SHIA).
 *
 *     f(λ, z) = ∇_w L(z, λ),   g(λ, z) = ∇_λ E(z, λ) − η_J ∇²_λw L(z, λ) Σ_{i=0}^{J} (I − η_J ∇²_ww L(z, λ))ⁱ ∇_w E(z, λ)
 *     d_k = f(λ_k, z_k) + (1 − η) (d_{k−1} − f(λ_{k−1}, z_{k−1})),      z_{k+1} = z_k − ρ d_k
 *     h_k = g(λ_k, z_k) + (1 − η) (h_{k−1} − g(λ_{k−1}, z_{k−1}))
 *
 * Old and new point of one outer step see the same minibatches.
 */
import { checkOptions, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { Rule } from "../../rule.ts";
import { checkRate, type Rate } from "../../estimate/levels.ts";
import { shia } from "./neumann-estimators.ts";
import { noBoundOnSamples, ratesOf, type StochasticOptions } from "./stochastic.ts";
import { estimateStorm, firstStorm } from "./storm.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link mrbo}. */
export interface MrboOptions extends Omit<StochasticOptions, "auxiliaryLearningRate"> {
  /** J ≥ 1, Hessian-vector products; the series has J + 1 terms. Default 10. */
  readonly products?: number;
  /** η_J > 0 of the series, below 2/λ_max of the inner Hessian. Default: as `learningRate`. */
  readonly seriesStep?: Rate;
  /** η in (0, 1] of both directions, a number or a schedule; 1 recycles nothing. Default 0.5. */
  readonly momentum?: Rate;
}

/**
 * The leader's direction of MRBO.
 *
 * Costs two gradients of each objective, 2J Hessian-vector and two cross products. The state carries z, the last z and
 * λ, and both directions: start warm. An inner sampler with `perStep: J + 1` gives ∇_w L and then every product its own
 * minibatch; without it all of them see the outer step's one. The published rates fall as k^(−1/3), the momentum as
 * k^(−2/3). Biased by the missing terms as {@link stocBio}. Assumes a strongly convex inner objective.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Yang, Ji, Liang, "Provably faster algorithms for bilevel optimization", NeurIPS 2021.
 * @example
 * const rule = mrbo({
 *   learningRate: powerLaw({ initial: 0.1, power: -1 / 3 }),
 *   momentum: powerLaw({ initial: 0.9, power: -2 / 3 }),
 *   seriesStep: 0.1,
 * });
 */
export function mrbo(options: MrboOptions = {}): Rule {
  checkOptions("mrbo", options, {
    products: "number",
    seriesStep: "any",
    momentum: "any",
    tolerance: TOLERANCE,
    learningRate: "any",
  });
  const { products = 10, momentum = 0.5 } = options;
  checkCount("mrbo: products", products);
  checkRate("mrbo: momentum", momentum, { above: 0, atMost: 1 });
  const { z: learningRate } = ratesOf("mrbo", options);
  const { seriesStep = learningRate } = options;
  checkRate("mrbo: seriesStep", seriesStep, { above: 0 });
  return {
    name: "mrbo",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w| + |λ|)",
      bias: `it cuts the series of the inverse Hessian after ${products + 1} terms, at a response that is still moving`,
    },
    innerSteps: 1 + products,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: firstStorm,
    estimate: (program, problem, point) =>
      estimateStorm(program, problem, point, {
        name: "mrbo",
        learningRate,
        momentum,
        products,
        estimator: shia(seriesStep),
      }),
  };
}
