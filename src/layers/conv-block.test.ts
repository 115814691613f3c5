import { grad, jvp, lax, nn, numpy as np, tree, vmap } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { compile, type JaxFunction, tensor, type Tensor, type Tree } from "../program/index.ts";
import { type BlockWeights, maxPool, pooledBlock } from "./conv-block.ts";
import { relu } from "./relu.ts";

const epsilon = 1e-3;

/** The block as it is defined. */
function reference(
  { kernel, bias, gain }: BlockWeights<np.Array>,
  x: np.Array,
  given?: { mean: np.Array; variance: np.Array },
): np.Array {
  const y = lax.conv(x, kernel, [1, 1], "SAME");
  const perChannel = [-1, 1, 1];
  const mean = given ? given.mean : np.mean(y, [0, 2, 3]);
  const centered = y.sub(mean.reshape(perChannel));
  const variance = given ? given.variance : np.mean(np.square(centered), [0, 2, 3]);
  const normal = centered.div(np.sqrt(variance.add(epsilon)).reshape(perChannel));
  const scaled = gain ? normal.mul(gain.reshape(perChannel)) : normal;
  const [n, c, h, w] = y.shape as [number, number, number, number];
  const [rows, columns] = [h >> 1, w >> 1];
  const even = nn
    .relu(scaled.add(bias.reshape(perChannel)))
    .slice([], [], [0, 2 * rows], [0, 2 * columns]);
  return np.max(even.reshape([n, c, rows, 2, columns, 2]), [3, 5]);
}

function wave(shape: number[], phase: number): Tensor {
  const length = shape.reduce((product, n) => product * n, 1);
  return tensor(
    Float64Array.from({ length }, (_, i) => Math.sin(phase + 1.7 * i + 0.01 * i * i)),
    { shape },
  );
}

/** Weights with a gain of both signs. */
function weights(channels: number, withGain: boolean): BlockWeights<Tensor> {
  return {
    kernel: wave([3, channels, 3, 3], 1),
    bias: wave([3], 2),
    ...(withGain && { gain: tensor([0.7, -1.3, 0.4], { dtype: "float64" }) }),
  };
}

async function evaluate(fn: JaxFunction, ...args: unknown[]): Promise<number[]> {
  const compiled = compile(fn);
  const result = (await compiled(...(args as Tree<Tensor>[]))) as Tree<Tensor>;
  await compiled.dispose();
  return tree.leaves<Tensor>(result).flatMap(({ data }) => Array.from(data, Number));
}

type Params = BlockWeights<np.Array>;
type Build = (w: Params, x: np.Array) => np.Array;
const ours: Build = (w, x) => pooledBlock(w, x, { epsilon }).image;

function closeTo(actual: number[], wanted: number[], tolerance: number): void {
  expect(actual.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  const error = Math.max(...actual.map((value, i) => Math.abs(value - wanted[i]!)));
  expect(error).toBeLessThan(tolerance * scale);
}

describe.each([
  ["images of one channel", 1, [6, 8], false],
  ["images of one channel, with a gain", 1, [6, 8], true],
  ["images of one channel and odd size", 1, [7, 6], true],
  ["several channels", 2, [6, 6], false],
  ["several channels, with a gain", 2, [7, 5], true],
] as const)("%s", (_, channels, size, withGain) => {
  const w = weights(channels, withGain);
  const x = wave([4, channels, ...size], 0);
  const loss = (build: Build) => (w: Params, x: np.Array) => np.sum(np.sin(build(w, x)));
  const gradients = (build: Build) => (w: Params, x: np.Array) => [
    grad((w: Params) => loss(build)(w, x))(w as never),
    grad((x: np.Array) => loss(build)(w, x))(x),
  ];

  test("values, gradients and second derivatives are those of the definition", async () => {
    closeTo(await evaluate(ours, w, x), await evaluate(reference, w, x), 1e-12);
    const [actual, wanted] = [gradients(ours), gradients(reference)];
    closeTo(
      await evaluate(actual as JaxFunction, w, x),
      await evaluate(wanted as JaxFunction, w, x),
      1e-11,
    );
    const along = (build: Build) => (w: Params, x: np.Array) =>
      jvp((x: np.Array) => grad((x: np.Array) => loss(build)(w, x))(x), [x], [np.cos(x)])[1];
    closeTo(
      await evaluate(along(ours) as JaxFunction, w, x),
      await evaluate(along(reference) as JaxFunction, w, x),
      1e-10,
    );
  });

  test("given moments, those that another batch was normalized with", async () => {
    const other = wave([5, channels, ...size], 3);
    const given = (w: Params, x: np.Array, other: np.Array): np.Array =>
      pooledBlock(w, x, { epsilon, moments: pooledBlock(w, other, { epsilon }).moments }).image;
    const wanted = (w: Params, x: np.Array, other: np.Array): np.Array => {
      const y = lax.conv(other, w.kernel, [1, 1], "SAME");
      const mean = np.mean(y, [0, 2, 3]);
      const centered = y.sub(mean.reshape([-1, 1, 1]));
      return reference(w, x, { mean, variance: np.mean(np.square(centered), [0, 2, 3]) });
    };
    closeTo(await evaluate(given, w, x, other), await evaluate(wanted, w, x, other), 1e-12);
  });

  test("over tasks by vmap", async () => {
    const tasks = wave([3, 4, channels, ...size], 5);
    const mapped = (build: Build) => (w: Params, x: np.Array) =>
      grad((w: Params) => np.sum(np.sin(vmap((x: np.Array) => build(w, x))(x) as np.Array)))(
        w as never,
      );
    closeTo(
      await evaluate(mapped(ours) as JaxFunction, w, tasks),
      await evaluate(mapped(reference) as JaxFunction, w, tasks),
      1e-11,
    );
  });
});

test("numbers that are greatest together share the derivative, as in jax-js", async () => {
  const flat = tensor(
    Float64Array.from({ length: 32 }, (_, i) => [1, 1, 0, 2][i % 4]!),
    { shape: [1, 2, 4, 4] },
  );
  const share = (pool: (x: np.Array) => np.Array) => (x: np.Array) =>
    grad((x: np.Array) => np.sum(np.square(pool(x))))(x);
  const plain = (x: np.Array): np.Array => np.max(x.reshape([1, 2, 2, 2, 2, 2]), [3, 5]);
  const actual = await evaluate(share(maxPool) as JaxFunction, flat);
  expect(actual).toEqual(await evaluate(share(plain) as JaxFunction, flat));
  // The first window is 1 1 / 1 1, the second 0 2 / 0 2: E = Σ max², dE/dmax = 2 and 4, each shared by those equal.
  expect(actual.slice(0, 4)).toEqual([0.5, 0.5, 0, 2]);
});

test("relu and its derivatives", async () => {
  const x = tensor([-2, -0, 0, 0.5, 3], { dtype: "float64" });
  expect((await evaluate(relu, x)).map((v) => v + 0)).toEqual([0, 0, 0, 0.5, 3]);
  const slope = (x: np.Array): np.Array =>
    grad((x: np.Array) => np.sum(relu(x).mul(relu(x))))(x) as np.Array;
  expect((await evaluate(slope, x)).map((v) => v + 0)).toEqual([0, 0, 0, 1, 6]);
});
