/**
 * Forward-mode hypergradient: the derivative of the follower's steps w_t = Φ_t(w_{t−1}, λ) travels with them.
 *
 *     Z_0 = ∂Φ_0/∂λ                                    (0 unless the first weights depend on λ)
 *     for t = 1..T:   Z_t = (∂Φ_t/∂w) Z_{t−1} + ∂Φ_t/∂λ
 *     dF/dλ = ∇_λ E(w_T, λ) + Z_Tᵀ ∇_w E(w_T, λ)
 *
 * w stands for the dynamics' whole state, so that momentum and Adam are differentiated exactly.
 */
import { checkOptions, countElements, required, checkCount } from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import { measureDerivative, unrolledBound } from "../bounds-unrolled.ts";
import { asDynamics } from "../../dynamics.ts";
import { forwardPass, leftOutReport, warmBias } from "../../estimate/left-out.ts";
import { openFollower, weightsOf } from "../../estimate/follower.ts";
import type { Rule } from "../../rule.ts";
import { openTangents } from "../../estimate/tangents.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/**
 * The exact hypergradient of the follower after T steps, the same as `reverse`'s, without its trajectory: for few
 * hyperparameters and many steps.
 *
 * Costs T inner gradients and, for m hyperparameters, T·m Hessian-vector and T·m cross products, all m directions of a
 * step at once; memory m·|w|, whatever T. With a `prepare`, m times the prepared inner data of a step as well. The
 * directions go through jax-js' `vmap`, which has no rule for `lax.reduceWindow`: pool by reshape and max.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, algorithm 2.
 * @example
 * const rule = forward({ steps: 1000, dynamics: momentum({ learningRate: 0.1, momentum: 0.9 }) });
 */
export function forward(options: UnrolledOptions): Rule {
  checkOptions("forward", options, {
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, projection } = options;
  checkCount("forward: steps", steps);
  const dynamics = asDynamics(options.dynamics);
  return {
    name: "forward",
    needs: {
      batching: true,
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|λ|·|w|)",
      warmBias: warmBias(steps),
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: unrolledBound({ ...options, keep: steps }),
    ...leftOutReport(steps, false),
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const tangents = openTangents(program, problem, point, follower);
      const { isWarm = false } = point;
      const { last, z, leftOut } = forwardPass(
        program,
        tangents,
        { state: follower.start, z: tangents.start },
        { first: 0, length: steps, batches: follower.batches },
        isWarm,
      );
      const { value, adjoint } = follower.outer(last);
      const gradient = tangents.gradient(adjoint, z);
      const derivative = measureDerivative(program, adjoint, gradient);
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: last,
        report: {
          ...follower.measure(last),
          ...derivative,
          ...leftOut(adjoint, derivative.indirectGradientNorm),
        },
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep,
          hessianVectorProducts: steps * countElements(point.lambda),
          crossProducts: steps * countElements(point.lambda),
          storedFloats: tangents.storedFloats,
          reportGradients: 2,
        },
      };
    },
  };
}
