/** Convolutions and their derivatives against jax-js's own evaluation and against differences. */
import { jvp, lax, numpy as np, vjp } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  compile,
  type DType,
  type JaxFunction,
  type Tensor,
  tensor,
} from "../../src/program/index.ts";
import {
  type Case,
  cases,
  convolution,
  distance,
  operands,
  run,
  seed,
  wave,
} from "./convolution-cases.ts";
import { eager } from "./jax-eager.ts";

/** Of a sum of `terms` products of numbers up to 1, in any order. */
function rounding(terms: number, dtype: DType): number {
  if (dtype === "float64") return 1e-12;
  return dtype === "int32" ? 0 : (terms + 2) * terms * 2 ** -23;
}

function check(dtype: DType, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(cases, async (conv) => {
    const args = operands(conv, dtype);
    const fn = convolution(conv);
    const [actual] = await run(fn, args);
    const terms = conv.axes.reduce((n, { kernel }) => n * kernel, conv.channels[0]);
    expect(distance(actual!, eager(fn, ...args) as Tensor)).toBeLessThanOrEqual(
      rounding(terms, dtype),
    );
  });
  return fc.assert(property, { seed, numRuns });
}

test.each<[DType, number]>([
  ["float32", 120],
  ["float64", 80],
  ["int32", 40],
])("strides, dilations, paddings and batch axes in %s", (dtype, runs) => check(dtype, runs));

describe("shapes that are lowered apart", () => {
  const volume = wave([2, 2, 4, 3, 4], 0, "float32");
  test.each<[string, JaxFunction, Tensor, Tensor]>([
    [
      "three spatial axes",
      (x: np.Array, w: np.Array) => lax.conv(x, w, [1, 2, 1], "SAME"),
      volume,
      wave([3, 2, 2, 3, 2], 1, "float32"),
    ],
    [
      "no spatial axis",
      (x: np.Array, w: np.Array) => lax.conv(x, w, [], []),
      wave([4, 3], 0, "float32"),
      wave([5, 3], 1, "float32"),
    ],
    [
      "a filter as large as the data, by groups",
      (x: np.Array, w: np.Array) =>
        lax.convGeneralDilated(x, w, [1, 1], "VALID", { featureGroupCount: 2 }),
      wave([3, 4, 6, 5], 0, "float32"),
      wave([6, 2, 5, 5], 1, "float32"),
    ],
    [
      "depthwise",
      (x: np.Array, w: np.Array) =>
        lax.convGeneralDilated(x, w, [1, 1], "SAME", { featureGroupCount: 4 }),
      wave([3, 4, 6, 5], 0, "float32"),
      wave([4, 1, 3, 3], 1, "float32"),
    ],
    [
      "transposed",
      (x: np.Array, w: np.Array) =>
        lax.convTranspose(x, w, [2, 3], "SAME", { transposeKernel: true }),
      wave([2, 3, 4, 3], 0, "float32"),
      wave([3, 2, 3, 4], 1, "float32"),
    ],
    [
      "an empty batch",
      (x: np.Array, w: np.Array) => lax.conv(x, w, [1], "SAME"),
      wave([0, 3, 4], 0, "float32"),
      wave([2, 3, 3], 1, "float32"),
    ],
  ])("%s", async (_, fn, x, w) => {
    const [actual] = await run(fn, [x, w]);
    const terms = w.size / w.shape[0]!;
    if (x.size === 0) expect(actual!.shape).toEqual([0, 2, 4]);
    else {
      expect(distance(actual!, eager(fn, x, w) as Tensor)).toBeLessThanOrEqual(
        rounding(terms, "float32"),
      );
    }
  });

  test("float16 and booleans", async () => {
    const half = (x: np.Array, w: np.Array): np.Array =>
      lax.conv(x.astype(np.float16), w.astype(np.float16), [1, 1], "SAME").astype(np.float32);
    const full = (x: np.Array, w: np.Array): np.Array => lax.conv(x, w, [1, 1], "SAME");
    const args = [wave([2, 3, 5, 4], 0, "float32"), wave([2, 3, 3, 3], 1, "float32")];
    const [rough] = await run(half, args);
    expect(distance(rough!, eager(full, ...args) as Tensor)).toBeLessThan(0.01);
    const flags = args.map(({ data, shape }) =>
      tensor(
        Uint8Array.from(data as Float32Array, (v) => Number(v > 0.6)),
        { shape, dtype: "bool" },
      ),
    );
    const [any] = await run(full, flags);
    expect(any!.dtype).toBe("bool");
    expect(distance(any!, eager(full, ...flags) as Tensor)).toBe(0);
    expect(new Set(any!.data)).toEqual(new Set([0, 1]));
  });
});

const cube = (y: np.Array): np.Array => np.square(y).mul(y);

/** jax-js's own values; a case whose derivative's padding it refuses as "too negative" is skipped. */
function reference(fn: JaxFunction, args: Tensor[]): Tensor[] {
  try {
    return eager(fn, ...args) as Tensor[];
  } catch (error) {
    fc.pre(!(error as Error).message.includes("is too negative for input size"));
    throw error;
  }
}

/** Both gradients of Σ conv(x, w)³, and their derivative along (x, w). */
function derivatives(conv: Case): JaxFunction {
  const fn = convolution(conv) as (x: np.Array, w: np.Array) => np.Array;
  const gradients = (x: np.Array, w: np.Array): np.Array[] => {
    const [y, pull] = vjp((a: np.Array, b: np.Array) => cube(fn(a, b)), [x, w]);
    return pull(np.onesLike(y)) as np.Array[];
  };
  return (x: np.Array, w: np.Array) => {
    const [first, second] = jvp(gradients, [x, w], [x, w]) as unknown as [np.Array[], np.Array[]];
    return [...first, ...second];
  };
}

test("first and second derivatives agree with jax-js", async () => {
  const property = fc.asyncProperty(cases, async (conv) => {
    const args = operands(conv, "float64");
    const fn = derivatives(conv);
    const wanted = reference(fn, args);
    const actual = await run(fn, args);
    actual.forEach((array, i) => expect(distance(array, wanted[i]!)).toBeLessThan(1e-11));
  });
  await fc.assert(property, { seed, numRuns: 40 });
});

test("gradients agree with central differences", async () => {
  const property = fc.asyncProperty(cases, async (conv) => {
    const args = operands(conv, "float64");
    const fn = convolution(conv);
    reference(derivatives(conv), args);
    const loss = compile((x: np.Array, w: np.Array) => np.sum(cube(fn(x, w) as np.Array)));
    const gradients = await run(derivatives(conv), args);
    const directions = args.map(({ shape }, i) => wave([...shape], 2 + i, "float64"));
    const step = 1e-5;
    const at = async (which: number, t: number): Promise<number> => {
      const moved = args.map((arg, i) =>
        i === which
          ? tensor(
              Float64Array.from(arg.data, (v, j) => Number(v) + t * Number(directions[i]!.data[j])),
              { shape: arg.shape },
            )
          : arg,
      );
      return (await loss(...moved)).item();
    };
    for (const which of [0, 1]) {
      const slope = ((await at(which, step)) - (await at(which, -step))) / (2 * step);
      const along = directions[which]!.data;
      const product = Array.from(gradients[which]!.data, Number).reduce(
        (sum, g, j) => sum + g * Number(along[j]),
        0,
      );
      expect(Math.abs(product - slope)).toBeLessThan(1e-7 * (1 + Math.abs(slope)));
    }
    await loss.dispose();
  });
  await fc.assert(property, { seed, numRuns: 20 });
});
