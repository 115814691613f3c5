/**
 * Reverse mode with c checkpoints placed by the binomial schedule, which recomputes least: with c slots and every step
 * made again at most r times, T = binomial(c + r, c) steps can be reversed, so that c grows as the logarithm of T.
 *
 * The schedule is a stack of checkpoints. To step back from w_t, the top checkpoint is copied, the follower advances from
 * it to w_{t−1}, and fills the free slots on its way; checkpoints at or after w_t are no longer needed.
 */
import { numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../../program/index.ts";
import type { Adjoint, Follower, Steps } from "../../estimate/follower.ts";
import { callTree, treeMap } from "../../../program/internal.ts";
import type { Arrays } from "../../problem.ts";
import type { Point } from "../../rule.ts";

/**
 * How T steps are reversed with c slots. Row t lists the step counts whose states the slots hold when the adjoint of step t
 * is due. From t + 1 to t only its end changes, so that the whole schedule is some 4T numbers, however many slots.
 */
export interface BinomialSchedule {
  /** Slots that are ever used at once. */
  readonly width: number;
  /** For each step t = 1..T, the slot from which w_{t−1} is made; row t begins like row t + 1 up to this slot. */
  readonly from: readonly number[];
  /** For each step t, where in `placed` the rest of its row begins, and how long it is; further slots are free. */
  readonly first: readonly number[];
  readonly count: readonly number[];
  /** Step counts, row by row, from t = T on. */
  readonly placed: readonly number[];
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
  const from = new Array<number>(steps);
  const first = new Array<number>(steps);
  const count = new Array<number>(steps);
  const placed: number[] = [];
  let width = 1;
  let evaluations = steps;
  // Checkpoints in the order of their slots: each is to reverse the steps from its start to its end, `free` slots from its
  // own on.
  const stack = [{ start: 0, end: steps, limit: steps, free: slots }];
  /** Slots at the bottom of the stack that are as they were in the row before. */
  let kept = 1;
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const { start, end, limit, free } = top;
    if (free > 1 && end - start > 1) {
      const next = start + advance(end - start, free);
      stack.push({ start: next, end, limit: end, free: free - 1 });
      top.end = next;
      continue;
    }
    // A checkpoint made for the single step after it would never be read: the state is at hand.
    const isFresh = end === limit && end - start === 1 && stack.length > 1;
    const length = stack.length - (isFresh ? 1 : 0);
    for (let t = end; t > start; t--) {
      from[t - 1] = Math.min(kept, length) - 1;
      first[t - 1] = placed.length;
      for (let k = kept; k < length; k++) placed.push(stack[k]!.start);
      count[t - 1] = placed.length - first[t - 1]!;
      // The last step is made once, on the way forward.
      if (t < steps) evaluations += t - 1 - stack[from[t - 1]!]!.start;
      width = Math.max(width, length);
      kept = length;
    }
    stack.pop();
    kept = Math.min(kept, stack.length);
  }
  return { width, from, first, count, placed, evaluations };
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
  const short = Math.min(k, n - k);
  for (let i = 1; i <= short; i++) {
    result = (result * (n - short + i)) / i;
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
  const { width, from, first, count, placed } = schedule;
  const steps = all.length;
  const before = steps - 1;
  const int32 = (values: number | number[]): Value =>
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
  const onTheWay = placed.slice(0, count[before]);
  const free = new Array<number>(width - 1 - onTheWay.length).fill(-1);
  const lastRow = int32([0, ...onTheWay, ...free]);
  // Row t has some entries of this list, none when it places nothing.
  const entries = int32(placed.length === 0 ? [-1] : [...placed]);
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
    { adjoint, slots, row: before }: Returning,
    { slot, first, count, batch }: Due,
    i: Value,
  ): [Returning, Value[]] => {
    const row = program.call(nextRow, before, entries, slot, first, count);
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
    const returning = { adjoint: next, slots: carry.slots, row };
    return [returning, perStep.map((x) => program.call(unstack, x))];
  };
  const tape = (adjoint: Adjoint): [Adjoint, Value[]] => {
    const [afterLast, ofLast] = follower.backward(adjoint, states, lastStep);
    const xs = {
      slot: int32(from.slice(0, before)),
      first: int32(first.slice(0, before)),
      count: int32(count.slice(0, before)),
      batch: batchesOf(0, before),
    };
    const [end, ofOthers] = program.scan(
      { length: before, reverse: true },
      back,
      { adjoint: afterLast, slots, row: lastRow },
      xs as Tree<Value>,
    );
    const join = (a: np.Array, b: np.Array): np.Array => np.concatenate([a, b]);
    return [end.adjoint, ofOthers.map((x, k) => program.call(join, x, ofLast[k]!))];
  };
  return [last, tape];
}

/** A state, and the checkpoints: its leaves stacked as [slots, ...]. */
type Held = { readonly state: Tree<Value>; readonly slots: Tree<Value> };

/** What goes back over the steps: the row is that of the step before. */
type Returning = { readonly adjoint: Adjoint; readonly slots: Tree<Value>; readonly row: Value };

/** The schedule's entries of a step, and its minibatch. */
type Due = { slot: Value; first: Value; count: Value; batch: Tree<Value> };

/** A step's row: what the row before has up to slot `from`, then `count` of the entries, then nothing; a jax-js function. */
function nextRow(
  row: np.Array,
  entries: np.Array,
  from: np.Array,
  first: np.Array,
  count: np.Array,
): np.Array {
  const beyond = np.arange(row.shape[0]!).sub(from).sub(1);
  const last = entries.shape[0]! - 1;
  const index = np.minimum(np.maximum(beyond.add(first), 0), last);
  const rest = np.where(np.less(beyond, count), np.take(entries, index, 0), -1);
  return np.where(np.less(beyond, 0), row, rest);
}

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
