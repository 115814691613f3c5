/**
 * The follower inside a program: its steps w_t = Φ_t(w_{t−1}, λ) as a scan, and their adjoint as a scan back. Rules
 * that differentiate through the inner steps combine the two; w stands for the dynamics' whole state.
 */
import { numpy as np } from "@jax-js/jax";
import { type Program, type Tree, type Value, valueAndGrad, vjp } from "../../program/index.ts";
import { callTree, selectFloats, type Selection, treeMap } from "../../program/internal.ts";
import type { Dynamics, FollowerState } from "../dynamics.ts";
import { measureFollower } from "./follower-measure.ts";
import { addTrees, checkFloatLeaves, checkLike } from "./leaves.ts";
import { checkObjectives, prepareData, zeroCotangents, type Prepared } from "./prepare.ts";
import { keepFinite, markOverflow } from "./overflow.ts";
import type { Arrays, BilevelData, Problem } from "../problem.ts";
import type { Measured, Point } from "../rule.ts";

type Values = Tree<Value>;

/** Consecutive inner steps. */
export interface Steps {
  /** Index of the first one; an int32 scalar when it is known only inside a loop. */
  readonly first: Value | 0;
  readonly length: number;
  /** Their minibatches, leaves [length, ...]; an empty list when all steps see the same data. */
  readonly batches: Values;
}

/** What the recursion carries backward. */
export type Adjoint = {
  /** α: cotangents of the state's floating-point leaves. */
  readonly alpha: Value[];
  /** h: the part of dF/dλ collected so far. */
  readonly h: Values;
  /** Cotangents of the prepared inner data when all steps see the same, else an empty list. */
  readonly data: Value[];
};

/** The follower of one problem at one point. */
export interface Follower {
  /** Φ_t: state, λ, the step's prepared inner data and t to the next state; a jax-js function. */
  readonly step: (state: Arrays, lambda: Arrays, data: Arrays, t: np.Array) => Arrays;
  /** Φ_0: λ and the first step's prepared inner data to the first state, when the problem has an `init`. */
  readonly begin: ((lambda: Arrays, data: Arrays) => Arrays) | undefined;
  /** The state's floating-point leaves, which carry derivatives. */
  readonly floats: Selection;
  /** Both levels' data after `prepare`; the inner ones stacked as [steps, ...] when batched. */
  readonly prepared: BilevelData<Prepared>;
  /** The state before the first step. */
  readonly start: Values;
  /** All inner data as {@link Steps.batches}. */
  readonly batches: Values;
  /** Makes the steps from `state`: the state after them, and the states before each of them, [length, ...]. */
  forward(state: Values, steps: Steps): [last: Values, states: Values];
  /** E at the state, and the adjoint there: α = ∇_w E, h = ∇_λ E. */
  outer(state: Values): { value: Value; adjoint: Adjoint };
  /**
   * h ← h + (∂Φ_t/∂λ)ᵀα, α ← (∂Φ_t/∂w)ᵀα, for the steps in reverse.
   *
   * @param states - the states before each step, from {@link Follower.forward}.
   * @returns the adjoint, and each step's cotangents of its prepared minibatch, leaves [length, ...].
   */
  backward(adjoint: Adjoint, states: Values, steps: Steps): [Adjoint, perStep: Value[]];
  /** dF/dλ: h and what flows to λ through the first weights and through `prepare`. */
  gradient(adjoint: Adjoint, perStep: readonly Value[]): Values;
  /** How far the follower is from a solution, before the first and after the last step; see `follower-measure.ts`. */
  measure(last: Values): Measured<Value>;
}

