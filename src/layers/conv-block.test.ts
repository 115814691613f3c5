import { grad, jvp, lax, nn, numpy as np, tree, vmap } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { compile, type JaxFunction, tensor, type Tensor, type Tree } from "../program/index.ts";
import type { BlockWeights } from "./batch-norm.ts";
import { pooledBlock, stridedBlock } from "./conv-block.ts";
import { fewChannels } from "./patch-convolution.ts";
import { relu } from "./relu.ts";

const epsilon = 1e-3;

type Params = BlockWeights<np.Array>;
type Given = { mean: np.Array; variance: np.Array };
type Build = (w: Params, x: np.Array, given?: Given) => np.Array;

const ours = (block: typeof pooledBlock): Build => {
  return (w, x, moments) => block(w, x, { epsilon, ...(moments && { moments }) }).image;
};

/** relu(γ·(conv(x) − mean)/√(variance + ε) + β), as it is defined. */
function convolved(stride: number, { kernel, bias, gain }: Params, x: np.Array, given?: Given) {
  const y = lax.conv(x, kernel, [stride, stride], "SAME");
  const perChannel = [-1, 1, 1];
  const { mean, variance } = given ?? momentsOf(y);
  const deviation = np.sqrt(variance.add(epsilon));
  const normal = y.sub(mean.reshape(perChannel)).div(deviation.reshape(perChannel));
  const scaled = gain ? normal.mul(gain.reshape(perChannel)) : normal;
  return nn.relu(scaled.add(bias.reshape(perChannel)));
}

function momentsOf(y: np.Array): Given {
  const mean = np.mean(y, [0, 2, 3]);
  const centered = y.sub(mean.reshape([-1, 1, 1]));
  return { mean, variance: np.mean(np.square(centered), [0, 2, 3]) };
}

const pooledReference: Build = (w, x, given) => {
  const y = convolved(1, w, x, given);
  const [n, c, h, width] = y.shape as [number, number, number, number];
  const [rows, columns] = [h >> 1, width >> 1];
  const even = y.slice([], [], [0, 2 * rows], [0, 2 * columns]);
  return np.max(even.reshape([n, c, rows, 2, columns, 2]), [3, 5]);
};

const blocks = [
  ["pooledBlock", pooledBlock, pooledReference, 1],
  ["stridedBlock", stridedBlock, (w, x, given) => convolved(2, w, x, given), 2],
] as const satisfies readonly (readonly [string, typeof pooledBlock, Build, number])[];

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

function closeTo(actual: number[], wanted: number[], tolerance: number): void {
  expect(actual.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  const error = Math.max(...actual.map((value, i) => Math.abs(value - wanted[i]!)));
  expect(error).toBeLessThan(tolerance * scale);
}

const images = [
  ["one channel", 1, [6, 8], false],
  ["one channel, with a gain", 1, [6, 8], true],
  ["one channel and odd size", 1, [7, 6], true],
  ["three channels", 3, [6, 5], true],
  ["many channels", fewChannels + 1, [6, 6], false],
  ["many channels, with a gain", fewChannels + 1, [7, 5], true],
] as const;

describe.each(blocks)("%s", (_, block, reference, stride) => {
  const build = ours(block);

  describe.each(images)("on images of %s", (_, channels, size, withGain) => {
    const w = weights(channels, withGain);
    const x = wave([4, channels, ...size], 0);
    const loss = (build: Build) => (w: Params, x: np.Array) => np.sum(np.sin(build(w, x)));
    const gradients = (build: Build) => (w: Params, x: np.Array) => [
      grad((w: Params) => loss(build)(w, x))(w as never),
      grad((x: np.Array) => loss(build)(w, x))(x),
    ];

    test("values, gradients and second derivatives are those of the definition", async () => {
      closeTo(await evaluate(build, w, x), await evaluate(reference, w, x), 1e-12);
      const [actual, wanted] = [gradients(build), gradients(reference)];
      closeTo(
        await evaluate(actual as JaxFunction, w, x),
        await evaluate(wanted as JaxFunction, w, x),
        1e-11,
      );
      const along = (build: Build) => (w: Params, x: np.Array) => {
        const gradient = (kernel: np.Array) =>
          grad((w: Params) => loss(build)(w, x))({ ...w, kernel } as never);
        return jvp(gradient, [w.kernel], [np.cos(w.kernel)])[1];
      };
      closeTo(
        await evaluate(along(build) as JaxFunction, w, x),
        await evaluate(along(reference) as JaxFunction, w, x),
        1e-10,
      );
    });

    test("given moments, those that another batch was normalized with", async () => {
      const other = wave([5, channels, ...size], 3);
      const moments = (w: Params, other: np.Array): Given =>
        momentsOf(lax.conv(other, w.kernel, [stride, stride], "SAME"));
      const given = (build: Build) => (w: Params, x: np.Array, other: np.Array) =>
        build(w, x, moments(w, other));
      closeTo(
        await evaluate(given(build) as JaxFunction, w, x, other),
        await evaluate(given(reference) as JaxFunction, w, x, other),
        1e-12,
      );
    });

    test("over tasks by vmap", async () => {
      const tasks = wave([3, 4, channels, ...size], 5);
      const mapped = (build: Build) => (w: Params, x: np.Array) =>
        grad((w: Params) => np.sum(np.sin(vmap((x: np.Array) => build(w, x))(x) as np.Array)))(
          w as never,
        );
      closeTo(
        await evaluate(mapped(build) as JaxFunction, w, tasks),
        await evaluate(mapped(reference) as JaxFunction, w, tasks),
        1e-11,
      );
    });
  });

  test("says what it normalized with", async () => {
    for (const channels of [1, fewChannels + 1]) {
      const w = weights(channels, true);
      const x = wave([4, channels, 6, 5], 0);
      const said = (w: Params, x: np.Array) => block(w, x, { epsilon }).moments;
      const wanted = (w: Params, x: np.Array) =>
        momentsOf(lax.conv(x, w.kernel, [stride, stride], "SAME"));
      closeTo(
        await evaluate(said as JaxFunction, w, x),
        await evaluate(wanted as JaxFunction, w, x),
        1e-12,
      );
    }
  });
});

test.each(["float32", "float64"] as const)("relu and its derivatives, %s", async (dtype) => {
  const x = tensor([-2, -1e-30, -0, 0, 1e-30, 0.5, 3], { dtype });
  const positive = [0, 0, 0, 0, 1, 1, 1];
  const wanted = positive.map((mask, i) => mask * Number(x.data[i]) + 0);
  expect((await evaluate(relu, x)).map((v) => v + 0)).toEqual(wanted);
  const slope = (x: np.Array): np.Array => grad((x: np.Array) => np.sum(relu(x)))(x) as np.Array;
  expect((await evaluate(slope, x)).map((v) => v + 0)).toEqual(positive);
});
