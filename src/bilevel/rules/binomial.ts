/**
 * Reverse mode with c checkpoints placed by the binomial schedule, which recomputes least: with c slots and every step
 * made again at most r times, T = binomial(c + r, c) steps can be reversed, so that c grows as the logarithm of T.
 *
 * The schedule is a stack of checkpoints. To step back from w_t, the top checkpoint is copied, the follower advances from
 * it to w_{t−1}, and fills the free slots on its way; checkpoints at or after w_t are no longer needed.
 */
import { numpy as np } from "@jax-js/jax";
import type { Value } from "../../program/ir.ts";
import type { Program } from "../../program/program.ts";
import { tensor, type Tree } from "../../program/tensor.ts";
import type { Adjoint, Follower, Steps } from "../follower.ts";
import { callTree, treeMap } from "../../program/trees.ts";
import type { Arrays } from "../problem.ts";
import type { Point } from "../rule.ts";

/** How T steps are reversed with c slots. */
export interface BinomialSchedule {
  /** For each step t = 1..T, the step counts whose states the slots hold when the adjoint of step t is due; −1 is none. */
  readonly positions: readonly (readonly number[])[];
  /** For each step t, the slot from which w_{t−1} is made. */
  readonly from: readonly number[];
  /** Evaluations of Φ: the T of the forward pass, and those made again. */
  readonly evaluations: number;
}

/**
 * The schedule that reverses T steps with c slots, the start's included, with the fewest evaluations of Φ:
 *
 *     1 + r·T − binomial(c + r, c + 1),   where binomial(c + r − 1, c) < T ≤ binomial(c + r, c)
 *
 * @throws RangeError when T or c is not a whole number ≥ 1 (from the caller's checks).
 * @see Griewank, Walther, "Algorithm 799: revolve", ACM TOMS 2000, proposition 1 and formula 9.
 */
export function binomialSchedule(steps: number, slots: number): BinomialSchedule {
  const stacks = new Array<readonly number[]>(steps);
  /** Reverses steps start+1..end with `free` slots, the one at the top of the stack included; it holds `start`. */
  const reverse = (stack: readonly number[], end: number, free: number): void => {
    const start = stack.at(-1)!;
    const limit = end;
    if (free > 1) {
      while (end - start > 1) {
        const next = start + advance(end - start, free);
        reverse([...stack, next], end, free - 1);
        end = next;
      }
    }
    // A checkpoint made for the single step after it would never be read: the state is at hand.
    const isFresh = end === limit && end - start === 1 && stack.length > 1;
    for (let t = end; t > start; t--) stacks[t - 1] = isFresh ? stack.slice(0, -1) : stack;
  };
  reverse([0], steps, slots);

  const from = stacks.map((stack, i) => {
    const later = stacks[i + 1] ?? [];
    const changed = stack.findIndex((position, k) => position !== later[k]);
    return (changed === -1 ? stack.length : Math.max(changed, 1)) - 1;
  });
  const width = Math.max(...stacks.map((stack) => stack.length));
  const again = stacks.slice(0, -1).reduce((sum, stack, i) => sum + i - stack[from[i]!]!, 0);
  return {
    positions: stacks.map((stack) => [
      ...stack,
      ...new Array<number>(width - stack.length).fill(-1),
    ]),
    from,
    evaluations: steps + again,
  };
}

/** How far to advance before the next checkpoint, with `free` > 1 slots for `length` > 1 steps. */
function advance(length: number, free: number): number {
  let r = 1;
  while (binomial(free + r, free) < length) r++;
  // The rest must be reversible with one slot less in r sweeps, the part before it with all in r − 1.
  return Math.min(binomial(free + r - 1, free), length - binomial(free + r - 2, free - 1));
}

function binomial(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) {
    result = (result * (n - k + i)) / i;
    // Only its being large matters here; further factors would lose digits.
    if (result > 2 ** 40) return Infinity;
  }
  return result;
}

/**
 * Makes all steps with the schedule's checkpoints.
 *
 * @returns the last state, and what carries the adjoint back over all steps: the adjoint before the first, and each
 *   minibatch's cotangents.
 */