/** Reads and checks a point, and prepares its data. */
export function openFollower(
  program: Program,
  problem: Problem,
  point: Point,
  options: {
    readonly steps: number;
    readonly dynamics: Dynamics;
    readonly project?: ((w: Arrays, lambda: Arrays) => Arrays) | undefined;
    /** Index of the first step, for a follower that goes on from earlier ones. Default 0. */
    readonly first?: Value;
  },
): Follower {
  const { steps, dynamics, project } = options;
  const { lambda, batched = false } = point;
  checkFloatLeaves("hypergradient", "lambda", lambda);
  const inner = prepareData(
    program,
    problem,
    lambda,
    point.data.inner,
    batched ? steps : undefined,
  );
  const outer = prepareData(program, problem, lambda, point.data.outer);
  const dataAt = (t: number): Values =>
    batched ? callTree(program, (data: Arrays) => sliceTree(data, t), inner.data) : inner.data;

  // Φ_0: the state that the first weights start from.
  const firstWeights = problem.init;
  const init = (lambda: Arrays, data: Arrays): Arrays =>
    dynamics.init(firstWeights!(lambda, data) as Arrays);
  const start = firstWeights ? callTree(program, init, lambda, dataAt(0)) : point.state;
  checkFloatLeaves("hypergradient", "w", weightsOf(start));
  checkObjectives(problem, weightsOf(start), lambda, { inner: dataAt(0), outer: outer.data });
  const floats = selectFloats(start);

  // Φ_t
  const phi = (state: Arrays, lambda: Arrays, data: Arrays, t: np.Array): Arrays => {
    const next = dynamics.step(state as FollowerState, lambda, data, problem.inner, t);
    if (project === undefined) return next;
    const w = project(next.w, lambda);
    checkLike("the follower", "projection", "the weights", next.w, w);
    return { ...next, w };
  };
  const stepIndex = ({ first }: Steps, i: Value): Value =>
    first === 0 ? i : program.call((first: np.Array, i: np.Array) => first.add(i), first, i);

  const forward: Follower["forward"] = (state, steps) =>
    program.scan(
      { length: steps.length },
      (state: Values, batch: Values, i) => {
        const data = batched ? batch : inner.data;
        return [callTree(program, phi, state, lambda, data, stepIndex(steps, i)), state];
      },
      state,
      steps.batches,
    );

  const add = <T extends Values>(a: T, b: T): T => callTree(program, addTrees, a, b) as T;

  const outerAdjoint = (state: Arrays, lambda: Arrays, data: Arrays): WithValue => {
    const objective = ([s, l, d]: Cotangents): np.Array =>
      problem.outer(weightsOf(floats.put(state, s)), l, outer.active.put(data, d));
    const at: Cotangents = [floats.take(state), lambda, outer.active.take(data)];
    const [value, cotangents] = valueAndGrad(objective, at);
    return { value, cotangents };
  };

  const outerStep: Follower["outer"] = (state) => {
    const result = callTree(program, outerAdjoint, state, lambda, outer.data);
    const { value, cotangents } = result as { value: Value; cotangents: SymbolicCotangents };
    const [alpha, h, data] = cotangents;
    const none = batched ? [] : zeroCotangents(program, inner);
    return { value, adjoint: { alpha, h: outer.pull(h, data), data: none } };
  };

  const adjointStep = (
    state: Arrays,
    lambda: Arrays,
    data: Arrays,
    t: np.Array,
    alpha: np.Array[],
  ): Cotangents => {
    const step = (s: np.Array[], l: Arrays, d: np.Array[]): np.Array[] =>
      floats.take(phi(floats.put(state, s), l, inner.active.put(data, d), t));
    const [, pull] = vjp(step, floats.take(state), lambda, inner.active.take(data));
    const [toState, ...others] = pull(alpha);
    return [dynamics.amplifies ? toState.map(keepFinite) : toState, ...others];
  };

  const backward: Follower["backward"] = (adjoint, states, steps) =>
    program.scan(
      { length: steps.length, reverse: true },
      ({ alpha, h, data: sum }: Adjoint, x: { state: Values; batch: Values }, i) => {
        const data = batched ? x.batch : inner.data;
        const t = stepIndex(steps, i);
        const next = callTree(program, adjointStep, x.state, lambda, data, t, alpha);
        const [nextAlpha, toLambda, toData] = next as SymbolicCotangents;
        const carried = { alpha: nextAlpha, h: add(h, toLambda) };
        if (batched) return [{ ...carried, data: [] }, toData];
        return [{ ...carried, data: add(sum, toData) }, []];
      },
      adjoint,
      { state: states, batch: steps.batches } as Values,
    );

  const gradient: Follower["gradient"] = (adjoint, perStep) => {
    let { h } = adjoint;
    let toData = batched ? [...perStep] : adjoint.data;
    if (firstWeights) {
      const pullStart = (lambda: Arrays, data: Arrays, alpha: np.Array[]): Cotangents => {
        const first = (_: np.Array[], l: Arrays, d: np.Array[]): np.Array[] =>
          floats.take(init(l, inner.active.put(data, d)));
        return vjp(first, [], lambda, inner.active.take(data))[1](alpha);
      };
      const contributions = callTree(program, pullStart, lambda, dataAt(0), adjoint.alpha);
      const [, toLambda, toFirst] = contributions as SymbolicCotangents;
      h = add(h, toLambda);
      toData = toData.map((all, k) =>
        batched ? program.call(addToFirst, all, toFirst[k]!) : add(all, toFirst[k]!),
      );
    }
    const pulled = inner.pull(h, toData);
    return dynamics.amplifies ? callTree(program, markOverflow, pulled) : pulled;
  };

  return {
    step: phi,
    begin: firstWeights && init,
    floats,
    prepared: { inner, outer },
    start,
    batches: batched ? inner.data : [],
    forward,
    outer: outerStep,
    backward,
    gradient,
    measure: (last) =>
      measureFollower(program, {
        dynamics,
        project,
        inner: problem.inner,
        phi,
        lambda,
        first: options.first ?? 0,
        steps,
        start: { state: start, data: dataAt(0) },
        end: { state: last, data: dataAt(steps - 1) },
      }),
  };
}

/** The weights in a follower's state, symbolic or traced. */
export function weightsOf<T>(state: Tree<T>): Tree<T> {
  return (state as { w: Tree<T> }).w;
}

/** Cotangents of the state's floating-point leaves, of λ, and of the active data leaves. */
type Cotangents = [state: np.Array[], lambda: Arrays, data: np.Array[]];
type SymbolicCotangents = [state: Value[], lambda: Values, data: Value[]];
type WithValue = { value: np.Array; cotangents: Cotangents };

function sliceTree(values: Arrays, index: number): Arrays {
  return treeMap((x: np.Array) => x.slice(index), values);
}

/** all + [first, 0, 0, ...]. */
function addToFirst(all: np.Array, first: np.Array): np.Array {
  return np.concatenate([all.slice([0, 1]).add(first), all.slice([1, all.shape[0]!])]);
}
