/** The quantities that `npm run bench:scale` varies, one at a time, and what the cost model says of each. */
import { nn, numpy as np, vmap } from "@jax-js/jax";

import { bilevel, gradientDescent, type Problem, reverse, type Rule } from "../../src/index.ts";
import { type ReverseOptions } from "../../src/bilevel/rules/index.ts";
import { randomKey, randomStream } from "../../src/random/index.ts";
import { Tensor, type Tree, zeros } from "../../src/program/index.ts";

/** A hypergradient to be measured. */
export interface Evaluation {
  readonly problem: Problem;
  readonly rule: Rule;
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
}

/** One quantity. */
export interface Series {
  readonly name: string;
  /** What is varied, for the page. */
  readonly title: string;
  /** What stays as it is. */
  readonly fixed: string;
  readonly axis: string;
  readonly sizes: readonly number[];
  /** Powers of the quantity by which processor time and memory grow at its upper end. */
  readonly predicted: { readonly time: number; readonly memory: number };
  make(size: number): Evaluation;
}

/**
 * L = ½‖w − a‖² + ½ Σᵢ e^λᵢ ‖wᵢ‖², E = ½‖w − b‖², w and the data [m, k], one λᵢ for each row: the least work for a step's
 * memory, so that what is measured is the engine's.
 */
const shrinkage = bilevel({
  inner: (w: np.Array, lambda: np.Array, target: np.Array) => {
    const prices = np.exp(lambda).reshape([-1, 1]);
    return np.sum(np.square(w.sub(target)).add(prices.mul(np.square(w)))).mul(0.5);
  },
  outer: (w: np.Array, _: np.Array, target: np.Array) => np.sum(np.square(w.sub(target))).mul(0.5),
});

interface Episodes {
  /** [tasks, examples, features] */
  readonly x: np.Array;
  /** [tasks, examples] */
  readonly y: np.Array;
}

const ways = 5;

const headLosses = (w: np.Array, { x, y }: Episodes): np.Array => {
  const loss = (w: np.Array, x: np.Array, y: np.Array): np.Array =>
    np.mean(np.sum(nn.logSoftmax(np.dot(x, w)).mul(nn.oneHot(y, ways)), 1)).neg();
  return vmap(loss)(w, x, y) as np.Array;
};

/** A linear classifier for each task, with one L2 coefficient a feature for all of them. */
const heads = bilevel({
  inner: (w: np.Array, lambda: np.Array, data: Episodes) =>
    np
      .sum(headLosses(w, data))
      .add(np.sum(np.exp(lambda).reshape([-1, 1]).mul(np.square(w))).mul(0.01)),
  outer: (w: np.Array, _: np.Array, data: Episodes) => np.mean(headLosses(w, data)),
});

function shrink(
  [m, k]: readonly [number, number],
  steps: number,
  checkpoints?: ReverseOptions["checkpoints"],
): Evaluation {
  const dynamics = gradientDescent({ learningRate: 0.1 });
  return {
    problem: shrinkage as Problem,
    rule: reverse({ steps, dynamics, ...(checkpoints && { checkpoints }) }),
    lambda: normal([m], "lambda"),
    w: zeros([m, k]),
    data: { inner: normal([m, k], "inner"), outer: normal([m, k], "outer") },
  };
}

function classify(tasks: number): Evaluation {
  const [examples, features] = [25, 64];
  const episodes = (level: string): Tree<Tensor> => ({
    x: normal([tasks, examples, features], level),
    y: new Tensor(
      "int32",
      [tasks, examples],
      new Int32Array(tasks * examples).map((_, i) => i % ways),
    ),
  });
  return {
    problem: heads as unknown as Problem,
    rule: reverse({ steps: 100, dynamics: gradientDescent({ learningRate: 0.1 }) }),
    lambda: zeros([features]),
    w: zeros([tasks, features, ways]),
    data: { inner: episodes("inner"), outer: episodes("outer") },
  };
}

/** Small numbers in a fixed order; their values do not matter. */
function normal(shape: readonly number[], name: string): Tensor {
  const random = randomStream(randomKey(0, "scale", name));
  const block = Float32Array.from({ length: 1024 }, () => 0.1 * random.normal());
  const size = shape.reduce((product, length) => product * length, 1);
  return new Tensor(
    "float32",
    [...shape],
    new Float32Array(size).map((_, i) => block[i % 1024]!),
  );
}

const steps = [10, 100, 1_000, 3_000, 10_000];

export const allSeries: readonly Series[] = [
  {
    name: "steps",
    title: "Inner steps, every state kept",
    fixed: "|w| = 20,000, 10 hyperparameters",
    axis: "T, inner steps",
    sizes: steps,
    predicted: { time: 1, memory: 1 },
    make: (size) => shrink([10, 2_000], size),
  },
  {
    name: "checkpointed",
    title: "Inner steps, √T checkpoints",
    fixed: "|w| = 20,000, 10 hyperparameters",
    axis: "T, inner steps",
    sizes: steps,
    predicted: { time: 1, memory: 0.5 },
    make: (size) => shrink([10, 2_000], size, "sqrt"),
  },
  {
    name: "hyperparameters",
    title: "Hyperparameters",
    fixed: "|w| = 1,000,000, T = 10",
    axis: "hyperparameters",
    sizes: [10, 100, 1_000, 10_000, 100_000, 1_000_000],
    predicted: { time: 0, memory: 0 },
    make: (size) => shrink([size, 1_000_000 / size], 10),
  },
  {
    name: "parameters",
    title: "Parameters of the follower",
    fixed: "10 hyperparameters, T = 10",
    axis: "|w|, parameters of the follower",
    sizes: [10, 1_000, 100_000, 1_000_000, 3_000_000, 10_000_000],
    predicted: { time: 1, memory: 1 },
    make: (size) => shrink([10, size / 10], 10),
  },
  {
    name: "tasks",
    title: "Tasks, stacked",
    fixed: "linear classifiers 64 → 5 on 25 examples, T = 100",
    axis: "tasks",
    sizes: [1, 4, 16, 64, 256],
    predicted: { time: 1, memory: 1 },
    make: classify,
  },
];
