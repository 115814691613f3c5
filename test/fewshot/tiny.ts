/** Tasks and a network small enough for float64 oracles. */
import { tree } from "@jax-js/jax";
import {
  disposePrograms,
  hypergradient,
  type Arrays,
  type Hypergradient,
  type Problem,
} from "../../src/bilevel/index.ts";
import type { ImageSet } from "../../src/data/images/image-set.ts";
import { randomKey, randomStream } from "../../src/random/index.ts";
import {
  convolutionalEncoder,
  type Encoder,
  type Labelled,
  type Learner,
} from "../../src/fewshot/index.ts";
import { repeatForTasks } from "../../src/bilevel/tasks.ts";
import { compile, tensor, type Tensor, type Tree } from "../../src/program/index.ts";

export const encoder: Encoder = convolutionalEncoder({ filters: 3, blocks: 2 });
export const shape = { ways: 3, image: { channels: 1, height: 6, width: 6 }, classes: 6 };
export const episode = { ways: 3, shots: 2, queries: 3 };

/** 6 classes of 8 images, 6×6: a pattern of the class under noise. */
export const set: ImageSet = makeSet(6, 8);

function makeSet(classes: number, images: number): ImageSet {
  const stream = randomStream(randomKey(3, "pixels"));
  const patterns = Array.from({ length: classes * 36 }, () => stream.uniform());
  const offsets = Array.from({ length: classes + 1 }, (_, i) => i * images);
  const pixels = new Uint8Array(classes * images * 36);
  pixels.forEach((_, i) => {
    const pattern = patterns[Math.floor(i / (images * 36)) * 36 + (i % 36)]!;
    pixels[i] = Math.floor(110 * pattern + 145 * stream.uniform());
  });
  return {
    height: 6,
    width: 6,
    channels: 1,
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    offsets,
    pixels,
  };
}

/** Random images of `tasks` tasks with `each` images a class, float64. */
export function images(tasks: number, each: number, name: string): Labelled<Tensor> {
  const stream = randomStream(randomKey(0, name));
  const n = 3 * each;
  const x = Array.from({ length: tasks * n * 36 }, () => stream.normal());
  const y = Array.from({ length: tasks * n }, (_, i) => Math.floor((i % n) / each));
  return {
    x: tensor(x, { shape: [tasks, n, 1, 6, 6], dtype: "float64" }),
    y: tensor(y, { shape: [tasks, n], dtype: "int32" }),
  };
}

export const support: Labelled<Tensor> = images(2, 2, "support");
export const query: Labelled<Tensor> = images(2, 3, "query");

/** One task of several. */
export function taskOf(all: Labelled<Tensor>, task: number): Labelled<Tensor> {
  return tree.map(({ dtype, shape, data }: Tensor) => {
    const size = data.length / shape[0]!;
    return tensor(data.slice(task * size, (task + 1) * size), { shape: shape.slice(1), dtype });
  }, all as never) as never;
}

/** λ of a learner in float64, with biases that are not 0. */
export function lambdaOf(learner: Learner): Tree<Tensor> {
  const stream = randomStream(randomKey(1, "lambda"));
  return tree.map(
    ({ dtype, shape, data }: Tensor) =>
      tensor(
        Array.from(data, (v) => Number(v) + 0.1 * stream.normal()),
        { shape: [...shape], dtype },
      ),
    learner.init(shape, 0, "float64") as never,
  ) as never;
}

/** A learner's hypergradient on the two tasks. */
export async function gradientOf(
  learner: Learner,
  lambda: Tree<Tensor> = lambdaOf(learner),
): Promise<Hypergradient<Arrays, Arrays>> {
  const { problem, rule } = learner.training({ set, episode, tasks: 2, seed: 0 });
  const { start } = learner.adaptation(shape, "float64");
  const result = await hypergradient(problem as Problem<Arrays, Arrays, Arrays, Arrays>, {
    rule,
    lambda,
    ...(start && { w: repeatForTasks(start, 2) }),
    data: { inner: support, outer: query } as never,
  });
  await disposePrograms(problem);
  return result;
}

/** Runs a jax-js function on host arrays. */
export async function run(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- trees of the test's own
  fn: (...args: any[]) => unknown,
  ...args: unknown[]
): Promise<Tree<Tensor>> {
  const compiled = compile(fn as never);
  const result = await compiled(...(args as Tree<Tensor>[]));
  await compiled.dispose();
  return result as Tree<Tensor>;
}

/** The numbers of all leaves in order. */
export function flat(values: unknown): number[] {
  return tree.leaves<Tensor>(values as Tree<Tensor>).flatMap(({ data }) => [...data].map(Number));
}

/** Largest difference between two trees, relative to the largest number of the second. */
export function distance(actual: unknown, wanted: unknown): number {
  const [a, b] = [flat(actual), flat(wanted)];
  if (a.length !== b.length) return Infinity;
  const scale = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / scale;
}
