/**
 * First-order hypergradient: the follower makes its steps, and the derivative of each step is taken for the identity with
 * respect to the weights and for zero with respect to λ.
 *
 *     h = ∇_λ E(w_T, λ) + (∂w_0/∂λ)ᵀ ∇_w E(w_T, λ)
 *
 * The first weights depend on λ through the problem's `init`, or not at all.
 */
import { checkOptions, required } from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import type { Rule } from "../../rule.ts";
import type { UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { throughStart } from "./through-start.ts";

/**
 * The hypergradient of first-order MAML. Costs T inner gradients and keeps one state; there is no second derivative in it.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1.
 * @see Finn et al., "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017, section 5.2.
 */
export function firstOrder(options: UnrolledOptions): Rule {
  checkOptions("firstOrder", options, {
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  return throughStart(options, {
    factory: "firstOrder",
    name: "first-order",
    bias: "it takes the follower's steps for the identity, and leaves out how they depend on the hyperparameters",
    noBound:
      "what it leaves out is as large as the steps' derivatives are far from the identity, which is not measured",
    states: 1,
    adjoint: ({ outer }) => outer,
  });
}
