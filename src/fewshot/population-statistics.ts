/**
 * Statistics for batch normalization that no test image has a part in: those of a trained encoder over training episodes.
 */
import { checkOptions } from "../program/internal.ts";
import { type numpy as np, tree } from "@jax-js/jax";
import { type Episode, type ImageSet, stackEpisodes } from "../data/index.ts";
import { compile, type SessionOptions, Tensor, type Tree } from "../program/index.ts";
import type { Block, Statistics } from "./encoder.ts";
import type { Learner } from "./learner.ts";

/**
 * The mean and variance before each normalization, over the images of many sets of which each is normalized by its own
 * statistics, as in training.
 *
 *     mean = Σ_s n_s mean_s / Σ_s n_s,   variance = Σ_s n_s (variance_s + mean_s²) / Σ_s n_s − mean²
 *
 * They take the place of the running averages of other implementations, which mix the statistics of many λ.
 *
 * @param lambda - the learner's hyperparameters; its `encoder` is measured. A follower that adapts the encoder is
 *   normalized by the statistics of its start.
 * @param options.set - the training images.
 * @param options.episodes - training episodes of one shape; support and query sets count as sets of their own.
 */
export async function populationStatistics(
  learner: Learner,
  lambda: Tree<Tensor>,
  options: SessionOptions & { set: ImageSet; episodes: readonly Episode[] },
): Promise<Statistics<Tensor>[]> {
  checkOptions("populationStatistics", options, {
    device: "string",
    threads: "number",
    flushDenormals: "boolean",
    log: "boolean",
    graphOptimization: "string",
    set: "object!",
    episodes: "any!",
  });
  const { set, episodes, ...session } = options;
  if (episodes.length === 0) {
    throw new RangeError("populationStatistics: needs at least one episode; see listEpisodes.");
  }
  const measure = compile(
    (params: Block<np.Array>[], x: np.Array) => learner.encoder.statistics(params, x.slice(0)),
    session,
  );
  const { encoder } = lambda as unknown as { encoder: Block<Tensor>[] };
  const sums: Sum[][] = [];
  try {
    for (const episode of episodes) {
      const batch = stackEpisodes(set, [episode]);
      for (const { x } of [batch.support, batch.query]) {
        const statistics = await measure(encoder as unknown as Tree<Tensor>, x);
        const blocks = statistics as unknown as Statistics<Tensor>[];
        blocks.forEach((block, i) => accumulate((sums[i] ??= []), block, x.shape[1]!));
      }
    }
  } finally {
    await measure.dispose();
  }
  const { dtype } = tree.leaves<Tensor>(encoder as unknown as Tree<Tensor>)[0]!;
  const vector = (values: number[]): Tensor =>
    new Tensor(
      dtype,
      [values.length],
      dtype === "float64" ? Float64Array.from(values) : Float32Array.from(values),
    );
  return sums.map((channels) => ({
    mean: vector(channels.map(({ n, first }) => first / n)),
    variance: vector(channels.map(({ n, first, second }) => second / n - (first / n) ** 2)),
  }));
}

/** Sums over images of one channel's values and squares. */
interface Sum {
  n: number;
  first: number;
  second: number;
}

function accumulate(sums: Sum[], { mean, variance }: Statistics<Tensor>, n: number): void {
  mean.data.forEach((value, channel) => {
    const sum = (sums[channel] ??= { n: 0, first: 0, second: 0 });
    sum.n += n;
    sum.first += n * value;
    sum.second += n * (variance.data[channel]! + value * value);
  });
}
