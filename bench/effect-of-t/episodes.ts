/** The effect of T in meta-learning: a small hyper-representation trained with T steps, tested with other numbers of steps. */
import { listEpisodes, type ImageSplits } from "../../src/data/index.ts";
import {
  convolutionalEncoder,
  evaluate,
  hyperRepresentation,
  train,
} from "../../src/fewshot/index.ts";
import type { Tensor } from "../../src/program/index.ts";

/** One trained representation. */
export interface EpisodeRun {
  /** The follower's learning rate after training, which is learned. */
  readonly learningRate: number;
  /** Mean loss of the query sets over the last tenth of the outer steps. */
  readonly loss: number;
  /** Processor seconds of the training. */
  readonly seconds: number;
  /** Accuracy on each test episode after so many steps. */
  readonly tests: readonly { readonly steps: number; readonly accuracies: readonly number[] }[];
}

/** T in training. */
export const trainingSteps: readonly number[] = [1, 4, 16];
/** T at test. */
export const testSteps: readonly number[] = [1, 2, 4, 8, 16, 32, 64];
/** What all trainings share. */
export const episodeSettings = {
  filters: 16,
  ways: 5,
  queries: 15,
  tasks: 4,
  outerSteps: 500,
  tested: 600,
};

/** Trains on 5-way episodes with T inner steps, from seed 0, and tests on the same 600 episodes for all T. */
export async function runEpisodes(
  splits: ImageSplits,
  steps: number,
  shots: number,
): Promise<EpisodeRun> {
  const { filters, ways, queries, tasks, outerSteps, tested } = episodeSettings;
  const learner = hyperRepresentation({
    encoder: convolutionalEncoder({ filters }),
    steps,
    learnRate: true,
  });
  const episode = { ways, shots, queries };
  const run = train(learner, {
    set: splits.train,
    episode,
    tasks,
    seed: 0,
    budget: { steps: outerSteps },
    threads: 1,
  });
  const since = process.cpuUsage();
  const { lambda, history } = await run;
  const { user, system } = process.cpuUsage(since);
  const tests = await evaluate(learner, lambda, {
    set: splits.test,
    episodes: listEpisodes(splits.test, episode, { seed: 1, count: tested }),
    steps: testSteps,
    threads: 1,
  });
  const last = history.slice(-outerSteps / 10);
  return {
    learningRate: Math.exp((lambda as unknown as { logRate: Tensor }).logRate.item()),
    loss: last.reduce((sum, { value }) => sum + value, 0) / last.length,
    seconds: (user + system) / 1e6,
    tests: tests.map(({ steps, accuracies }) => ({ steps, accuracies: [...accuracies] })),
  };
}
