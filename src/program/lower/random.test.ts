/** Random bits against the published test vector of Threefry and, bit for bit, against jax-js. */
import { defaultDevice, init, numpy as np, random, vmap } from "@jax-js/jax";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { distance, lowered } from "../../../test/program/eager.ts";
import { eager } from "../../../test/program/jax-eager.ts";
import { compile } from "../compile.ts";
import { type Tensor, tensor } from "../tensors/tensor.ts";

beforeAll(async () => {
  await init("cpu");
  defaultDevice("cpu");
});

const key = (high: number, low: number): Tensor => tensor([high, low], { dtype: "uint32" });

async function both(fn: (key: np.Array) => np.Array, of: Tensor): Promise<[Tensor, Tensor]> {
  const compiled = compile(fn, { threads: 1 });
  const found = await compiled(of);
  await compiled.dispose();
  return [found, eager(fn, of) as Tensor];
}

test("the known answer of Threefry-2x32 for key 0 and counter 0", async () => {
  // Random123's kat_vectors: threefry2x32 20, all zero.
  const zero = tensor([0], { dtype: "uint32", shape: [] });
  const word = async (mode: 0 | 1) =>
    (
      await lowered(
        "random_bits",
        { shape: [1], mode },
        [zero, zero],
        [{ shape: [1], dtype: "uint32" }],
      )
    )[0]!.data[0];
  expect(await word(0)).toBe(0x6b200159);
  expect(await word(1)).toBe(0x99ba4efe);
});

test("bits are jax-js's for any key and shape", async () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(word, word, shape, async (high, low, size) => {
      const [found, expected] = await both((k) => random.bits(k, size), key(high, low));
      expect(found).toEqual(expected);
    }),
    { numRuns: 25, seed: 7 },
  );
});

test("keys split, nested and in batches", async () => {
  const functions = [
    (k: np.Array) => random.split(k, 3),
    (k: np.Array) => random.bits(random.split(k, [2, 2]).slice(1, 0), [4]),
    (k: np.Array) =>
      vmap((each: np.Array) => random.bits(each, [4]))(random.split(k, 3)) as np.Array,
  ];
  for (const fn of functions) {
    const [found, expected] = await both(fn, key(1, 4294967295));
    expect(found).toEqual(expected);
  }
});

describe("distributions are jax-js's to rounding", () => {
  const logits = (): np.Array => np.array([0.1, 0.5, 2]);
  const continuous: Readonly<Record<string, (k: np.Array) => np.Array>> = {
    uniform: (k) => random.uniform(k, [50], { minval: -2, maxval: 3 }),
    normal: (k) => random.normal(k, [50]),
    gumbel: (k) => random.gumbel(k, [50]),
    exponential: (k) => random.exponential(k, [50]),
    laplace: (k) => random.laplace(k, [50]),
    logistic: (k) => random.logistic(k, [50]),
  };
  test.each(Object.keys(continuous))("%s", async (name) => {
    const [found, expected] = await both(continuous[name]!, key(3, 141592653));
    expect(distance(found, expected)).toBeLessThan(2e-6);
    expect(new Set(found.data).size).toBeGreaterThan(45);
  });

  const discrete: Readonly<Record<string, (k: np.Array) => np.Array>> = {
    bernoulli: (k) => random.bernoulli(k, 0.3, [50]),
    categorical: (k) => random.categorical(k, logits(), { shape: [50] }),
    permutation: (k) => random.permutation(k, 50),
  };
  test.each(Object.keys(discrete))("%s, exactly", async (name) => {
    const [found, expected] = await both(discrete[name]!, key(2, 718281828));
    expect(found).toEqual(expected);
  });
});
