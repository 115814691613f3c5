import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { tensor, type Tensor } from "../../program/tensors/tensor.ts";
import { isSampler, minibatches, type MinibatchSampler } from "./samplers.ts";

const indices = (n: number): Tensor => tensor(Int32Array.from({ length: n }, (_, i) => i));
const drawn = (sampler: MinibatchSampler, step: number, from = {}): number[] => [
  ...(sampler.batch(step, from) as Tensor).data,
];

const sizes = fc
  .integer({ min: 1, max: 40 })
  .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n })));

property.prop([sizes, fc.nat(1000), fc.nat(5)])(
  "an epoch's batches are disjoint and leave out only n mod size examples",
  ([n, size], seed, epoch) => {
    const sampler = minibatches({ data: indices(n), size, seed });
    const per = sampler.batchesPerEpoch;
    const seen = Array.from({ length: per }, (_, i) => drawn(sampler, epoch * per + i)).flat();
    expect(new Set(seen).size).toBe(seen.length);
    expect(n - seen.length).toBe(n % size);
    expect(seen.every((row) => row >= 0 && row < n)).toBe(true);
  },
);

property.prop([sizes, fc.nat(1000), fc.boolean(), fc.array(fc.nat(50), { minLength: 1 })])(
  "a batch depends on the step alone, not on what was asked before",
  ([n, size], seed, replacement, steps) => {
    const options = { data: indices(n), size, seed, replacement };
    const used = minibatches(options);
    for (const step of steps) {
      expect(drawn(used, step)).toEqual(drawn(minibatches(options), step));
    }
  },
);

test("streams, seeds and epochs differ", () => {
  const sampler = minibatches({ data: indices(100), size: 50 });
  const batches = [
    drawn(sampler, 0, { seed: 0, stream: "inner" }),
    drawn(sampler, 0, { seed: 0, stream: "outer" }),
    drawn(sampler, 0, { seed: 1, stream: "inner" }),
    drawn(sampler, 2, { seed: 0, stream: "inner" }),
  ];
  expect(new Set(batches.map(String)).size).toBe(batches.length);
});

test("the sampler's own seed and stream win over the consumer's", () => {
  const own = minibatches({ data: indices(100), size: 10, seed: 5, stream: "mine" });
  const from = minibatches({ data: indices(100), size: 10 });
  expect(drawn(own, 3, { seed: 9, stream: "inner" })).toEqual(
    drawn(from, 3, { seed: 5, stream: "mine" }),
  );
});

test("perStep stacks consecutive batches: leaves [perStep, size, …]", () => {
  const data = {
    x: tensor(
      Float32Array.from({ length: 24 }, (_, i) => i),
      { shape: [12, 2] },
    ),
  };
  const single = minibatches({ data, size: 3, seed: 1 });
  const stacked = minibatches({ data, size: 3, seed: 1, perStep: 2 });
  const { x } = stacked.batch(1) as { x: Tensor };
  expect(x.shape).toEqual([2, 3, 2]);
  expect(x.toNested()).toEqual([2, 3].map((i) => (single.batch(i) as typeof data).x.toNested()));
});

test("rows of different arrays stay together, dtypes are kept", () => {
  const data = { x: tensor([[0, 0], [1, 10], [2, 20]], { dtype: "float64" }), y: indices(3) }; // prettier-ignore
  const { x, y } = minibatches({ data, size: 3, seed: 2 }).batch(4) as typeof data;
  expect(x.dtype).toBe("float64");
  expect(x.toNested()).toEqual([...y.data].map((row) => [row, 10 * row]));
});

test("with replacement an example can come twice in a batch", () => {
  const sampler = minibatches({ data: indices(4), size: 4, seed: 0, replacement: true });
  const repeats = [0, 1, 2, 3, 4].filter((step) => new Set(drawn(sampler, step)).size < 4);
  expect(repeats.length).toBeGreaterThan(0);
});

test("the fingerprint changes with the data and with every option", () => {
  const base = { data: indices(8), size: 2 };
  const samplers = [
    base,
    { ...base, data: indices(9) },
    { ...base, size: 4 },
    { ...base, seed: 1 },
    { ...base, stream: "a" },
    { ...base, replacement: true },
    { ...base, perStep: 2 },
  ].map(minibatches);
  expect(new Set(samplers.map((sampler) => sampler.fingerprint())).size).toBe(samplers.length);
  expect(isSampler(samplers[0])).toBe(true);
  expect(isSampler({ batch: indices(3) })).toBe(false);
});

test.each([
  [{ data: indices(4), size: 5 }, /size must be an integer from 1 to 4, got 5; try a smaller/],
  [{ data: indices(4), size: 0 }, /size must be an integer from 1 to 4, got 0/],
  [{ data: indices(4), size: 2, perStep: 0.5 }, /perStep must be an integer/],
  [{ data: indices(4), size: 2, seed: -1 }, /seed: a whole number/],
  [{ data: [indices(4), indices(5)], size: 2 }, /share a first axis.*int32\[4\], int32\[5\]/],
  [{ data: [tensor(1)], size: 1 }, /share a first axis/],
])("misuse %# is refused", (options, message) => {
  expect(() => minibatches(options)).toThrow(message);
});
