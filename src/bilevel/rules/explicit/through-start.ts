/**
 * What rules without second derivatives share: the follower makes its steps, and what is known at the end goes to λ through
 * the first weights alone, as if the steps were the identity.
 *
 *     h = h_T + (∂w_0/∂λ)ᵀ α,     α and h_T of the rule's choice
 */
import type { Program, Tree, Value } from "../../../program/index.ts";
import { countElements, checkCount } from "../../../program/internal.ts";
import { asDynamics } from "../../dynamics.ts";
import { openFollower, weightsOf, type Adjoint, type Follower } from "../../estimate/follower.ts";
import type { Rule } from "../../rule.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** What makes a rule of the frame. */
export interface ThroughStart {
  /** The exported function, for error messages. */
  readonly factory: string;
  readonly name: string;
  readonly bias: string;
  /** Why theory bounds no error; the end of "no error bound: …". */
  readonly noBound: string;
  /** States that are kept at once. */
  readonly states: number;
  /** α and h_T, from the outer objective's own at the last state. */
  adjoint(at: {
    readonly program: Program;
    readonly lambda: Tree<Value>;
    readonly follower: Follower;
    readonly last: Tree<Value>;
    readonly outer: Adjoint;
  }): Adjoint;
}

/** @throws RangeError when `steps` is not a whole number ≥ 1; TypeError, in an estimate, for stacked minibatches. */
export function throughStart(options: UnrolledOptions, made: ThroughStart): Rule {
  const { steps, projection } = options;
  checkCount(`${made.factory}: steps`, steps);
  const dynamics = asDynamics(options.dynamics);
  return {
    name: made.name,
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: made.bias,
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: { kind: "none", why: made.noBound },
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      if (point.batched) {
        throw new TypeError(
          `${made.factory}: the inner data must be one batch for all inner steps; leave perStep out of the sampler.`,
        );
      }
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const { start, batches } = follower;
      const [last] = follower.forward(start, { first: 0, length: steps, batches });
      const { value, adjoint: outer } = follower.outer(last);
      const { lambda } = point;
      const adjoint = made.adjoint({ program, lambda, follower, last, outer });
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
          storedFloats: made.states * countElements(last),
          reportGradients: 2,
        },
      };
    },
  };
}
