/**
 * Batches that stay the same over a run, for methods that remember what each of them contributed. Which one a step sees is
 * a pure function of the seed, the stream's name and the number of the step.
 */
import { checkOptions, fingerprintOfTree } from "../../program/internal.ts";
import { tree } from "@jax-js/jax";
import { Tensor, tensor, type TensorLike, toTensor, type Tree } from "../../program/index.ts";
import { foldIn, integers, randomKey } from "../../random/index.ts";
import type { Sampler, Stream } from "./samplers.ts";

/** A sampler of {@link fixedBatches}. */
export interface FixedBatchSampler extends Sampler {
  batch(step: number, from?: Partial<Stream>): Record<string, Tree<Tensor>>;
  /** Number of batches. */
  readonly count: number;
}

/** Options of {@link fixedBatches}. */
export interface FixedBatchOptions {
  /** An object of arrays, or of trees of them, that share their first axis, the examples: leaves [n, …]. */
  data: Readonly<Record<string, Tree<TensorLike>>>;
  /** Examples in a batch; a divisor of n, so that the batches are all the data. */
  size: number;
  /** Own seed; default: the seed of `solve`. */
  seed?: number;
}

/**
 * Cuts the examples, in their order, into n/size batches, of which each step sees one drawn uniformly and independently. A
 * batch has the data's leaves as [size, …] and one more, `batch`: its index, an int32 scalar.
 *
 * @throws RangeError when `size` does not divide the number of examples, or arrays differ in length; TypeError when the
 *   data are not an object, or have a `batch` already.
 * @example
 * const inner = fixedBatches({ data: { x, y }, size: 32 });
 */
export function fixedBatches(options: FixedBatchOptions): FixedBatchSampler {
  checkOptions("fixedBatches", options, { data: "any!", size: "number!", seed: "number" });
  const { size, seed } = options;
  if (Array.isArray(options.data) || options.data instanceof Tensor || "batch" in options.data) {
    throw new TypeError(
      'fixedBatches: data must be an object of arrays, without a "batch" of its own; the index of the batch takes that name.',
    );
  }
  const data = tree.map((leaf: TensorLike) => toTensor(leaf), options.data) as Record<
    string,
    Tree<Tensor>
  >;
  const lengths = new Set(tree.leaves<Tensor>(data).map(({ shape }) => shape[0]));
  const [examples] = lengths;
  if (lengths.size !== 1 || examples === undefined || examples === 0) {
    throw new RangeError(
      `fixedBatches: arrays that share a first axis of at least one example are required, got ${tree.leaves<Tensor>(data).join(", ") || "none"}; put what is not per example outside the sampled data.`,
    );
  }
  if (!Number.isInteger(size) || size < 1 || examples % size !== 0) {
    throw new RangeError(
      `fixedBatches: size must be a divisor of the ${examples} examples, got ${size}; leave out the examples that are too many.`,
    );
  }
  if (seed !== undefined) randomKey(seed);
  const count = examples / size;
  const cut = (leaf: Tensor, index: number): Tensor => {
    const length = (leaf.size / examples) * size;
    const values = leaf.data.slice(index * length, (index + 1) * length);
    return new Tensor(leaf.dtype, [size, ...leaf.shape.slice(1)], values);
  };
  return {
    count,
    fingerprint: () => JSON.stringify(["fixedBatches", fingerprintOfTree(data), { size, seed }]),
    batch(step, from = {}) {
      const key = randomKey(seed ?? from.seed ?? 0, from.stream ?? "fixedBatches");
      const [index] = integers(foldIn(key, step), 1, count);
      const leaves = tree.map((leaf: Tensor) => cut(leaf, index!), data);
      return {
        ...(leaves as Record<string, Tree<Tensor>>),
        batch: tensor(index!, { dtype: "int32" }),
      };
    },
  };
}
