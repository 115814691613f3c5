/**
 * Reverse-mode hypergradient: the follower's T steps w_t = Φ_t(w_{t−1}, λ), then the adjoint recursion back through them.
 *
 *     α = ∇_w E(w_T, λ),  h = ∇_λ E(w_T, λ)
 *     for t = T..1:   h ← h + (∂Φ_t/∂λ)ᵀ α,   α ← (∂Φ_t/∂w)ᵀ α
 *     h ← h + (∂Φ_0/∂λ)ᵀ α                       (only when the first weights depend on λ)
 *
 * w stands for the dynamics' whole state, so that momentum and Adam are differentiated exactly.
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
import { numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../../program/index.ts";
import { measureDerivative, unrolledBound } from "../bounds-unrolled.ts";
import { asDynamics } from "../../dynamics.ts";
import { leftOutByAdjoint, leftOutReport, warmBias } from "../../estimate/left-out.ts";
import {
  openFollower,
  weightsOf,
  type Adjoint,
  type Follower,
  type Steps,
} from "../../estimate/follower.ts";
import type { Arrays } from "../../problem.ts";
import type { Point, Rule } from "../../rule.ts";
import { binomialSchedule, forwardWithSlots } from "./binomial.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link reverse}. */
export interface ReverseOptions extends UnrolledOptions {
  /**
   * Memory for time: keep only every n-th state and recompute the others segment by segment in the backward pass;
   * "sqrt" is n = ⌈√T⌉. `{ slots: c }`: keep at most c states at once, by the binomial schedule, which recomputes least
   * and is itself some 4T integers; each step copies the slots, so that few of them are fast; c ≥ T keeps all. Default: keep all T.
   */
  readonly checkpoints?: "sqrt" | number | { readonly slots: number };
}

/**
 * The exact hypergradient of the follower after T steps from where it starts. A warm start in `solve` hides how that place
 * depends on earlier hyperparameters: the report then says so, and estimates it (`remainingAdjoint` = ‖α_0‖ / ‖α_T‖ and
 * `truncationTail`, as for `truncated`).
 *
 * Costs T inner gradients, T Hessian-vector and T cross products, and the memory of T states; with checkpoints every n
 * steps, 2T inner gradients and the memory of ⌈T/n⌉ + n states, with the same result; with c slots, the memory of c states
 * and 1 + r·T − binomial(c + r, c + 1) inner gradients, where r is the least with binomial(c + r, c) ≥ T.
 *
 * @throws RangeError when `steps`, `checkpoints` or its `slots` is not a whole number ≥ 1.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, algorithm 1;
 *   Griewank, Walther, "Evaluating derivatives", chapter 12, for checkpoints.
 * @example
 * const rule = reverse({ steps: 100, dynamics: gradientDescent({ learningRate: 0.1 }), checkpoints: "sqrt" });
 */
export function reverse(options: ReverseOptions): Rule {
  checkOptions("reverse", options, {
    checkpoints: "any",
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, checkpoints, projection } = options;
  checkCount("reverse: steps", steps);
  const plan = planOf(steps, checkpoints);
  const dynamics = asDynamics(options.dynamics);
  return {
    name: checkpoints === undefined ? "reverse" : "checkpointed-reverse",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: plan.memory,
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
      const all: Steps = { first: 0, length: steps, batches: follower.batches };
      const [last, tape] = plan.forward(program, point, follower, all);
      const { value, adjoint } = follower.outer(last);
      const [end, perStep] = tape(adjoint);
      const gradient = follower.gradient(end, perStep);
      const derivative = measureDerivative(program, adjoint, gradient);
      const ends = { first: end.alpha, last: adjoint.alpha };
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: last,
        report: {
          ...follower.measure(last),
          ...derivative,
          ...(point.isWarm &&
            leftOutByAdjoint(program, ends, derivative.indirectGradientNorm, Infinity)),
        },
        cost: {
          innerGradients: plan.evaluations * dynamics.gradientsPerStep,
          hessianVectorProducts: steps,
          crossProducts: steps,
          storedFloats: plan.states * countElements(last),
          reportGradients: 2,
        },
      };
    },
  };
}

/** What is kept of the trajectory, and what is made again. */
interface Plan {
  /** Makes all steps: the last state, and the way back. */
  readonly forward: (
    program: Program,
    point: Point,
    follower: Follower,
    all: Steps,
  ) => [last: Tree<Value>, Tape];
  /** Evaluations of Φ. */
  readonly evaluations: number;
  /** States kept at once. */
  readonly states: number;
  readonly memory: string;
}

