/**
 * Whether both objectives are means over examples, so that a rule may look at a part of them at a time: the data are cut into
 * batches of consecutive examples, and the mean of the batches' gradients is held against the gradient of the whole.
 */
import { tree } from "@jax-js/jax";
import { type SessionOptions, Tensor, TraceError, type Tree } from "../../program/index.ts";
import { treeMap } from "../../program/internal.ts";
import { gradientMeter, largestCurvature } from "./minibatch-noise.ts";
import type { BilevelData, Problem } from "../problem.ts";

/** Batches over which both objectives are means. */
export interface FiniteSum {
  /** Examples in a batch of each level. */
  readonly size: BilevelData<number>;
  /** Batches of each level. */
  readonly count: BilevelData<number>;
  /** Largest curvature of L on one of the batches. */
  readonly largestCurvature: number;
}

/** Batches of consecutive examples, at most `MOST` of them; undefined when an objective is no mean over its data's first axis. */
export async function findFiniteSum(
  problem: Problem,
  point: { readonly lambda: Tree<Tensor>; readonly w: Tree<Tensor> },
  data: BilevelData<Tree<Tensor>>,
  session: SessionOptions,
): Promise<FiniteSum | undefined> {
  const [inner, outer] = [cut(data.inner), cut(data.outer)];
  if (!inner || !outer) return undefined;
  try {
    for (const [level, { batches }] of [
      ["inner", inner],
      ["outer", outer],
    ] as const) {
      const isMean = await isMeanOver(problem, level, { ...point, data: data[level] }, batches, session); // prettier-ignore
      if (!isMean) return undefined;
    }
  } catch (error) {
    // An objective that asks for all the examples, such as one with a weight for each.
    if (error instanceof TraceError) return undefined;
    throw error;
  }
  return {
    size: { inner: inner.size, outer: outer.size },
    count: { inner: inner.batches.length, outer: outer.batches.length },
    largestCurvature: await largestCurvature(problem, point, inner.batches, session),
  };
}

const MOST = 32;

/** The fewest examples a batch that divide the data into at most `MOST` batches, and at least two. */
function cut(data: Tree<Tensor>): { size: number; batches: Tree<Tensor>[] } | undefined {
  const lengths = new Set(tree.leaves<Tensor>(data).map(({ shape }) => shape[0]));
  const [n] = lengths;
  if (lengths.size !== 1 || n === undefined || n < 2) return undefined;
  let size = Math.ceil(n / MOST);
  while (n % size !== 0) size++;
  if (size === n) return undefined;
  const slice = (x: Tensor, k: number): Tensor => {
    const width = (x.size / n) * size;
    return new Tensor(x.dtype, [size, ...x.shape.slice(1)], x.data.slice(k * width, (k + 1) * width)); // prettier-ignore
  };
  const batches = Array.from({ length: n / size }, (_, k) =>
    treeMap((x: Tensor) => slice(x, k), data),
  );
  return { size, batches };
}

async function isMeanOver(
  problem: Problem,
  level: "inner" | "outer",
  point: { readonly lambda: Tree<Tensor>; readonly w: Tree<Tensor>; readonly data: Tree<Tensor> },
  batches: readonly Tree<Tensor>[],
  session: SessionOptions,
): Promise<boolean> {
  const whole = await gradientMeter(problem, level, point, session);
  const gradient = Array.from(await whole.at(point.w, point.data));
  await whole.dispose();
  const part = await gradientMeter(problem, level, { ...point, data: batches[0]! }, session);
  const mean = gradient.map(() => 0);
  let largest = 0;
  for (const batch of batches) {
    const one = Array.from(await part.at(point.w, batch));
    largest = Math.max(largest, Math.hypot(...one));
    one.forEach((x, i) => (mean[i]! += x / batches.length));
  }
  await part.dispose();
  const error = Math.hypot(...mean.map((x, i) => x - gradient[i]!));
  // Sums of float32 numbers in another order.
  return error <= 1e-4 * largest;
}
