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
  /** The follower's learning rate after training. */
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
/** The follower's learning rate: 0.4 for good, or learned from there with the representation. */
export type Rate = "fixed" | "learned";
/** What all trainings share. */
export const episodeSettings = {
  filters: 16,
  learningRate: 0.4,
  ways: 5,
  queries: 15,
  tasks: 4,
  outerSteps: 500,
  tested: 600,
};

/**
 * Trains on 5-way episodes with T inner steps and tests. The seed draws the first weights, the training episodes and the test
 * episodes, all the same for every T, so that differences between T are paired and an interval over seeds covers all three.
 */
export async function runEpisodes(
  splits: ImageSplits,
  { shots, rate, seed, steps }: { shots: number; rate: Rate; seed: number; steps: number },
): Promise<EpisodeRun> {
  const { filters, learningRate, ways, queries, tasks, outerSteps, tested } = episodeSettings;
  const learner = hyperRepresentation({
    encoder: convolutionalEncoder({ filters }),
    steps,
    learningRate,
    learnRate: rate === "learned",
  });
  const episode = { ways, shots, queries };
  const run = train(learner, {
    set: splits.train,
    episode,
    tasks,
    seed,
    budget: { steps: outerSteps },
    threads: 1,
  });
  const since = process.cpuUsage();
  const { lambda, history } = await run;
  const { user, system } = process.cpuUsage(since);
  const tests = await evaluate(learner, lambda, {
    set: splits.test,
    episodes: listEpisodes(splits.test, episode, { seed, count: tested }),
    steps: testSteps,
    threads: 1,
  });
  const { logRate } = lambda as unknown as { logRate?: Tensor };
  const last = history.slice(-outerSteps / 10);
  return {
    learningRate: logRate ? Math.exp(logRate.item()) : learningRate,
    loss: last.reduce((sum, { value }) => sum + value, 0) / last.length,
    seconds: (user + system) / 1e6,
    tests: tests.map(({ steps, accuracies }) => ({ steps, accuracies: [...accuracies] })),
  };
}
