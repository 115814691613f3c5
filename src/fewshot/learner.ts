/**
 * What a few-shot learner is: hyperparameters λ that all tasks share, and a follower that adapts to a task's support set.
 * Training is a bilevel problem for `solve`; at test the follower adapts alone, for as many steps as one likes.
 */
import type { numpy as np } from "@jax-js/jax";
import type { BilevelData, Dynamics, Problem, Rule, Sampler } from "../bilevel/index.ts";
import type { EpisodeShape, ImageSet } from "../data/index.ts";
import type { Tensor, Tree } from "../program/index.ts";
import type { Encoder, ImageShape, Statistics } from "./encoder.ts";

/** Images of one task with their labels, as a learner's functions see them. */
export type Labelled<T> = {
  /** [n, channels, height, width] */
  readonly x: T;
  /** int32 [n], 0 to ways − 1. */
  readonly y: T;
  /** What batch normalization uses, one for each block. Default: the statistics of these n images. */
  readonly statistics?: Statistics<T>[];
};

/** Sizes of the tasks that a learner is for. */
export interface TaskShape {
  readonly ways: number;
  readonly image: ImageShape;
  /** Classes of the training set, for learners that tell all of them apart. */
  readonly classes: number;
}

/** Where a learner's training tasks come from. */
export interface TaskSource {
  readonly set: ImageSet;
  readonly episode: EpisodeShape;
  /** Episodes of an outer step, the meta-batch. */
  readonly tasks: number;
  /** Of the episodes. */
  readonly seed: number;
}

/** What `solve` needs of a learner to train it. */
export interface Training {
  readonly problem: Problem;
  readonly rule: Rule;
  /** The follower's first weights, when the problem does not make them of λ. */
  readonly w?: Tree<Tensor>;
  readonly data: BilevelData<Sampler | Tree<Tensor>>;
}

/** How a learner deals with one new task. */
export interface Adaptation {
  /** About one task: `prepare`, `inner` and, where λ says how the follower starts, `init`. */
  readonly problem: Problem;
  /** The follower's first weights, when the problem does not make them of λ. */
  readonly start?: Tree<Tensor>;
  /** How the follower adapts; absent where its first weights are its response. */
  readonly dynamics?: Dynamics;
  /** T, the steps it adapts for in training. */
  readonly steps: number;
  /** The logits [n, ways] of a prepared query set at the follower's weights; a jax-js function. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each learner has trees of its own
  predict(w: any, lambda: any, query: any): np.Array;
}

/** A few-shot learner: a plain value, of which λ is the only state. */
export interface Learner {
  readonly name: string;
  /** The network whose weights are `encoder` in λ. */
  readonly encoder: Encoder;
  /** λ before training. */
  init(shape: TaskShape, seed: number, dtype?: "float32" | "float64"): Tree<Tensor>;
  /** Its training as a bilevel problem. */
  training(source: TaskSource): Training;
  /** What it does with a task of `ways` classes. */
  adaptation(shape: TaskShape, dtype?: "float32" | "float64"): Adaptation;
}

/** The sizes of a source's tasks. */
export function shapeOf({ set, episode }: Pick<TaskSource, "set" | "episode">): TaskShape {
  const { channels, height, width, classes } = set;
  return { ways: episode.ways, image: { channels, height, width }, classes: classes.length };
}