function planOf(steps: number, checkpoints: ReverseOptions["checkpoints"]): Plan {
  const everything: Plan = {
    forward: (_program, _point, follower, all) => forwardAndStore(follower, all),
    evaluations: steps,
    states: steps,
    memory: "O(T·|w|)",
  };
  if (checkpoints === undefined) return everything;
  if (typeof checkpoints === "object") {
    checkOptions("reverse: checkpoints", checkpoints, { slots: "number!" });
    checkCount("reverse: checkpoints.slots", checkpoints.slots);
    // With a slot for every state there is nothing to make again.
    if (checkpoints.slots >= steps) return everything;
    const schedule = binomialSchedule(steps, checkpoints.slots);
    return {
      forward: (program, point, follower, all) =>
        forwardWithSlots(program, point, follower, all, schedule),
      evaluations: schedule.evaluations,
      states: schedule.width,
      memory: "O(c·|w|)",
    };
  }
  if (checkpoints !== "sqrt") checkCount('reverse: checkpoints (unless "sqrt")', checkpoints);
  const segment =
    checkpoints === "sqrt" ? Math.ceil(Math.sqrt(steps)) : Math.min(checkpoints, steps);
  return {
    forward: (program, _point, follower, all) =>
      forwardWithCheckpoints(program, follower, all, segment),
    evaluations: 2 * steps,
    states: Math.ceil(steps / segment) + segment,
    memory: "O((T/n + n)·|w|)",
  };
}

/** Carries the adjoint back over all steps: the adjoint before the first, and each minibatch's cotangents. */
type Tape = (adjoint: Adjoint) => [Adjoint, perStep: Value[]];

/** for t = 1..T: store w_{t−1}; w_t = Φ_t(w_{t−1}, λ) */
function forwardAndStore(follower: Follower, all: Steps): [last: Tree<Value>, Tape] {
  const [last, states] = follower.forward(follower.start, all);
  return [last, (adjoint) => follower.backward(adjoint, states, all)];
}

/** Stores the first state of each segment of n steps; going back, a segment's states are made again from it. */
function forwardWithCheckpoints(
  program: Program,
  follower: Follower,
  all: Steps,
  n: number,
): [last: Tree<Value>, Tape] {
  const count = Math.floor(all.length / n);
  const rest = all.length - count * n;
  const split = (data: Arrays): Arrays =>
    treeMap(
      (x: np.Array) => x.slice([0, count * n]).reshape([count, n, ...x.shape.slice(1)]),
      data,
    );
  const segments = callTree(program, split, all.batches);
  const segment = (s: Value, batches: Tree<Value>): Steps => ({
    first: program.call((s: np.Array) => s.mul(n), s),
    length: n,
    batches,
  });
  // The last segment is shorter when n does not divide T.
  const cut = (data: Arrays): Arrays =>
    treeMap((x: np.Array) => x.slice([count * n, all.length]), data);
  const tail: Steps = {
    first: program.constant(tensor(count * n, { dtype: "int32" })),
    length: rest,
    batches: rest === 0 ? [] : callTree(program, cut, all.batches),
  };

  const [beforeTail, starts] = program.scan(
    { length: count },
    (state: Tree<Value>, batches: Tree<Value>, s) => [
      follower.forward(state, segment(s, batches))[0],
      state,
    ],
    follower.start,
    segments,
  );
  const last = rest === 0 ? beforeTail : follower.forward(beforeTail, tail)[0];

  const again = (adjoint: Adjoint, start: Tree<Value>, steps: Steps): [Adjoint, Value[]] =>
    follower.backward(adjoint, follower.forward(start, steps)[1], steps);
  const tape: Tape = (adjoint) => {
    const [afterTail, ofTail] = rest === 0 ? [adjoint, []] : again(adjoint, beforeTail, tail);
    const [end, ofSegments] = program.scan(
      { length: count, reverse: true },
      (carry: Adjoint, x: { start: Tree<Value>; batches: Tree<Value> }, s) =>
        again(carry, x.start, segment(s, x.batches)),
      afterTail,
      { start: starts, batches: segments } as Tree<Value>,
    );
    const join = (parts: np.Array, rest: np.Array[]): np.Array =>
      np.concatenate([parts.reshape([-1, ...parts.shape.slice(2)]), ...rest]);
    return [
      end,
      ofSegments.map((parts, k) => program.call(join, parts, rest === 0 ? [] : [ofTail[k]!])),
    ];
  };
  return [last, tape];
}
