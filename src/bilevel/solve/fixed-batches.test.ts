/** Fixed batches: a partition with names, drawn uniformly, the same for the same seed. */
import { expect, test } from "vitest";
import { tensor } from "../../program/tensors/tensor.ts";
import { fixedBatches } from "./fixed-batches.ts";

const x = tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { shape: [6, 2] });
const data = { x, y: { labels: tensor([0, 1, 2, 3, 4, 5], { dtype: "int32" }) } };

test("each batch is its slice of the data and carries its index", () => {
  const sampler = fixedBatches({ data, size: 2 });
  expect(sampler.count).toBe(3);
  const seen = new Map<number, number>();
  for (let step = 0; step < 300; step++) {
    const { batch, x, y } = sampler.batch(step) as unknown as {
      batch: typeof data.x;
      x: typeof data.x;
      y: typeof data.y;
    };
    const i = batch.item();
    expect([batch.dtype, batch.shape]).toEqual(["int32", []]);
    expect(x.toNested()).toEqual([0, 1].map((row) => [4 * i + 2 * row, 4 * i + 2 * row + 1]));
    expect(y.labels.toNested()).toEqual([2 * i, 2 * i + 1]);
    seen.set(i, (seen.get(i) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual([0, 1, 2]);
  // Five standard deviations of a binomial count with mean 100.
  for (const count of seen.values()) {
    expect(Math.abs(count - 100)).toBeLessThan(5 * Math.sqrt(300 * (1 / 3) * (2 / 3)));
  }
});

test("a batch is a function of seed, stream and step", () => {
  const sampler = fixedBatches({ data, size: 1 });
  const indices = (from: { seed?: number; stream?: string }, of = sampler): number[] =>
    Array.from({ length: 20 }, (_, step) => (of.batch(step, from).batch as typeof x).item());
  expect(indices({ seed: 1 })).toEqual(indices({ seed: 1 }));
  expect(indices({ seed: 1 })).not.toEqual(indices({ seed: 2 }));
  expect(indices({ stream: "inner" })).not.toEqual(indices({ stream: "outer" }));
  const own = fixedBatches({ data, size: 1, seed: 1 });
  expect(indices({ seed: 5 }, own)).toEqual(indices({ seed: 1 }));
});

test("the fingerprint tells data, size and seed", () => {
  const prints = [
    fixedBatches({ data, size: 1 }),
    fixedBatches({ data, size: 2 }),
    fixedBatches({ data, size: 1, seed: 3 }),
    fixedBatches({ data: { x }, size: 1 }),
  ].map((sampler) => sampler.fingerprint());
  expect(new Set(prints).size).toBe(4);
  expect(fixedBatches({ data, size: 1 }).fingerprint()).toBe(prints[0]);
});

test("what cannot work is refused", () => {
  expect(() => fixedBatches({ data, size: 4 })).toThrow("a divisor of the 6 examples, got 4");
  expect(() => fixedBatches({ data: { x, y: tensor([1]) }, size: 1 })).toThrow(
    "share a first axis",
  );
  expect(() => fixedBatches({ data: {}, size: 1 })).toThrow("got none");
  expect(() => fixedBatches({ data: { batch: x }, size: 1 })).toThrow('without a "batch"');
  expect(() => fixedBatches({ data, size: 1, seed: -1 })).toThrow("seed");
});
