/**
 * Displacement: the leader moves toward where the follower ends, without any outer objective.
 *
 *     h = (∂w_0/∂λ)ᵀ (w_0 − w_T)
 *
 * With a problem whose `init` copies λ, and gradient descent of rate ε for the leader: λ ← λ + ε (w_T − λ).
 */
import { callTree, checkOptions, required, treeMap } from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import type { numpy as np } from "@jax-js/jax";
import { weightsOf } from "../../estimate/follower.ts";
import { zerosLikeTree } from "../../estimate/leaves.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import type { UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { throughStart } from "./through-start.ts";

/**
 * The rule of Reptile, h = (∂w_0/∂λ)ᵀ (w_0 − w_T). It is no derivative of the outer objective, whose value it reports, and 0
 * for a problem without an `init`. Costs T inner gradients and keeps two states.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1; TypeError, in an estimate, for minibatches stacked for the
 *   inner steps.
 * @see Nichol, Achiam, Schulman, "On first-order meta-learning algorithms", arXiv:1803.02999, 2018, algorithm 1.
 */
export function displacement(options: UnrolledOptions): Rule {
  checkOptions("displacement", options, {
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  return throughStart(options, {
    factory: "displacement",
    name: "displacement",
    bias: "it is the way from the follower's response back to its start, and not a derivative of the outer objective",
    noBound: "it is no derivative of the outer objective",
    states: 2,
    adjoint: ({ program, lambda, follower: { start, floats }, last, outer }) => {
      // Of the state only the weights are the leader's; an optimizer's memory starts anew.
      const back = (first: Arrays, last: Arrays): np.Array[] =>
        floats.take({
          ...(zerosLikeTree(first) as object),
          w: treeMap((a: np.Array, b: np.Array) => a.sub(b), weightsOf(first), weightsOf(last)),
        } as unknown as Arrays);
      return {
        alpha: program.call(back, start, last),
        h: callTree(program, zerosLikeTree, lambda),
        data: outer.data,
      };
    },
  });
}
