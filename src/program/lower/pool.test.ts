import { grad, jvp, lax, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { expect, test } from "vitest";

import { eager } from "../../../test/program/jax-eager.ts";
import {
  ArraySpec,
  compile,
  type DType,
  type JaxFunction,
  type Tensor,
  tensor,
  toOnnx,
} from "../index.ts";

interface Pooling {
  readonly shape: readonly number[];
  readonly window: readonly number[];
  readonly strides: readonly number[];
}

const seed = 20_261_122;

/** Strides beyond the size are left out: jax-js's own evaluation trips over some of them. */
const poolings: fc.Arbitrary<Pooling> = fc
  .array(
    fc
      .record({
        size: fc.integer({ min: 1, max: 7 }),
        window: fc.integer({ min: 1, max: 4 }),
        stride: fc.integer({ min: 1, max: 4 }),
      })
      .filter(({ size, window, stride }) => Math.max(window, stride) <= size),
    { minLength: 1, maxLength: 3 },
  )
  .map((axes) => ({
    shape: [2, ...axes.map(({ size }) => size)],
    window: axes.map(({ window }) => window),
    strides: axes.map(({ stride }) => stride),
  }));

/** Distinct values, so that every window has one greatest element; whole numbers for integers. */
function data(shape: readonly number[], dtype: DType): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  const shuffled = Array.from({ length: size }, (_, i) => ((i * 7919 + 13) % 10_007) % 997);
  const scale = dtype === "int32" || dtype === "uint32" ? 1 : 0.125;
  const values = shuffled.map((value) => value * scale);
  return tensor(dtype === "bool" ? values.map((v) => Math.trunc(v) % 2) : values, { shape, dtype });
}

const windows =
  ({ window, strides }: Pooling, reduction: (x: np.Array) => np.Array) =>
  (x: np.Array): np.Array =>
    lax.reduceWindow(x, reduction, [...window], [...strides]);

async function run(fn: JaxFunction, x: Tensor): Promise<Tensor[]> {
  const compiled = compile(fn);
  try {
    const result = (await compiled(x)) as unknown as Tensor | Tensor[];
    return Array.isArray(result) ? result : [result];
  } finally {
    await compiled.dispose();
  }
}

/** Values are multiples of 1/8, so every sum here is exact in any order. */
async function expectSame(fn: JaxFunction, x: Tensor): Promise<void> {
  const result = eager(fn, x) as Tensor | Tensor[];
  const wanted = Array.isArray(result) ? result : [result];
  const actual = await run(fn, x);
  actual.forEach((array, i) => {
    expect(array.dtype).toBe(wanted[i]!.dtype);
    expect(array.shape).toEqual(wanted[i]!.shape);
    expect(Array.from(array.data, Number)).toEqual(Array.from(wanted[i]!.data, Number));
  });
}

const max = (x: np.Array): np.Array => np.max(x);
const sum = (x: np.Array): np.Array => np.sum(x);

test.each<DType>(["float32", "float64", "int32", "uint32", "bool"])(
  "the greatest element and the sum of each window, in %s",
  async (dtype) => {
    const property = fc.asyncProperty(poolings, async (pooling) => {
      const x = data(pooling.shape, dtype);
      await expectSame(windows(pooling, max), x);
      // A sum of booleans is refused: to jax-js it is a boolean.
      if (dtype === "bool") {
        await expect(run(windows(pooling, sum), x)).rejects.toThrow(
          /the sum of bool.* is bool to jax-js/,
        );
      } else await expectSame(windows(pooling, sum), x);
    });
    await fc.assert(property, { seed, numRuns: 25 });
  },
);

test("first and second derivatives", async () => {
  const property = fc.asyncProperty(poolings, async (pooling) => {
    for (const reduction of [max, sum]) {
      const pool = windows(pooling, reduction);
      const loss = (x: np.Array): np.Array => np.sum(np.square(pool(x)));
      const both = (x: np.Array): np.Array[] => {
        const [gradient, product] = jvp(grad(loss), [x], [x]) as unknown as [np.Array, np.Array];
        return [pool(x), gradient, product];
      };
      await expectSame(both, data(pooling.shape, "float64"));
    }
  });
  await fc.assert(property, { seed, numRuns: 25 });
});

test("float16 windows that leave a gap at the end", async () => {
  const pooling: Pooling = { shape: [1, 5], window: [2], strides: [3] };
  const fn = (x: np.Array): np.Array =>
    windows(pooling, max)(x.astype(np.float16)).astype(np.float32);
  const [actual] = await run(fn, tensor([[1, 2, 9, 4, 3]]));
  expect(Array.from(actual!.data)).toEqual([2, 4]);
});

test("max pooling alone is MaxPool; with a gradient it shares the windows", () => {
  const pool = windows({ shape: [], window: [2, 2], strides: [2, 2] }, max);
  const nodes = (fn: JaxFunction): string =>
    Buffer.from(toOnnx(fn, [new ArraySpec([1, 3, 4, 4], "float32")])).toString("latin1");
  expect(nodes(pool)).toContain("MaxPool");
  const both = (x: np.Array): np.Array[] => [pool(x), grad((y: np.Array) => np.sum(pool(y)))(x)];
  expect(nodes(both)).not.toContain("MaxPool");
});
