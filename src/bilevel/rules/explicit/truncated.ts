/**
 * Truncated reverse-mode hypergradient: T steps forward, and only the last K of them back.
 *
 *     w_{T−K} by T − K steps that leave nothing behind;  then K steps that are stored
 *     α = ∇_w E(w_T, λ),  h = ∇_λ E(w_T, λ)
 *     for t = T..T−K+1:   h ← h + (∂Φ_t/∂λ)ᵀ α,   α ← (∂Φ_t/∂w)ᵀ α
 *
 * What is dropped are the follower's first steps, those that the last ones forget most.
 */
import {
  callTree,
  checkOptions,
  countElements,
  required,
  treeMap,
  checkCount,
} from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import type { numpy as np } from "@jax-js/jax";
import { type Program, tensor } from "../../../program/index.ts";
import { measureDerivative, unrolledBound } from "../bounds-unrolled.ts";
import { leftOutByAdjoint, leftOutReport, warmBias } from "../../estimate/left-out.ts";
import { asDynamics } from "../../dynamics.ts";
import { openFollower, weightsOf, type Follower, type Steps } from "../../estimate/follower.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link truncated}. */
export interface TruncatedOptions extends UnrolledOptions {
  /** K, 1 ≤ K ≤ T: the last steps, which are differentiated. K = T is `reverse`. */
  readonly keep: number;
}

/**
 * `reverse` through the last K of T steps.
 *
 * Costs T inner gradients, K Hessian-vector and K cross products, and the memory of K states. For gradient descent with
 * step s on an inner objective of strong convexity a (s·a < 1) the error is at most
 * (1 − s·a)^K / (s·a) · ‖∇_w E‖ · max_t ‖∂Φ_t/∂λ‖. The report's `remainingAdjoint` = ‖α_{T−K}‖ / ‖α_T‖ says how much of
 * the adjoint was left where the recursion stopped, and `truncationTail` estimates the norm of what was left out: the kept
 * part, continued as a geometric series with that ratio over K steps.
 *
 * @throws RangeError when `steps` or `keep` is not a whole number ≥ 1, or `keep` exceeds `steps`; TypeError, in an
 *   estimate with K < T, for a problem with an `init`, whose derivative the truncation would drop.
 * @see Shaban et al., "Truncated back-propagation for bilevel optimization", AISTATS 2019.
 * @example
 * const rule = truncated({ steps: 500, keep: 100, dynamics: gradientDescent({ learningRate: 0.1 }) });
 */
export function truncated(options: TruncatedOptions): Rule {
  checkOptions("truncated", options, {
    keep: "number!",
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, keep, projection } = options;
  checkCount("truncated: steps", steps);
  checkCount("truncated: keep", keep);
  if (keep > steps) {
    throw new RangeError(
      `truncated: keep must be at most steps, ${steps}; ${keep} came. Make more steps, or use reverse.`,
    );
  }
  const dynamics = asDynamics(options.dynamics);
  return {
    name: "truncated",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(K·|w|)",
      ...(keep < steps && { bias: leavesOut(steps - keep) }),
      warmBias: warmBias(keep),
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: unrolledBound(options),
    ...leftOutReport(keep, keep < steps),
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      if (keep < steps) refuseInit("truncated", problem);
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const [head, tail] = splitSteps(program, follower, steps, keep);
      const middle = keep < steps ? follower.forward(follower.start, head)[0] : follower.start;
      const [last, states] = follower.forward(middle, tail);
      const { value, adjoint } = follower.outer(last);
      const [end, perStep] = follower.backward(adjoint, states, tail);
      const gradient = follower.gradient(end, perStep);
      const derivative = measureDerivative(program, adjoint, gradient);
      const { isWarm = false } = point;
      const leftOut = leftOutByAdjoint(
        program,
        { first: end.alpha, last: adjoint.alpha },
        derivative.indirectGradientNorm,
        isWarm ? Infinity : steps / keep,
      );
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: last,
        report: {
          ...follower.measure(last),
          ...derivative,
          ...leftOut,
        },
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep,
          hessianVectorProducts: keep,
          crossProducts: keep,
          storedFloats: keep * countElements(last),
          reportGradients: 2,
        },
      };
    },
  };
}

/** The first T − K and the last K steps, with their minibatches. */
export function splitSteps(
  program: Program,
  { batches }: Follower,
  steps: number,
  keep: number,
): [head: Steps, tail: Steps] {
  const first = steps - keep;
  const slice =
    (from: number, to: number) =>
    (all: Arrays): Arrays =>
      treeMap((x: np.Array) => x.slice([from, to]), all);
  if (first === 0)
    return [
      { first: 0, length: 0, batches: [] },
      { first: 0, length: keep, batches },
    ];
  return [
    { first: 0, length: first, batches: callTree(program, slice(0, first), batches) },
    {
      first: program.constant(tensor(first, { dtype: "int32" })),
      length: keep,
      batches: callTree(program, slice(first, steps), batches),
    },
  ];
}

/** The bias of leaving out the first steps. */
export function leavesOut(steps: number): string {
  const first = steps === 1 ? "first step depends" : `first ${steps} steps depend`;
  return `it leaves out how the follower's ${first} on the hyperparameters`;
}

/** Refuses a problem whose first weights depend on λ, for rules that drop the first steps. */
export function refuseInit(rule: string, problem: Problem): void {
  if (problem.init === undefined) return;
  throw new TypeError(
    `${rule}: the problem's init makes the first weights depend on lambda, and this rule drops the derivative through the first steps; use reverse or forward, or give w instead of init.`,
  );
}
