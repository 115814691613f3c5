/**
 * Closed-form hypergradient: the problem's `init` gives the follower's response itself, and is differentiated as it is.
 *
 *     w(λ) = init(λ, data),   h = ∇_λ E(w, λ) + (∂w/∂λ)ᵀ ∇_w E(w, λ)
 *
 * A follower without weights, w = [], leaves h = ∇_λ E(λ): plain training, for learners without an inner problem.
 */
import { numpy as np, tree } from "@jax-js/jax";
import { openFollower, weightsOf } from "../../estimate/follower.ts";
import { asDynamics } from "../../dynamics.ts";
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import type { Rule } from "../../rule.ts";
import type { Value } from "../../../program/index.ts";

/**
 * The exact hypergradient of a follower whose response `init` computes. Makes no inner step. The report measures the inner
 * gradient at the response, which is 0 up to rounding when `init` solves the inner problem.
 *
 * @throws TypeError, in an estimate, for a problem without an `init`, or minibatches stacked for the inner steps.
 * @see Bertinetto et al., "Meta-learning with differentiable closed-form solvers", ICLR 2019.
 */
export function closedForm(): Rule {
  return {
    name: "closed-form",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: true,
      strongConvexity: false,
      memory: "O(|w|)",
    },
    innerSteps: 0,
    tolerance: { relative: 1e-3, absolute: 1e-4 },
    bound: {
      kind: "none",
      why: "it is exact for the weights that init gives, whose distance from the inner solution is init's own matter",
    },
    init: (w) => ({ w, memory: [] }),
    estimate: (program, problem, point) => {
      if (!problem.init) {
        throw new TypeError(
          "closedForm: the problem must have an init that computes the follower's response from lambda and the inner data; give it, or use a rule that makes inner steps.",
        );
      }
      if (point.batched) {
        throw new TypeError(
          "closedForm: there are no inner steps to stack minibatches for; leave perStep out of the sampler.",
        );
      }
      const follower = openFollower(program, problem, point, { steps: 0, dynamics });
      const { start } = follower;
      const { value, adjoint } = follower.outer(start);
      const zero = program.call((x: np.Array) => np.zerosLike(x), value);
      const isEmpty = tree.leaves<Value>(start).length === 0;
      return {
        value,
        gradient: isEmpty ? adjoint.h : follower.gradient(adjoint, []),
        w: weightsOf(start),
        state: start,
        report: isEmpty
          ? { innerGradientNorm: zero, initialInnerGradientNorm: zero }
          : follower.measure(start),
        cost: {
          innerGradients: 0,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: 0,
          reportGradients: isEmpty ? 0 : 2,
        },
      };
    },
  };
}

/** Only its first state is used. */
const dynamics = asDynamics(gradientDescent({ learningRate: 1 }));
