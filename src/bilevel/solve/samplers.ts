/**
 * Minibatches for the outer loop. A batch is a pure function of the seed, the stream's name and the
 * number of the step, so a resumed run draws the same batches and two consumers never share theirs.
 */
import { allocate, checkOptions, fingerprintOfTree } from "../../program/internal.ts";
import { tree } from "@jax-js/jax";
import { Tensor, type TensorLike, toTensor, type Tree } from "../../program/index.ts";
import { foldIn, integers, permutation, type RandomKey, randomKey } from "../../random/index.ts";

/** Where a batch's randomness comes from. */
export interface Stream {
  readonly seed: number;
  /** One name per consumer; `solve` uses "inner" and "outer". */
  readonly stream: string;
}

/** A source of batches. The shapes must be the same at every step. */
export interface Sampler {
  /** Says what is sampled and how; a resumed run must find the same text. */
  fingerprint(): string;
  /** Set when a batch is a stack [perStep, …] of one batch for each inner step. */
  readonly perStep?: number | undefined;
  /** The batch of an outer step (0, 1, …): a pure function of the step and the stream. */
  batch(step: number, from: Stream): Tree<TensorLike> | Promise<Tree<TensorLike>>;
}

/** A minibatch sampler, whose batches are host tensors made at once. */
export interface MinibatchSampler extends Sampler {
  batch(step: number, from?: Partial<Stream>): Tree<Tensor>;
  /** Batches in one pass over the data. */
  readonly batchesPerEpoch: number;
}

/** Options of {@link minibatches}. */
export interface MinibatchOptions {
  /** Tree of arrays that share their first axis, the examples: leaves [n, …]. */
  data: Tree<TensorLike>;
  /** Examples in a batch, at most n. */
  size: number;
  /** Own seed; default: the seed of `solve`. */
  seed?: number;
  /** Own stream; default: the one named by the consumer ("inner" or "outer" in `solve`). */
  stream?: string;
  /**
   * false (default): each epoch is a fresh order of the examples, cut into ⌊n/size⌋ disjoint batches;
   * the n mod size examples left over sit that epoch out. true: every example is drawn independently.
   */
  replacement?: boolean;
  /**
   * Number of batches in an outer step. Given, a step gets a stack of them, leaves [perStep, size, …],
   * for rules that take one batch per inner step; else a single one, leaves [size, …].
   */
  perStep?: number;
}

/**
 * Samples minibatches of examples.
 *
 * @throws RangeError for a size or perStep out of range, or arrays of different lengths.
 * @example
 * const inner = minibatches({ data: { x, y }, size: 32, seed: 0 });
 */
export function minibatches(options: MinibatchOptions): MinibatchSampler {
  checkOptions("minibatches", options, {
    data: "any!",
    size: "number!",
    seed: "number",
    stream: "string",
    replacement: "boolean",
    perStep: "number",
  });
  const { size, replacement = false, perStep } = options;
  const data = tree.map((leaf: TensorLike) => toTensor(leaf), options.data) as Tree<Tensor>;
  const count = checkExamples(tree.leaves(data) as Tensor[]);
  checkCount("size", size, count);
  if (perStep !== undefined) checkCount("perStep", perStep, Number.MAX_SAFE_INTEGER);
  if (options.seed !== undefined) randomKey(options.seed);
  const batchesPerEpoch = Math.floor(count / size);

  // The order of the epoch in progress: a cache of a pure function.
  let cached: { name: string; order: Uint32Array } | undefined;
  const orderOf = (key: RandomKey, epoch: number): Uint32Array => {
    const name = `${key.join()}/${epoch}`;
    if (cached?.name !== name) {
      cached = { name, order: permutation(foldIn(key, epoch), count) };
    }
    return cached.order;
  };
  const rows = (key: RandomKey, batch: number): Uint32Array => {
    if (replacement) return integers(foldIn(key, batch), size, count);
    const first = (batch % batchesPerEpoch) * size;
    return orderOf(key, Math.floor(batch / batchesPerEpoch)).subarray(first, first + size);
  };

  return {
    batchesPerEpoch,
    perStep,
    fingerprint: () =>
      JSON.stringify([
        "minibatches",
        fingerprintOfTree(data),
        { size, replacement, perStep, seed: options.seed, stream: options.stream },
      ]),
    batch(step, from = {}) {
      const seed = options.seed ?? from.seed ?? 0;
      const key = randomKey(seed, options.stream ?? from.stream ?? "minibatches");
      const stack = perStep ?? 1;
      const taken = new Uint32Array(stack * size);
      for (let i = 0; i < stack; i++) taken.set(rows(key, step * stack + i), i * size);
      const axes = perStep === undefined ? [size] : [perStep, size];
      return tree.map((leaf: Tensor) => gather(leaf, taken, axes), data) as Tree<Tensor>;
    },
  };
}

/** True for a {@link Sampler}, false for a tree of arrays. */
export function isSampler(data: unknown): data is Sampler {
  return (
    typeof data === "object" &&
    data !== null &&
    typeof (data as Sampler).batch === "function" &&
    typeof (data as Sampler).fingerprint === "function"
  );
}

function checkExamples(leaves: Tensor[]): number {
  const lengths = new Set(leaves.map(({ shape }) => shape[0]));
  const [count] = lengths;
  if (lengths.size !== 1 || count === undefined || count === 0) {
    throw new RangeError(
      `minibatches: arrays that share a first axis of at least one example are required, got ${leaves.join(", ") || "none"}; put what is not per example outside the sampled tree.`,
    );
  }
  return count;
}

function checkCount(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new RangeError(
      `minibatches: ${name} must be an integer from 1 to ${most}, got ${value}${value > most ? "; try a smaller one, or all the data as plain arrays" : ""}.`,
    );
  }
}

function gather(leaf: Tensor, rows: Uint32Array, axes: number[]): Tensor {
  const width = leaf.size / leaf.shape[0]!;
  const data = allocate(leaf.dtype, rows.length * width);
  rows.forEach((row, i) => data.set(leaf.data.subarray(row * width, (row + 1) * width), i * width));
  return new Tensor(leaf.dtype, [...axes, ...leaf.shape.slice(1)], data);
}
