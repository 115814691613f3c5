/**
 * Single-timescale double-momentum stochastic approximation (SUSTAIN): the directions of response and leader both recycle
 * their last value (STORM), the leader's being one random term of Neumann's series (HIA).
 *
 *     f(λ, z) = ∇_w L(z, λ),   g(λ, z) = ∇_λ E(z, λ) − N η_N ∇²_λw L(z, λ) (I − η_N ∇²_ww L(z, λ))^p ∇_w E(z, λ)
 *     d_k = f(λ_k, z_k) + (1 − η) (d_{k−1} − f(λ_{k−1}, z_{k−1})),      z_{k+1} = z_k − ρ d_k
 *     h_k = g(λ_k, z_k) + (1 − η) (h_{k−1} − g(λ_{k−1}, z_{k−1})),      p uniform on 0 … N − 1
 *
 * Old and new point of one outer step see the same minibatches and the same p.
 */
import { checkOptions, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { Rule } from "../../rule.ts";
import { checkRate, type Rate } from "../../estimate/levels.ts";
import { checkSeed, hia } from "./neumann-estimators.ts";
import { noBoundOnSamples, ratesOf, type StochasticOptions } from "./stochastic.ts";
import { estimateStorm, firstStorm } from "./storm.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link sustain}. */
export interface SustainOptions extends Omit<StochasticOptions, "auxiliaryLearningRate"> {
  /** N ≥ 1: p is drawn below it. Default 10. */
  readonly terms?: number;
  /** η_N > 0 of the series, below 2/λ_max of the inner Hessian. Default: as `learningRate`. */
  readonly seriesStep?: Rate;
  /** η in (0, 1] of both directions, a number or a schedule; 1 recycles nothing. Default 0.5. */
  readonly momentum?: Rate;
  /** Seed of p, in [0, 2³²); p is a function of the seed and the outer step alone. Default 0. */
  readonly seed?: number;
}

/**
 * The leader's direction of SUSTAIN.
 *
 * Costs two gradients of each objective, 2(N − 1) Hessian-vector products, of which 2p matter, and two cross products.
 * The state carries z, the last z and λ, and both directions: start warm. An inner sampler with `perStep: N` gives ∇_w L and
 * then every product its own minibatch; without it all of them see the outer step's one. The published rates fall as
 * k^(−1/3), the momentum as k^(−2/3). Biased by the missing terms as `ttsa`. Assumes a strongly convex inner objective.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Khanduri et al., "A near-optimal algorithm for stochastic bilevel optimization via double-momentum", NeurIPS 2021.
 * @example
 * const rule = sustain({
 *   learningRate: powerLaw({ initial: 0.1, power: -1 / 3 }),
 *   momentum: powerLaw({ initial: 0.9, power: -2 / 3 }),
 *   seriesStep: 0.1,
 * });
 */
export function sustain(options: SustainOptions = {}): Rule {
  checkOptions("sustain", options, {
    terms: "number",
    seriesStep: "any",
    momentum: "any",
    seed: "number",
    tolerance: TOLERANCE,
    learningRate: "any",
  });
  const { terms = 10, momentum = 0.5, seed = 0 } = options;
  checkCount("sustain: terms", terms);
  checkRate("sustain: momentum", momentum, { above: 0, atMost: 1 });
  checkSeed("sustain: seed", seed);
  const { z: learningRate } = ratesOf("sustain", options);
  const { seriesStep = learningRate } = options;
  checkRate("sustain: seriesStep", seriesStep, { above: 0 });
  return {
    name: "sustain",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w| + |λ|)",
      bias: `it holds random terms of the inverse Hessian's series, whose mean has the first ${terms} terms`,
    },
    innerSteps: terms,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: firstStorm,
    estimate: (program, problem, point) =>
      estimateStorm(program, problem, point, {
        name: "sustain",
        learningRate,
        momentum,
        products: terms - 1,
        estimator: hia(seriesStep, terms, seed),
      }),
  };
}
