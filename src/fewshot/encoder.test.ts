/** The encoder against the sums written out pixel by pixel, in float64. */
import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { randomKey, randomStream } from "../random/index.ts";
import { compile } from "../program/compile.ts";
import { tensor, type Tensor } from "../program/tensors/tensor.ts";
import { convolutionalEncoder, type Block, type Encoder, type Statistics } from "./encoder.ts";

const side = 7;
const image = { channels: 2, height: side, width: side };
const epsilon = 1e-3;

function normal(name: string, shape: number[]): Tensor {
  const stream = randomStream(randomKey(0, name));
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.normal());
  return tensor(values, { shape, dtype: "float64" });
}

async function encode(
  encoder: Encoder,
  params: Block<Tensor>[],
  x: Tensor,
  statistics?: Statistics<Tensor>[],
): Promise<number[][]> {
  const fn = compile((p: Block<np.Array>[], x: np.Array, s: Statistics<np.Array>[]) =>
    encoder.encode(p, x, s.length > 0 ? s : undefined),
  );
  const result = (await fn(params as never, x, (statistics ?? []) as never)) as Tensor;
  await fn.dispose();
  return result.toNested() as number[][];
}

/** One block of one image set, [n][filters][rows][columns]; every sum as it is defined. */
function block(x: number[][][][], weights: Block<Tensor>, variant: string): number[][][][] {
  const kernel = weights.kernel.toNested() as number[][][][];
  const [rows, stride] = [x[0]![0]!.length, variant === "strided" ? 2 : 1];
  const out = Math.ceil(rows / stride);
  // "SAME": as many zeros as the last window lacks, the odd one after.
  const before = Math.floor(Math.max((out - 1) * stride + 3 - rows, 0) / 2);
  const at = (plane: number[][], i: number, j: number): number => plane[i]?.[j] ?? 0;
  const grid = (size: number, value: (i: number, j: number) => number): number[][] =>
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => value(i, j)));
  const y = x.map((channels) =>
    kernel.map((filter) =>
      grid(out, (i, j) => {
        let sum = 0;
        filter.forEach((taps, c) =>
          taps.forEach((line, a) =>
            line.forEach((tap, b) => {
              sum += tap * at(channels[c]!, i * stride + a - before, j * stride + b - before);
            }),
          ),
        );
        return sum;
      }),
    ),
  );
  const normalized = y.map((planes) =>
    planes.map((plane, f) => {
      const all = y.flatMap((other) => other[f]!.flat());
      const mean = all.reduce((a, b) => a + b, 0) / all.length;
      const variance = all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length;
      const gain = Number(weights.gain?.data[f] ?? 1);
      const shift = Number(weights.bias.data[f]);
      return plane.map((line) =>
        line.map((v) => Math.max(0, (gain * (v - mean)) / Math.sqrt(variance + epsilon) + shift)),
      );
    }),
  );
  if (variant === "strided") return normalized;
  const half = Math.floor(out / 2);
  return normalized.map((planes) =>
    planes.map((p) =>
      grid(half, (i, j) =>
        Math.max(
          p[2 * i]![2 * j]!,
          p[2 * i]![2 * j + 1]!,
          p[2 * i + 1]![2 * j]!,
          p[2 * i + 1]![2 * j + 1]!,
        ),
      ),
    ),
  );
}

describe.each(["strided", "pooled"] as const)("%s", (variant) => {
  test.each([false, true])("with gain: %s, two blocks are as defined", async (gain) => {
    const encoder = convolutionalEncoder({ variant, filters: 3, blocks: 2, gain, epsilon });
    const params = encoder.init(0, image, "float64").map((weights, i) => ({
      kernel: weights.kernel,
      bias: normal(`bias ${i}`, [3]),
      // Of both signs: a negative factor turns the order of pixels round.
      ...(gain && { gain: normal(`gain ${i}`, [3]) }),
    }));
    const x = normal("x", [4, 2, side, side]);
    const features = await encode(encoder, params, x);
    let wanted = x.toNested() as number[][][][];
    for (const weights of params) wanted = block(wanted, weights, variant);
    expect(features[0]).toHaveLength(encoder.size(image));
    features.forEach((row, i) => {
      const flat = wanted[i]!.flat(2);
      row.forEach((v, j) => expect(v).toBeCloseTo(flat[j]!, 11));
    });
  });
});

test("the published networks have 256 and 64 features of 28×28 images", () => {
  const omniglot = { channels: 1, height: 28, width: 28 };
  expect(convolutionalEncoder().size(omniglot)).toBe(256);
  expect(convolutionalEncoder({ variant: "pooled" }).size(omniglot)).toBe(64);
  const mini = convolutionalEncoder({ variant: "pooled", filters: 32 });
  expect(mini.size({ channels: 3, height: 84, width: 84 })).toBe(800);
});

describe("statistics", () => {
  const encoder = convolutionalEncoder({ filters: 3, blocks: 2, epsilon });
  const params = encoder.init(0, image, "float64");
  const x = normal("x", [4, 2, side, side]);

  test("given those of the set, the features are the same; of one image alone, too", async () => {
    const measure = compile((p: Block<np.Array>[], x: np.Array) => encoder.statistics(p, x));
    const statistics = (await measure(params as never, x)) as unknown as Statistics<Tensor>[];
    await measure.dispose();
    const together = await encode(encoder, params, x);
    const given = await encode(encoder, params, x, statistics);
    given.forEach((row, i) => row.forEach((v, j) => expect(v).toBeCloseTo(together[i]![j]!, 12)));
    const first = tensor(x.data.slice(0, 2 * side * side) as Float64Array, {
      shape: [1, 2, side, side],
    });
    const [alone] = await encode(encoder, params, first, statistics);
    alone!.forEach((v, j) => expect(v).toBeCloseTo(together[0]![j]!, 12));
    const [own] = await encode(encoder, params, first);
    expect(Math.max(...own!.map((v, j) => Math.abs(v - together[0]![j]!)))).toBeGreaterThan(0.1);
  });
});

test("weights depend on the seed alone, within Glorot's limit", () => {
  const encoder = convolutionalEncoder({ filters: 8 });
  const [a, b, c] = [0, 0, 1].map((seed) => encoder.init(seed, image)[1]!.kernel.data);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  const limit = Math.sqrt(6 / (9 * 16));
  expect(Math.max(...a!)).toBeLessThanOrEqual(limit);
  // Of 576 uniform numbers the greatest is below 0.97 of the limit with probability 0.97^576 < 1e-7.
  expect(Math.max(...a!.map(Math.abs))).toBeGreaterThan(0.97 * limit);
});

test("misuse is refused", () => {
  expect(() => convolutionalEncoder({ filters: 0 })).toThrow("filters must be a whole number >= 1");
  expect(() => convolutionalEncoder({ epsilon: 0 })).toThrow("epsilon must be > 0; 0 came");
  expect(() => convolutionalEncoder({ variant: "wide" as never })).toThrow('"strided" or "pooled"');
  expect(() => convolutionalEncoder({ variant: "pooled" }).size(image)).toThrow("leave nothing");
});
