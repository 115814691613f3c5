// What a few-shot training depends on, and nothing else: stored beside the run, so that it resumes, and inside the model,
// so that evaluation and prediction rebuild the same learner and read images the same way.

import * as v from "valibot";
import type { EpisodeShape, OmniglotSplit } from "../../data/index.ts";
import { count, finite, positive, positiveCount } from "../../files/index.ts";

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

export const omniglotSplits: readonly OmniglotSplit[] = ["1200/100/323", "1100/100/423", "vinyals"];

/** A learner by its name. */
export type LearnerName =
  | "hyper-representation"
  | "maml"
  | "first-order-maml"
  | "anil"
  | "imaml"
  | "reptile"
  | "prototypical"
  | "matching"
  | "joint";
export const learnerNames: readonly LearnerName[] = [
  "hyper-representation",
  "maml",
  "first-order-maml",
  "anil",
  "imaml",
  "reptile",
  "prototypical",
  "matching",
  "joint",
];

/** A hypergradient rule of a learner, by its name. */
export type RuleName = "reverse" | "truncated" | "implicit" | "firstOrder";
export const ruleNames: readonly RuleName[] = ["reverse", "truncated", "implicit", "firstOrder"];

/** A choice. */
export type YesOrNo = "yes" | "no";
export const yesOrNo: readonly YesOrNo[] = ["yes", "no"];

/** A learner and its network. */
export interface LearnerSettings {
  learner: LearnerName;
  filters: number;
  variant: "strided" | "pooled";
  /** T of the training; absent where the response has a closed form. */
  innerSteps?: number;
  /** The follower's learning rate, or where it starts; absent where the response has a closed form. */
  innerRate?: number;
  /** Whether that rate is a hyperparameter too; default: no. */
  learnInnerRate?: YesOrNo;
  /** Images of each class that a step of Reptile's training sees; default: 2. */
  stepShots?: number;
  /** The hypergradient rule; default: the learner's. */
  rule?: RuleName;
}

/** What batch normalization uses at validation and test: each set's own statistics, the support set's for both sets, or those of training images. */
export type BatchNorm = "batch" | "support" | "running";
export const batchNormModes: readonly BatchNorm[] = ["batch", "support", "running"];

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

const maybeCount = v.exactOptional(positiveCount);

/** The schema of settings, each of which is asked for. */
export const settingsSchema: v.GenericSchema<unknown, TrainSettings> = v.strictObject({
  data: v.string(),
  split: v.picklist(omniglotSplits),
  size: positiveCount,
  channels: v.picklist([1, 3]),
  invert: v.boolean(),
  learner: v.picklist(learnerNames),
  filters: positiveCount,
  variant: v.picklist(["strided", "pooled"]),
  innerSteps: maybeCount,
  innerRate: v.exactOptional(positive),
  learnInnerRate: v.exactOptional(v.picklist(yesOrNo)),
  stepShots: maybeCount,
  rule: v.exactOptional(v.picklist(ruleNames)),
  ways: positiveCount,
  shots: positiveCount,
  queries: positiveCount,
  trainWays: maybeCount,
  trainShots: maybeCount,
  trainQueries: maybeCount,
  tasks: positiveCount,
  rate: positive,
  seed: count,
  from: v.exactOptional(v.looseObject({ path: v.string(), episodes: finite, seconds: finite })),
  steps: positiveCount,
  every: positiveCount,
  validationEpisodes: positiveCount,
  patience: positiveCount,
  batchNorm: v.picklist(batchNormModes),
});
