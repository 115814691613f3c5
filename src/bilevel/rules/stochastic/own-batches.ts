/**
 * Batches that a rule draws itself, for rules that look at all the data now and then and at batches between: consecutive
 * examples, which batch being a function of the seed and the outer step alone.
 */
import { numpy as np, random, tree } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../../program/index.ts";
import { callTree, treeMap, checkCount } from "../../../program/internal.ts";
import type { Arrays, BilevelData } from "../../problem.ts";
import type { Point } from "../../rule.ts";
import { checkSeed } from "./neumann-estimators.ts";

type Values = Tree<Value>;

/** Options of rules that draw their own batches. */
export interface OwnBatchOptions {
  /** Examples in a batch of each level, a divisor of their number. */
  readonly size: { readonly inner: number; readonly outer: number };
  /** q ≥ 1, outer steps from one evaluation on all the data to the next; 1 is all of them. */
  readonly period: number;
  /** Seed of the batches, in [0, 2³²); they are a function of the seed and the outer step alone. Default 0. */
  readonly seed?: number;
}

/** Refuses options that cannot work, and returns the seed. */
export function checkOwnBatches(rule: string, { size, period, seed = 0 }: OwnBatchOptions): number {
  checkCount(`${rule}: size.inner`, size.inner);
  checkCount(`${rule}: size.outer`, size.outer);
  checkCount(`${rule}: period`, period);
  checkSeed(`${rule}: seed`, seed);
  return seed;
}

/** The batches of one outer step, uniform and independent. */
export interface OwnBatches {
  /** Which ones, int32 [rows, inner + 1]: in each row some of the inner level, then one of the outer level. */
  readonly rows: Value;
  /** The data of one row, int32 [inner + 1]: the inner ones stacked as [inner, size, …], or [size, …] when `inner` is 1. */
  take(row: Value): BilevelData<Values>;
}

/**
 * Draws the batches of outer step k.
 *
 * @param options.rows - how many draws; `options.inner` - inner batches in each.
 * @throws TypeError when minibatches are stacked; RangeError when `size` does not divide the examples.
 */
export function drawBatches(
  program: Program,
  rule: string,
  point: Point,
  options: {
    readonly size: OwnBatchOptions["size"];
    readonly seed: number;
    readonly rows: number;
    readonly inner: number;
  },
  k: Value,
): OwnBatches {
  const { size, seed, rows, inner } = options;
  const { data } = point;
  if (point.batched) {
    throw new TypeError(
      `${rule}: it draws its own batches from all the data, but stacked minibatches came; give the data as plain arrays.`,
    );
  }
  const of = {
    inner: cutIntoBatches(program, rule, "inner", data.inner, size.inner),
    outer: cutIntoBatches(program, rule, "outer", data.outer, size.outer),
  };
  const draw = (seed: np.Array, k: np.Array): np.Array => {
    const uniform = random.uniform(np.stack([seed, k.astype(np.uint32)]), [rows, inner + 1]);
    const below = (part: np.Array, count: number): np.Array =>
      np.minimum(np.floor(part.mul(count)), count - 1).astype(np.int32);
    return np.concatenate(
      [
        below(uniform.slice([], [0, inner]), of.inner.count),
        below(uniform.slice([], [inner, inner + 1]), of.outer.count),
      ],
      1,
    );
  };
  const take = (batches: Arrays, index: np.Array): Arrays =>
    treeMap((x: np.Array) => np.take(x, index, 0), batches);
  const ofInner = (row: np.Array): np.Array => (inner === 1 ? row.slice(0) : row.slice([0, inner]));
  return {
    rows: program.call(draw, program.constant(tensor(seed, { dtype: "uint32" })), k),
    take: (row) => ({
      inner: callTree(program, take, of.inner.batches, program.call(ofInner, row)),
      outer: callTree(
        program,
        take,
        of.outer.batches,
        program.call((row: np.Array) => row.slice(inner), row),
      ),
    }),
  };
}

/** Whether outer step k evaluates on all the data: 0, q, 2q, … */
export function isRefresh(program: Program, period: number, k: Value): Value {
  return program.call((k: np.Array) => np.equal(np.remainder(k, period), 0), k);
}

/**
 * `then(...inputs)` where the condition holds, else `otherwise`. What `then` makes of its inputs is computed only if it does: a
 * loop of at most one step carries them, since work on captured values alone would move out of its body.
 */
export function onlyIf<I extends readonly unknown[]>(
  program: Program,
  condition: Value,
  then: (...inputs: I) => Values,
  inputs: I,
  otherwise: Values,
): Values {
  type Carry = { isDue: Value; inputs: I; x: Values };
  const never = (isDue: np.Array): np.Array => np.logicalAnd(isDue, np.logicalNot(isDue));
  const { carry } = program.while(
    { limit: 1 },
    (carry) => (carry as unknown as Carry).isDue,
    (carry) => {
      const { isDue, inputs } = carry as unknown as Carry;
      const next = { isDue: program.call(never, isDue), inputs, x: then(...inputs) };
      return next as unknown as Values;
    },
    { isDue: condition, inputs, x: otherwise } as unknown as Values,
  );
  return (carry as unknown as Carry).x;
}

/**
 * A level's data as batches of consecutive examples, [count, size, …].
 *
 * @throws RangeError when `size` does not divide the examples.
 */
export function cutIntoBatches(
  program: Program,
  rule: string,
  level: "inner" | "outer",
  data: Values,
  size: number,
): { readonly count: number; readonly batches: Values } {
  const lengths = new Set(tree.leaves<Value>(data).map(({ shape }) => shape[0]));
  const [examples] = lengths;
  if (lengths.size !== 1 || examples === undefined || examples === 0 || examples % size !== 0) {
    throw new RangeError(
      `${rule}: the ${level} data must be arrays that share their first axis, a number of examples that size.${level} = ${size} divides, and have first axes ${[...lengths].map((n) => n ?? "none").join(", ") || "none"}; leave out the examples that are too many.`,
    );
  }
  const count = examples / size;
  const cut = (x: np.Array): np.Array => x.reshape([count, size, ...x.shape.slice(1)]);
  return { count, batches: callTree(program, (all: Arrays) => treeMap(cut, all), data) };
}
