/**
 * The data of a problem that is to be measured. Minibatches are drawn from samplers, some to measure their noise, and
 * others whose mean objectives stand for those of all the data, so that the one does not look at its own fit to the other.
 */
import type { numpy as np } from "@jax-js/jax";
import { Tensor, type TensorLike, toTensor, type Tree } from "../../program/index.ts";
import { treeMap } from "../../program/internal.ts";
import type { FixedBatchSampler } from "../solve/fixed-batches.ts";
import type { Arrays, BilevelData, Objective, Problem } from "../problem.ts";
import { isSampler, type MinibatchSampler, type Sampler } from "../solve/samplers.ts";

type Source = Tree<TensorLike> | Sampler;

/** What is measured in the place of a problem with its data. */
export interface AdviseData {
  /** What a rule's program sees at once: the arrays given, a minibatch where they are sampled. */
  readonly seen: BilevelData<Tree<Tensor>>;
  /** Stands for the whole: the problem given, or means of its objectives over lists of minibatches. */
  readonly whole: { readonly problem: Problem; readonly data: BilevelData<Tree<Tensor>> };
  /** How many times what is seen the inner data of the whole are. */
  readonly draws: number;
  /** Further minibatches of the levels that are sampled. */
  readonly further: { readonly [level in "inner" | "outer"]?: readonly Tree<Tensor>[] };
  /** Number of minibatches of each level, 1 for one that is not sampled; absent when one is drawn from no fixed set. */
  readonly fixed?: BilevelData<number>;
}

/**
 * @param options.batches - B ≥ 2: as many minibatches stand for all the data, and as many others show the noise.
 * @throws RangeError when a sampler of the outer data stacks its batches.
 */
export async function drawData(
  problem: Problem,
  data: BilevelData<Source>,
  options: { readonly batches: number; readonly seed: number },
): Promise<AdviseData> {
  const [inner, outer] = [
    await drawLevel("inner", data.inner, options),
    await drawLevel("outer", data.outer, options),
  ];
  const [n, m] = [countFixed(data.inner), countFixed(data.outer)];
  const seen = { inner: inner.whole[0]!, outer: outer.whole[0]! };
  const isSampled = inner.further !== undefined || outer.further !== undefined;
  return {
    seen,
    whole: isSampled
      ? { problem: meanOf(problem), data: { inner: inner.whole, outer: outer.whole } }
      : { problem: { ...problem, init: undefined }, data: seen },
    draws: inner.whole.length,
    further: {
      ...(inner.further && { inner: inner.further }),
      ...(outer.further && { outer: outer.further }),
    },
    ...(n !== undefined && m !== undefined && { fixed: { inner: n, outer: m } }),
  };
}

/** The problem without init whose levels see lists of data and are the means over them. */
function meanOf({ prepare, inner, outer }: Problem): Problem {
  const over =
    (objective: Objective<Arrays, Arrays, Arrays>) =>
    (w: Arrays, lambda: Arrays, list: Arrays[]): np.Array => {
      const values = list.map((data) => objective(w, lambda, data));
      if (values.length === 1) return values[0]!;
      return values.reduce((sum, value) => sum.add(value)).div(values.length);
    };
  const all = prepare as ((lambda: Arrays, data: Arrays) => Arrays) | undefined;
  return {
    inner: over(inner),
    outer: over(outer),
    ...(all && {
      prepare: (lambda: Arrays, list: Arrays[]) => list.map((data) => all(lambda, data)),
    }),
  };
}

async function drawLevel(
  level: "inner" | "outer",
  source: Source,
  { batches, seed }: { readonly batches: number; readonly seed: number },
): Promise<{ whole: Tree<Tensor>[]; further?: Tree<Tensor>[] }> {
  const host = (values: Tree<TensorLike>): Tree<Tensor> => treeMap(toTensor, values);
  if (!isSampler(source)) return { whole: [host(source)] };
  if (level === "outer" && source.perStep !== undefined) {
    throw new RangeError(
      "advise: the outer sampler must give one batch for each outer step; leave its perStep out.",
    );
  }
  // Batches of one epoch are disjoint, and so not independent: each comes from an epoch of its own.
  const { batchesPerEpoch = 1 } = source as Partial<MinibatchSampler>;
  const draw = async (k: number): Promise<Tree<Tensor>> => {
    const batch = host(
      await source.batch(k * batchesPerEpoch, { seed, stream: `advise ${level}` }),
    );
    return source.perStep === undefined ? batch : treeMap(firstOf, batch);
  };
  const drawn: Tree<Tensor>[] = [];
  for (let k = 0; k < 2 * batches; k++) drawn.push(await draw(k));
  return { whole: drawn.slice(0, batches), further: drawn.slice(batches) };
}

/** How many batches a level's data consist of; undefined when they are drawn from no fixed set. */
function countFixed(source: Source): number | undefined {
  if (!isSampler(source)) return 1;
  const { count } = source as Partial<FixedBatchSampler>;
  return source.perStep === undefined && typeof count === "number" ? count : undefined;
}

/** The first of stacked arrays. */
function firstOf(stack: Tensor): Tensor {
  const shape = stack.shape.slice(1);
  const size = shape.reduce((all, length) => all * length, 1);
  return new Tensor(stack.dtype, shape, stack.data.slice(0, size));
}
