/**
 * Reverse-mode hypergradient: the follower's T steps w_t = Φ_t(w_{t−1}, λ), then the adjoint recursion back through them.
 *
 *     α = ∇_w E(w_T, λ),  h = ∇_λ E(w_T, λ)
 *     for t = T..1:   h ← h + (∂Φ_t/∂λ)ᵀ α,   α ← (∂Φ_t/∂w)ᵀ α
 *     h ← h + (∂Φ_0/∂λ)ᵀ α                       (only when the first weights depend on λ)
 *
 * w stands for the dynamics' whole state, so that momentum and Adam are differentiated exactly.
 */
import { numpy as np } from "@jax-js/jax";
import type { Value } from "../../program/ir.ts";
import type { Program } from "../../program/program.ts";
import { tensor, type Tree } from "../../program/tensor.ts";
import { asDynamics, type Dynamics } from "../dynamics.ts";
import { openFollower, weightsOf, type Adjoint, type Follower, type Steps } from "../follower.ts";
import { callTree, countElements, treeMap } from "../leaves.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Arrays } from "../problem.ts";
import type { Projection } from "../projections.ts";
import type { Rule, Tolerance } from "../rule.ts";

/** Options of {@link reverse}. */
export interface ReverseOptions {
  /** T ≥ 1, the follower's steps. */
  readonly steps: number;
  /** How the follower moves: an optimizer on the inner objective, or any contraction. */
  readonly dynamics: Dynamics | Optimizer;
  /**
   * Memory for time: keep only every n-th state and recompute the others segment by segment in the backward pass;
   * "sqrt" is n = ⌈√T⌉. Default: keep all T.
   */
  readonly checkpoints?: "sqrt" | number;
  /** Applied to the weights after every step, and differentiated through. Default: none. */
  readonly projection?: Projection;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The exact hypergradient of the follower after T steps.
 *
 * Costs T inner gradients, T Hessian-vector and T cross products, and the memory of T states; with checkpoints every n
 * steps, 2T inner gradients and the memory of ⌈T/n⌉ + n states, with the same result.
 *
 * @throws RangeError when `steps` or `checkpoints` is not a whole number ≥ 1.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, algorithm 1;
 *   Griewank, Walther, "Evaluating derivatives", chapter 12, for checkpoints.
 * @example
 * const rule = reverse({ steps: 100, dynamics: gradientDescent({ learningRate: 0.1 }), checkpoints: "sqrt" });
 */
export function reverse(options: ReverseOptions): Rule {
  const { steps, checkpoints, projection } = options;
  checkCount("reverse: steps", steps);
  if (checkpoints !== undefined && checkpoints !== "sqrt") {
    checkCount('reverse: checkpoints (unless "sqrt")', checkpoints);
  }
  const segment =
    checkpoints === "sqrt" ? Math.ceil(Math.sqrt(steps)) : Math.min(checkpoints ?? steps, steps);
  const dynamics = asDynamics(options.dynamics);
  return {
    name: checkpoints === undefined ? "reverse" : "checkpointed-reverse",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: checkpoints === undefined ? "O(T·|w|)" : "O((T/n + n)·|w|)",
    },
    innerSteps: steps,
    tolerance: { relative: 1e-3, absolute: 1e-6, ...options.tolerance },
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const all: Steps = { first: 0, length: steps, batches: follower.batches };
      const [last, tape] =
        checkpoints === undefined
          ? forwardAndStore(follower, all)
          : forwardWithCheckpoints(program, follower, all, segment);
      const { value, adjoint } = follower.outer(last);
      const gradient = follower.gradient(...tape(adjoint));
      const stored =
        checkpoints === undefined ? steps : Math.ceil(steps / segment) + Math.min(segment, steps);
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: last,
        report: follower.measure(last),
        cost: {
          innerGradients: (checkpoints === undefined ? 1 : 2) * steps * dynamics.gradientsPerStep,
          hessianVectorProducts: steps,
          crossProducts: steps,
          storedFloats: stored * countElements(last),
          reportGradients: 2,
        },
      };
    },
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

function checkCount(where: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${where} must be a whole number >= 1; ${String(value)} came.`);
  }
}
