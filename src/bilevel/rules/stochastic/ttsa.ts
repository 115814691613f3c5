/**
 * Two-timescale stochastic approximation (TTSA), and with more inner steps the bilevel stochastic approximation (BSA): steps
 * of the response, then one random term of Neumann's series (HIA).
 *
 *     z ← z − ρ ∇_w L(z, λ)                                                   T times
 *     p ~ uniform on 0 … N − 1,   v = −N η (I − η ∇²_ww L(z, λ))^p ∇_w E(z, λ)
 *     h = ∇_λ E(z, λ) + ∇²_λw L(z, λ) v
 */
import { checkOptions, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import type { Rule } from "../../rule.ts";
import { checkRate, type Rate } from "../../estimate/levels.ts";
import { estimateNested } from "./nested.ts";
import { checkSeed, drawLength, firstResponse, hia } from "./neumann-estimators.ts";
import { noBoundOnSamples, ratesOf, type StochasticOptions } from "./stochastic.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link ttsa}. */
export interface TtsaOptions extends Omit<StochasticOptions, "auxiliaryLearningRate"> {
  /** T ≥ 1, steps of z. Default 1, which is TTSA; more is BSA. */
  readonly steps?: number;
  /** N ≥ 1: p is drawn below it, and the estimate's mean is the series of N terms. Default 10. */
  readonly terms?: number;
  /** η > 0 of the series, below 2/λ_max of the inner Hessian. Default: as `learningRate`. */
  readonly seriesStep?: Rate;
  /** Seed of p, in [0, 2³²); p is a function of the seed and the outer step alone. Default 0. */
  readonly seed?: number;
}

/**
 * The hypergradient through one random term of the inverse Hessian's series.
 *
 * Costs T inner gradients, N − 1 Hessian-vector products, of which p matter, and one cross product; memory of two vectors.
 * The state carries z and the number of outer steps, which counts the draws of p. An inner sampler with
 * `perStep: rule.innerSteps`, T + N − 1, gives every step of z and then every product its own minibatch; without
 * `perStep` all of them see the outer step's one.
 *
 * Over p unbiased for the series of N terms, with a variance that grows with N; biased by the terms that are missing.
 * The published rates fall as k^(−2/5) for z and k^(−3/5) for λ. Assumes a strongly convex inner objective.
 *
 * The report measures `exponent`, p.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Hong et al., "A two-timescale stochastic algorithm framework for bilevel optimization", SIAM J. Optim. 2023;
 *   Ghadimi and Wang, "Approximation methods for bilevel programming", 2018, for the estimate and BSA.
 * @example
 * const rule = ttsa({ learningRate: powerLaw({ initial: 0.2, power: -2 / 5 }), terms: 10, seriesStep: 0.5 });
 */
export function ttsa(options: TtsaOptions = {}): Rule {
  checkOptions("ttsa", options, {
    steps: "number",
    terms: "number",
    seriesStep: "any",
    seed: "number",
    tolerance: TOLERANCE,
    learningRate: "any",
  });
  const { steps = 1, terms = 10, seed = 0 } = options;
  checkCount("ttsa: steps", steps);
  checkCount("ttsa: terms", terms);
  checkSeed("ttsa: seed", seed);
  const { z: learningRate } = ratesOf("ttsa", options);
  const { seriesStep = learningRate } = options;
  checkRate("ttsa: seriesStep", seriesStep, { above: 0 });
  return {
    name: "ttsa",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w|)",
      bias: `it is a random term of the inverse Hessian's series, whose mean has the first ${terms} terms`,
    },
    innerSteps: steps + terms - 1,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    init: firstResponse,
    estimate: (program, problem, point) => {
      const estimate = estimateNested(program, problem, point, {
        name: "ttsa",
        steps,
        learningRate,
        products: terms - 1,
        estimator: hia(seriesStep, terms, seed),
      });
      const { k } = point.state as { k: typeof estimate.value };
      const exponent = drawLength(program, terms, seed, k);
      return { ...estimate, report: { ...estimate.report, exponent } };
    },
  };
}
