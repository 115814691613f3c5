/**
 * First-order hypergradient: the follower makes its steps, and the derivative of each step is taken for the identity with
 * respect to the weights and for zero with respect to λ.
 *
 *     h = ∇_λ E(w_T, λ) + (∂w_0/∂λ)ᵀ ∇_w E(w_T, λ)
 *
 * The first weights depend on λ through the problem's `init`, or not at all.
 */
import { asDynamics } from "../bilevel/dynamics.ts";
import { openFollower, weightsOf } from "../bilevel/follower.ts";
import type { Rule } from "../bilevel/rule.ts";
import {
  checkCount,
  fullTolerance,
  type UnrolledOptions,
} from "../bilevel/rules/unrolled-options.ts";
import { countElements } from "../program/trees.ts";

/**
 * The hypergradient of first-order MAML. Costs T inner gradients and keeps one state; there is no second derivative in it.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1.
 * @see Finn et al., "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017, section 5.2.
 */
export function firstOrder(options: UnrolledOptions): Rule {
  const { steps, projection } = options;
  checkCount("firstOrder: steps", steps);
  const dynamics = asDynamics(options.dynamics);
  return {
    name: "first-order",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it takes the follower's steps for the identity, and leaves out how they depend on the hyperparameters",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      if (point.batched) {
        throw new TypeError(
          "firstOrder: the inner data must be one batch for all inner steps; leave perStep out of the sampler.",
        );
      }
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const { start, batches } = follower;
      const [last] = follower.forward(start, { first: 0, length: steps, batches });
      const { value, adjoint } = follower.outer(last);
      return {
        value,
        gradient: follower.gradient(adjoint, []),
        w: weightsOf(last),
        state: last,
        report: follower.measure(last),
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: countElements(last),
          reportGradients: 2,
        },
      };
    },
  };
}
