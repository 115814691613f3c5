// What a few-shot training depends on, and nothing else: stored beside the run, so that it resumes, and inside the model,
// so that evaluation and prediction rebuild the same learner and read images the same way.

import type { EpisodeShape, OmniglotSplit } from "../../data/index.ts";
import { UsageError } from "../errors.ts";

/** How images are found and read. */
export interface ImageSettings {
  /** `omniglot`, or a folder of class folders as it was typed: models do not tell where things lie on a machine. */
  data: string;
  /** Of Omniglot's characters. */
  split: OmniglotSplit;
  /** Side in pixels. */
  size: number;
  channels: 1 | 3;
  /** Dark ink on light paper, see `ImageSet`. */
  invert: boolean;
}

export const learnerNames = [
  "hyper-representation",
  "maml",
  "first-order-maml",
  "anil",
  "imaml",
  "reptile",
  "prototypical",
  "matching",
  "joint",
] as const;
export type LearnerName = (typeof learnerNames)[number];

export const ruleNames = ["reverse", "truncated", "implicit", "firstOrder"] as const;
export type RuleName = (typeof ruleNames)[number];

export const yesOrNo = ["yes", "no"] as const;
export type YesOrNo = (typeof yesOrNo)[number];

/** A learner and its network. */
export interface LearnerSettings {
  learner: LearnerName;
  filters: number;
  variant: "strided" | "pooled";
  /** T of the training; absent where the answer has a closed form. */
  innerSteps?: number;
  /** The follower's learning rate, or where it starts; absent where the answer has a closed form. */
  innerRate?: number;
  /** Whether that rate is a hyperparameter too; default: no. */
  learnInnerRate?: YesOrNo;
  /** Images of each class that a step of Reptile's training sees; default: 2. */
  stepShots?: number;
  /** The hypergradient rule; default: the learner's. */
  rule?: RuleName;
}

/**
 * What batch normalization uses at validation and test: each set's own statistics, the support set's for both sets, or
 * those of training images.
 */
export const batchNormModes = ["batch", "support", "running"] as const;
export type BatchNorm = (typeof batchNormModes)[number];

/** Everything that the result of a training depends on. */
export interface TrainSettings extends ImageSettings, LearnerSettings {
  ways: number;
  /** Support images a class, at test and validation. */
  shots: number;
  /** Query images a class. */
  queries: number;
  /** Classes of a training episode, where they differ from `ways`. */
  trainWays?: number;
  /** Support images a class in training, where they differ from `shots`. */
  trainShots?: number;
  /** Query images a class in training, where they differ from `queries`. */
  trainQueries?: number;
  /** Episodes of an outer step. */
  tasks: number;
  /** The leader's learning rate: Adam's, for Reptile gradient descent's. */
  rate: number;
  seed: number;
  /** A model to start from, instead of weights drawn from the seed, and what its training took. */
  from?: { path: string; episodes: number; seconds: number };
  /** Outer steps at most. */
  steps: number;
  /** Outer steps between two validations. */
  every: number;
  validationEpisodes: number;
  /** Validations without a better one after which the training ends. */
  patience: number;
  /** At validation. */
  batchNorm: BatchNorm;
}

/** The size of a training episode, which may differ from those at test. */
export function trainingEpisode(settings: TrainSettings): EpisodeShape {
  const { trainWays, trainShots, trainQueries } = settings;
  return {
    ways: trainWays ?? settings.ways,
    shots: trainShots ?? settings.shots,
    queries: trainQueries ?? settings.queries,
  };
}

/**
 * The settings of a file.
 *
 * @throws UsageError when one is missing or of another kind.
 */
export function checkStoredSettings(stored: unknown, path: string): TrainSettings {
  const settings = (stored ?? {}) as Partial<TrainSettings>;
  const isAbsent = (value: unknown): boolean => value === undefined;
  const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
  const isPositive = (value: unknown): boolean => Number.isFinite(value) && Number(value) > 0;
  const isOneOf = (choices: readonly unknown[], value: unknown): boolean => choices.includes(value);
  const { innerSteps, innerRate, learnInnerRate, stepShots, rule, from, seed } = settings;
  const { ways, shots, queries, size, filters, tasks, steps, every, patience } = settings;
  const { trainWays, trainShots, trainQueries, validationEpisodes } = settings;
  const whole = [ways, shots, queries, size, filters, tasks, steps, every, patience];
  const perhaps = [trainWays, trainShots, trainQueries, innerSteps, stepShots];
  const isKnown =
    typeof settings.data === "string" &&
    typeof settings.split === "string" &&
    typeof settings.invert === "boolean" &&
    isOneOf([1, 3], settings.channels) &&
    isOneOf(learnerNames, settings.learner) &&
    isOneOf(["strided", "pooled"], settings.variant) &&
    isOneOf(batchNormModes, settings.batchNorm) &&
    isOneOf([undefined, ...yesOrNo], learnInnerRate) &&
    isOneOf([undefined, ...ruleNames], rule) &&
    [...whole, validationEpisodes].every(isWhole) &&
    perhaps.every((value) => isAbsent(value) || isWhole(value)) &&
    isPositive(settings.rate) &&
    (isAbsent(innerRate) || isPositive(innerRate)) &&
    Number.isSafeInteger(seed) &&
    (from === undefined || [from.episodes, from.seconds].every(Number.isFinite));
  if (isKnown) return settings as TrainSettings;
  throw new UsageError(
    `${path} is no few-shot model or run of this version of stackelberg; give the output folder of \`stackelberg fewshot train\`, or its model.safetensors`,
  );
}