export function forwardWithSlots(
  program: Program,
  point: Point,
  follower: Follower,
  all: Steps,
  schedule: BinomialSchedule,
): [last: Tree<Value>, tape: (adjoint: Adjoint) => [Adjoint, perStep: Value[]]] {
  const { positions, from } = schedule;
  const steps = all.length;
  const before = steps - 1;
  const int32 = (values: number | number[][] | number[]): Value =>
    program.constant(tensor(values, { dtype: "int32" }));
  const batchesOf = (from: number, to: number): Tree<Value> => {
    const slice = (batches: Arrays): Arrays =>
      treeMap((x: np.Array) => x.slice([from, to]), batches);
    return callTree(program, slice, all.batches);
  };

  /** Stores the state, before step p, in the slots that are to hold it, and makes the step. */
  const advanceOne = ({ state, slots }: Held, batch: Tree<Value>, p: Value, row: Value): Held => {
    const data = point.batched ? batch : follower.prepared.inner.data;
    return {
      state: callTree(program, follower.step, state, point.lambda, data, p),
      slots: callTree(program, store, slots, state, row, p),
    };
  };
  const lastRow = int32([...positions[before]!]);
  const [{ state: nextToLast, slots }] = program.scan(
    { length: before },
    (held: Held, batch: Tree<Value>, p) => [advanceOne(held, batch, p, lastRow), []],
    { state: follower.start, slots: callTree(program, empty(lastRow), follower.start) },
    batchesOf(0, before),
  );
  const lastStep: Steps = { first: int32(before), length: 1, batches: batchesOf(before, steps) };
  const [last, states] = follower.forward(nextToLast, lastStep);

  /** Makes the state before step i again, and the adjoint's step i. */
  const back = (
    { adjoint, slots }: { adjoint: Adjoint; slots: Tree<Value> },
    { row, slot, batch }: { row: Value; slot: Value; batch: Tree<Value> },
    i: Value,
  ): [{ adjoint: Adjoint; slots: Tree<Value> }, Value[]] => {
    const top = callTree(program, take, slots, slot);
    const { carry } = program.while(
      { limit: steps },
      ({ p }) => program.call((p: np.Array, i: np.Array) => np.less(p, i), p, i),
      ({ p, ...held }: Held & { p: Value }) => ({
        ...advanceOne(held, callTree(program, take, all.batches, p), p, row),
        p: program.call((p: np.Array) => p.add(1), p),
      }),
      { state: top, slots, p: callTree(program, take, row, slot) as Value },
    );
    const one: Steps = { first: i, length: 1, batches: callTree(program, stack, batch) };
    const states = callTree(program, stack, carry.state);
    const [next, perStep] = follower.backward(adjoint, states, one);
    const unstack = (x: np.Array): np.Array => x.slice(0);
    return [{ adjoint: next, slots: carry.slots }, perStep.map((x) => program.call(unstack, x))];
  };
  const tape = (adjoint: Adjoint): [Adjoint, Value[]] => {
    const [afterLast, ofLast] = follower.backward(adjoint, states, lastStep);
    const xs = {
      row: int32(positions.slice(0, before).map((row) => [...row])),
      slot: int32(from.slice(0, before)),
      batch: batchesOf(0, before),
    };
    const [end, ofOthers] = program.scan(
      { length: before, reverse: true },
      back,
      { adjoint: afterLast, slots },
      xs as Tree<Value>,
    );
    const join = (a: np.Array, b: np.Array): np.Array => np.concatenate([a, b]);
    return [end.adjoint, ofOthers.map((x, k) => program.call(join, x, ofLast[k]!))];
  };
  return [last, tape];
}

/** A state, and the checkpoints: its leaves stacked as [slots, ...]. */
type Held = { readonly state: Tree<Value>; readonly slots: Tree<Value> };

/** Slots for as many states as the row has entries; a jax-js function. */
function empty({ shape }: Value): (state: Arrays) => Arrays {
  return (state) =>
    treeMap((x: np.Array) => np.zeros([shape[0]!, ...x.shape], { dtype: x.dtype }), state);
}

/** The slots with the state of p steps in those whose entry in the row is p; a jax-js function. */
function store(slots: Arrays, state: Arrays, row: np.Array, p: np.Array): Arrays {
  const isHere = np.equal(row, p);
  const replace = (slot: np.Array, x: np.Array): np.Array =>
    np.where(isHere.reshape([-1, ...new Array<number>(x.ndim).fill(1)]), x, slot);
  return treeMap(replace, slots, state);
}

/** Entry i along the first axis; a jax-js function. */
function take(values: Arrays, i: np.Array): Arrays {
  return treeMap((x: np.Array) => np.take(x, i, 0), values);
}

/** With a first axis of length 1; a jax-js function. */
function stack(values: Arrays): Arrays {
  return treeMap((x: np.Array) => x.reshape([1, ...x.shape]), values);
}
