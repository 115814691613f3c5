/**
 * IAPTT-GM, for inner objectives that need not be convex: the follower starts at an auxiliary z that the leader moves
 * too, and its trajectory is cut where it is worst for the leader.
 *
 *     y_0 = z;   y_j = P(Φ_j(y_{j−1}, λ)),  j = 1..T
 *     k̄ = argmax_{1 ≤ j ≤ T} E(y_j, λ)                             pessimistic trajectory truncation
 *     h = d/dλ E(y_k̄(λ, z), λ),   z ← P(z − α_z d/dz E(y_k̄(λ, z), λ))    initialization auxiliary
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
import { asDynamics, type Dynamics, type FollowerState } from "../../dynamics.ts";
import { openFollower, weightsOf, type Follower } from "../../estimate/follower.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Projection } from "../../projections.ts";
import type { Measured, Point, Rule, Tolerance } from "../../rule.ts";
import { gradientOf } from "../../estimate/levels.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

/** Options of {@link iaptt}. */
export interface IapttOptions {
  /** T ≥ 1, the follower's steps from z. */
  readonly steps: number;
  /** How the follower moves. */
  readonly dynamics: Dynamics | Optimizer;
  /** How z moves along −d/dz E, once in each outer step; its schedules count them. */
  readonly auxiliary: Optimizer;
  /** "pessimistic" (default): the derivative goes through k̄ steps. "none": through all T, which is IA-GM. */
  readonly truncation?: "pessimistic" | "none";
  /** Applied to the weights after every step, and differentiated through, and to z. Default: none. */
  readonly projection?: Projection;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The exact derivative of E after k̄ steps from z.
 *
 * Costs T inner gradients, T evaluations of E, and the memory of T states; of the T Hessian-vector and T cross products
 * only k̄ of each matter, the others are products with a step that stands still. The state carries z and its optimizer's
 * memory: start warm; a cold start never moves z. The response is y_k̄.
 *
 * The report measures `truncation`, k̄.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1; TypeError when `truncation` is neither word, or the problem
 *   has an `init`.
 * @see Liu et al., "Towards gradient-based bilevel optimization with non-convex followers and beyond", NeurIPS 2021,
 *   algorithm 1.
 * @example
 * const rule = iaptt({
 *   steps: 40,
 *   dynamics: gradientDescent({ learningRate: 5e-4 }),
 *   auxiliary: gradientDescent({ learningRate: 0.1 }),
 *   projection: box({ lower: -2, upper: 2 }),
 * });
 */
export function iaptt(options: IapttOptions): Rule {
  checkOptions("iaptt", options, {
    steps: "number!",
    dynamics: required(DYNAMICS),
    auxiliary: "object!",
    truncation: "string",
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, auxiliary, truncation = "pessimistic", projection } = options;
  checkCount("iaptt: steps", steps);
  if (truncation !== "pessimistic" && truncation !== "none") {
    throw new TypeError(
      `iaptt: truncation must be "pessimistic" or "none"; ${String(truncation)} came.`,
    );
  }
  const base = asDynamics(options.dynamics);
  const dynamics = stopping(base, steps, projection);
  return {
    name: truncation === "none" ? "initialization-auxiliary" : "iaptt",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(T·|w|)",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: {
      kind: "none",
      why: "it is made for followers with many solutions, where the exact hypergradient need not exist",
    },
    init: (w) => ({ w, memory: auxiliary.init(w), k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      if (problem.init) {
        throw new TypeError(
          "iaptt: the problem's init makes the follower's first weights from lambda, but here they are an auxiliary that the rule moves; leave init out and give w.",
        );
      }
      const { w: z, memory, k } = point.state as State;
      const start = callTree(program, (z: Arrays) => dynamics.init(z), z);
      const follower = openFollower(
        program,
        problem,
        { ...point, state: start },
        { steps, dynamics },
      );
      const all = { first: 0, length: steps, batches: follower.batches } as const;
      const [last, states] = follower.forward(start, all);
      const { state, count } =
        truncation === "none" || steps === 1
          ? { state: last, count: program.constant(tensor(steps, { dtype: "int32" })) as Value }
          : findWorst(program, problem, point, follower, last, states, steps);
      const { value, adjoint } = follower.outer(state);
      const [atStart, perStep] = follower.backward(
        adjoint,
        stopAt(program, states, count, steps),
        all,
      );

      const toStart = weightsOf(follower.floats.put(start, atStart.alpha));
      const move = (
        gradient: Arrays,
        memory: Arrays,
        z: Arrays,
        k: np.Array,
        lambda: Arrays,
      ): Arrays => {
        const [moved, next] = auxiliary.update(gradient, memory, z, k);
        return { w: projection ? projection(moved, lambda) : moved, memory: next };
      };
      const next = callTree(program, move, toStart, memory, z, k, point.lambda) as {
        w: Tree<Value>;
      };
      const w = weightsOf(state);
      return {
        value,
        gradient: follower.gradient(atStart, perStep),
        w,
        state: { ...next, k: nextStep(program, k) },
        report: {
          ...measure(program, problem, point, follower, { first: z, last: w, steps, projection }),
          truncation: program.call((n: np.Array) => n.astype(np.float32), count),
        },
        cost: {
          innerGradients: steps * base.gradientsPerStep,
          hessianVectorProducts: steps,
          crossProducts: steps,
          storedFloats: steps * countElements(follower.floats.take(start)),
          reportGradients: 2,
        },
      };
    },
  };
}

type State = { readonly w: Tree<Value>; readonly memory: Tree<Value>; readonly k: Value };

/** The memory of {@link stopping} dynamics: that of the steps, and how many of them are made. */
type StoppingMemory<T> = { readonly base: Tree<T>; readonly count: T };

/** The projected steps of `base`, as many as the memory's count says; afterwards the state stands still. */
function stopping(base: Dynamics, steps: number, projection: Projection | undefined): Dynamics {
  return {
    ...base,
    init: (w) => {
      const state = base.init(w);
      const memory = { base: state.memory, count: np.array(steps, { dtype: np.int32 }) };
      return { w: state.w, memory };
    },
    step: ({ w, memory }, lambda, data, inner, t) => {
      const { base: own, count } = memory as StoppingMemory<np.Array>;
      const next = base.step({ w, memory: own }, lambda, data, inner, t);
      const isMoving = np.less(t, count);
      const choose = (moved: Arrays, still: Arrays): Arrays =>
        treeMap((a: np.Array, b: np.Array) => np.where(isMoving, a, b), moved, still);
      return {
        w: choose(projection ? projection(next.w, lambda) : next.w, w),
        memory: { base: choose(next.memory, own), count },
      };
    },
  };
}

/** The stacked states of T steps with another count of steps that are made. */
function stopAt(program: Program, states: Tree<Value>, count: Value, steps: number): Tree<Value> {
  const replace = (states: Arrays, count: np.Array): Arrays => {
    const { w, memory } = states as FollowerState;
    const { base } = memory as StoppingMemory<np.Array>;
    return { w, memory: { base, count: np.broadcastTo(count.reshape([1]), [steps]) } };
  };
  return callTree(program, replace, states, count);
}

/** The first of the states y_1..y_T with the largest E, and how many steps lead to it. */
function findWorst(
  program: Program,
  problem: Problem,
  { lambda }: Point,
  follower: Follower,
  last: Tree<Value>,
  states: Tree<Value>,
  steps: number,
): { state: Tree<Value>; count: Value } {
  const outerAt = (state: Arrays, lambda: Arrays, data: Arrays): np.Array =>
    problem.outer(weightsOf(state), lambda, data);
  const evaluate = (state: Tree<Value>): Value =>
    program.call(outerAt, state, lambda, follower.prepared.outer.data);
  const withoutFirst = (states: Arrays): Arrays =>
    treeMap((x: np.Array) => x.slice([1, steps]), states);
  // Backwards, where an equal value wins, ends at the first of equals; NaN wins for good, so that it is seen.
  const worse = (
    best: Found<np.Array>,
    state: Arrays,
    value: np.Array,
    i: np.Array,
  ): Found<np.Array> => {
    const isNaN = np.notEqual(value, value);
    const isWorse = np.logicalOr(np.greaterEqual(value, best.value), isNaN);
    const choose = (a: np.Array, b: np.Array): np.Array => np.where(isWorse, a, b);
    return {
      value: choose(value, best.value),
      state: treeMap(choose, state, best.state),
      count: choose(i.add(1), best.count),
    };
  };
  const end = program.constant(tensor(steps, { dtype: "int32" })) as Value;
  const [found] = program.scan(
    { length: steps - 1, reverse: true },
    (best: Tree<Value>, state: Tree<Value>, i) => [
      callTree(program, worse, best, state, evaluate(state), i),
      [],
    ],
    { value: evaluate(last), state: last, count: end } as Tree<Value>,
    callTree(program, withoutFirst, states),
  );
  return found as unknown as Found<Value>;
}

type Found<T> = { readonly value: T; readonly state: Tree<T>; readonly count: T };

/** The inner gradient's norm (of w − P(w − ∇_w L) with a projection P) at z and at the response. */
function measure(
  program: Program,
  problem: Problem,
  { lambda, batched = false }: Point,
  { prepared }: Follower,
  options: {
    readonly first: Tree<Value>;
    readonly last: Tree<Value>;
    readonly steps: number;
    readonly projection: Projection | undefined;
  },
): Measured<Value> {
  const { first, last, steps, projection } = options;
  const subtract = (a: Arrays, b: Arrays): Arrays =>
    treeMap((x: np.Array, y: np.Array) => x.sub(y), a, b);
  const normAt = (index: number) => (w: Arrays, lambda: Arrays, stacked: Arrays) => {
    const data = batched ? treeMap((x: np.Array) => x.slice(index), stacked) : stacked;
    const gradient = gradientOf((w) => problem.inner(w, lambda, data), w);
    return treeNorm(projection ? subtract(w, projection(subtract(w, gradient), lambda)) : gradient);
  };
  const { data } = prepared.inner;
  return {
    innerGradientNorm: program.call(normAt(steps - 1), last, lambda, data),
    initialInnerGradientNorm: program.call(normAt(0), first, lambda, data),
  };
}
