/**
 * Episodes for the outer loop: step k sees episodes k·B to k·B + B − 1 of a seed's sequence, their support sets on the
 * inner level and their query sets on the outer one. A resumed run draws the same ones.
 */
import type { BilevelData, Sampler } from "../bilevel/index.ts";
import { fingerprintOfBytes } from "../program/internal.ts";
import { drawEpisode, type EpisodeBatch, type ImageSet, stackEpisodes } from "../data/index.ts";
import type { Tensor, Tree } from "../program/index.ts";
import type { TaskSource } from "./learner.ts";

/** What a level sees of a batch of episodes. Default: the support sets inside, the query sets outside. */
export type Levels = (batch: EpisodeBatch) => BilevelData<Tree<Tensor>>;

/**
 * Both levels' samplers of one stream of episodes.
 *
 * @throws as `drawEpisode`, at once, when the set is too small for the episodes; RangeError when `tasks` is not a whole
 *   number ≥ 1.
 */
export function episodeBatches(source: TaskSource, levels: Levels = split): BilevelData<Sampler> {
  const { set, episode, tasks, seed } = source;
  if (!Number.isSafeInteger(tasks) || tasks < 1) {
    throw new RangeError(
      `episodeBatches: tasks, the episodes of an outer step, must be a whole number >= 1; ${tasks} came.`,
    );
  }
  drawEpisode(set, episode, seed, 0);
  // Of every pixel, and asked for by both levels: made once, when a checkpoint is written or read.
  let print: string | undefined;
  const fingerprint = (): string =>
    (print ??= JSON.stringify(["episodes", fingerprintOfImages(set), episode, { tasks, seed }]));
  // The step in progress, of which both levels ask: a cache of a pure function.
  let cached: { step: number; data: BilevelData<Tree<Tensor>> } | undefined;
  const at = (step: number): BilevelData<Tree<Tensor>> => {
    if (cached?.step !== step) {
      const drawn = Array.from({ length: tasks }, (_, i) =>
        drawEpisode(set, episode, seed, step * tasks + i),
      );
      cached = { step, data: levels(stackEpisodes(set, drawn)) };
    }
    return cached.data;
  };
  return {
    inner: { fingerprint, batch: (step) => at(step).inner },
    outer: { fingerprint, batch: (step) => at(step).outer },
  };
}

/** A text that tells image sets apart: names, sizes and every byte. */
export function fingerprintOfImages(set: ImageSet): string {
  const { pixels, ...rest } = set;
  return fingerprintOfBytes(new TextEncoder().encode(JSON.stringify(rest)), pixels);
}

function split({ support, query }: EpisodeBatch): BilevelData<Tree<Tensor>> {
  return { inner: { ...support }, outer: { ...query } };
}
