/** Learners whose follower descends on its task's loss, and whose leader's derivative a hypergradient rule finds. */
import { numpy as np } from "@jax-js/jax";
import { asDynamics, repeatForTasks } from "../bilevel/internal.ts";
import {
  type Coefficient,
  type Dynamics,
  gradientDescent,
  type Optimizer,
  perTask,
  type Problem,
  type Rule,
  stackTasks,
} from "../bilevel/index.ts";
import { type Tensor, tensor, type Tree } from "../program/index.ts";
import type { Encoder } from "./encoder.ts";
import { episodeBatches } from "./episode-batches.ts";
import {
  shapeOf,
  type Adaptation,
  type Learner,
  type TaskShape,
  type TaskSource,
} from "./learner.ts";
import { onShots } from "./on-shots.ts";

/** How a follower descends, and how the leader's derivative goes through it. */
export interface DescentOptions {
  /** T ≥ 1, the follower's steps in training. */
  readonly steps?: number;
  /** The follower's learning rate; where it is learned, that of the start. */
  readonly learningRate?: number;
  /** Whether the logarithm of the learning rate is a hyperparameter too, `logRate`. */
  readonly learnRate?: boolean;
  /** Makes the follower's optimizer from its learning rate. Default `gradientDescent`. */
  readonly optimizer?: (options: { learningRate: Coefficient }) => Optimizer;
  /** Makes the rule of the hypergradient, such as `reverse` or `(o) => truncated({ ...o, keep: 2 })`. */
  readonly rule?: (options: { steps: number; dynamics: Dynamics }) => Rule;
  /**
   * "stacked": each operation works on all tasks of an outer step at once. "in turn": one task after the other, in the
   * memory of one.
   */
  readonly tasks?: "stacked" | "in turn";
}

/** A learner as the parts of one task. */
export interface DescentParts extends Required<Omit<DescentOptions, "optimizer">> {
  readonly name: string;
  readonly encoder: Encoder;
  readonly optimizer?: DescentOptions["optimizer"];
  /** λ before training, without `logRate`. */
  init(shape: TaskShape, seed: number, dtype: "float32" | "float64"): Record<string, unknown>;
  /** About one task, with inner data and outer data {@link Labelled}. */
  readonly problem: Problem;
  /** Images of each class that a step of the training sees; default: the whole support set. */
  readonly stepShots?: number;
  /** The follower's first weights, when the problem has no `init`. */
  start?(shape: TaskShape, dtype: "float32" | "float64"): Tree<Tensor>;
  readonly predict: Adaptation["predict"];
}

/** The dynamics of the training, which may see a part of the support set in each step. */
function inTraining(dynamics: Dynamics, source: TaskSource, stepShots?: number): Dynamics {
  const { ways, shots } = source.episode;
  return stepShots === undefined || stepShots >= shots
    ? dynamics
    : onShots(dynamics, { ways, shots, each: stepShots });
}

/** Puts a learner together. */
export function descentLearner(parts: DescentParts): Learner {
  const {
    name,
    steps,
    learningRate,
    learnRate,
    problem,
    tasks,
    optimizer = gradientDescent,
  } = parts;
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new RangeError(`${name}: steps must be a whole number >= 1; ${String(steps)} came.`);
  }
  if (!(learningRate > 0)) {
    throw new RangeError(`${name}: learningRate must be > 0; ${String(learningRate)} came.`);
  }
  if (tasks !== "stacked" && tasks !== "in turn") {
    throw new TypeError(`${name}: tasks must be "stacked" or "in turn"; ${String(tasks)} came.`);
  }
  const rate = (lambda: { logRate: np.Array }): np.Array => np.exp(lambda.logRate);
  const dynamics = asDynamics(optimizer({ learningRate: learnRate ? rate : learningRate }));
  const adaptation: Learner["adaptation"] = (shape, dtype = "float32") => ({
    problem,
    dynamics,
    steps,
    ...(parts.start && { start: parts.start(shape, dtype) }),
    predict: parts.predict,
  });
  return {
    name,
    encoder: parts.encoder,
    init: (shape, seed, dtype = "float32") =>
      ({
        ...parts.init(shape, seed, dtype),
        ...(learnRate && { logRate: tensor(Math.log(learningRate), { dtype }) }),
      }) as Tree<Tensor>,
    training: (source) => {
      const { start } = adaptation(shapeOf(source));
      const rule = parts.rule({ steps, dynamics: inTraining(dynamics, source, parts.stepShots) });
      return {
        problem: tasks === "stacked" ? stackTasks(problem) : problem,
        rule: tasks === "stacked" ? rule : perTask(rule),
        ...(start && { w: repeatForTasks(start, source.tasks) }),
        data: episodeBatches(source),
      };
    },
    adaptation,
  };
}
