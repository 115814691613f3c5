/**
 * A convolutional network as few-shot learning uses it, four blocks of 3×3 convolution, batch
 * normalization, ReLU and 2×2 max pooling, with its gradient and its second-order MAML gradient.
 */
import { grad, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import {
  compile,
  type JaxFunction,
  type Tensor,
  tensor,
  type Tree,
} from "../../src/program/index.ts";
import { eager } from "./jax-eager.ts";

interface Block<T> {
  kernel: T;
  gain: T;
  bias: T;
}

interface Parameters<T> {
  blocks: Block<T>[];
  head: { weight: T; bias: T };
}

interface Task<T> {
  /** [n, 1, 16, 16] */
  images: T;
  /** One-hot, [n, ways]. */
  labels: T;
}

type Float = "float32" | "float64";
type Pool = (x: np.Array) => np.Array;

const poolings: Record<string, Pool> = {
  "reshape and max": (x) => {
    const [n, c, h, w] = x.shape as [number, number, number, number];
    return np.max(np.reshape(x, [n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  },
  reduceWindow: (x) => lax.reduceWindow(x, (window) => np.max(window), [2, 2], [2, 2]),
};

function loss(
  pool: Pool,
  params: Parameters<np.Array>,
  { images, labels }: Task<np.Array>,
): np.Array {
  let x = images;
  for (const { kernel, gain, bias } of params.blocks) {
    x = lax.conv(x, kernel, [1, 1], "SAME");
    const mean = np.mean(x, [0, 2, 3], { keepdims: true });
    const centered = np.subtract(x, mean);
    const variance = np.mean(np.square(centered), [0, 2, 3], { keepdims: true });
    const normalized = np.divide(centered, np.sqrt(np.add(variance, 1e-5)));
    const shape = [1, -1, 1, 1];
    x = np.add(np.multiply(normalized, np.reshape(gain, shape)), np.reshape(bias, shape));
    x = pool(nn.relu(x));
  }
  const features = np.reshape(x, [images.shape[0]!, -1]);
  const logits = np.add(np.matmul(features, params.head.weight), params.head.bias);
  const likelihood = np.multiply(nn.logSoftmax(logits), labels);
  return np.negative(np.divide(np.sum(likelihood), images.shape[0]!));
}

/** The validation loss after `steps` of gradient descent on the training loss. */
function adaptedLoss(
  pool: Pool,
  params: Parameters<np.Array>,
  [train, validation]: [Task<np.Array>, Task<np.Array>],
  steps: number,
): np.Array {
  let adapted = params;
  for (let step = 0; step < steps; step++) {
    const gradient = grad((p: Parameters<np.Array>) => loss(pool, p, train))(adapted as never);
    adapted = tree.map(
      (p: np.Array, g: np.Array) => np.subtract(p, np.multiply(g, 0.1)),
      adapted as never,
      gradient as never,
    ) as unknown as Parameters<np.Array>;
  }
  return loss(pool, adapted, validation);
}

function wave(shape: number[], phase: number, scale: number, dtype: Float): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  const values = Array.from(
    { length: size },
    (_, i) => scale * Math.sin(phase + 1.7 * i + 0.013 * i * i),
  );
  return tensor(values, { shape, dtype });
}

function parameters(width: number, ways: number, dtype: Float): Parameters<Tensor> {
  const blocks = [1, width, width, width].map((channels, i) => ({
    kernel: wave([width, channels, 3, 3], i, 0.5, dtype),
    gain: tensor(
      Array.from({ length: width }, (_, c) => 1 + 0.1 * c),
      { dtype },
    ),
    bias: wave([width], i + 5, 0.2, dtype),
  }));
  const head = { weight: wave([width, ways], 9, 0.7, dtype), bias: wave([ways], 10, 0.1, dtype) };
  return { blocks, head };
}

function task(images: number, ways: number, phase: number, dtype: Float): Task<Tensor> {
  const labels = Array.from({ length: images }, (_, i) =>
    Array.from({ length: ways }, (_, k) => Number(i % ways === k)),
  );
  return { images: wave([images, 1, 16, 16], phase, 1, dtype), labels: tensor(labels, { dtype }) };
}

async function run(fn: JaxFunction, ...args: Tree<Tensor>[]): Promise<Tensor[]> {
  const compiled = compile(fn);
  try {
    return tree.leaves<Tensor>((await compiled(...args)) as never);
  } finally {
    await compiled.dispose();
  }
}

/** The greatest difference relative to the greatest value of each array. */
function distance(actual: readonly Tensor[], wanted: readonly Tensor[]): number {
  expect(actual.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
  const norm = (values: number[]): number => Math.max(...values.map(Math.abs));
  return Math.max(
    ...actual.map((array, i) => {
      const reference = Array.from(wanted[i]!.data, Number);
      const difference = reference.map((value, j) => value - Number(array.data[j]));
      return norm(difference) / (norm(reference) + 1e-3);
    }),
  );
}

describe.each(Object.entries(poolings))("max pooling by %s", (_, pool) => {
  const valueAndGradient = (params: Parameters<np.Array>, data: Task<np.Array>): unknown =>
    valueAndGrad((p: Parameters<np.Array>) => loss(pool, p, data))(params as never);

  test("value and gradient agree with jax-js", async () => {
    for (const [dtype, tolerance] of [
      ["float32", 2e-4],
      ["float64", 1e-6],
    ] as const) {
      const args = [parameters(3, 3, dtype), task(6, 3, 0, dtype)] as unknown as Tree<Tensor>[];
      const wanted = tree.leaves<Tensor>(eager(valueAndGradient, ...args) as never);
      const actual = await run(valueAndGradient, ...args);
      expect(distance(actual, wanted)).toBeLessThan(tolerance);
    }
  });

  test("float32 agrees with float64", async () => {
    const [single, double] = await Promise.all(
      (["float32", "float64"] as const).map((dtype) =>
        run(
          valueAndGradient,
          ...([parameters(4, 3, dtype), task(6, 3, 0, dtype)] as unknown as Tree<Tensor>[]),
        ),
      ),
    );
    expect(distance(single!, double!)).toBeLessThan(2e-4);
  });

  test("the second-order MAML gradient agrees with central differences", async () => {
    const objective = (
      params: Parameters<np.Array>,
      tasks: [Task<np.Array>, Task<np.Array>],
    ): np.Array => adaptedLoss(pool, params, tasks, 2);
    const gradient = (
      params: Parameters<np.Array>,
      tasks: [Task<np.Array>, Task<np.Array>],
    ): unknown => grad((p: Parameters<np.Array>) => objective(p, tasks))(params as never);
    const params = parameters(2, 2, "float64");
    const tasks = [task(4, 2, 0, "float64"), task(4, 2, 3, "float64")];

    const slopes = await run(gradient, params as never, tasks as never);
    const leaves = tree.leaves<Tensor>(params as never);
    const compiled = compile(objective);
    const step = 1e-6;
    const at = async (t: number): Promise<number> => {
      const moved = leaves.map(({ data, shape }, i) => {
        const direction = wave([...shape], i + 0.5, 1, "float64").data;
        const values = Float64Array.from(data, (v, j) => Number(v) + t * Number(direction[j]));
        return tensor(values, { shape });
      });
      const structure = tree.structure(params as never);
      return (await compiled(tree.unflatten(structure, moved) as never, tasks as never)).item();
    };
    const difference = ((await at(step)) - (await at(-step))) / (2 * step);
    const product = slopes.reduce((total, { data, shape }, i) => {
      const direction = wave([...shape], i + 0.5, 1, "float64").data;
      return Array.from(data, Number).reduce((sum, g, j) => sum + g * Number(direction[j]), total);
    }, 0);
    await compiled.dispose();
    expect(Math.abs(difference)).toBeGreaterThan(1e-3);
    expect(Math.abs(product - difference)).toBeLessThan(1e-6 * (1 + Math.abs(difference)));
  });
});
