import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { philox, randomKey, randomStream } from "./index.ts";

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

describe("Philox 4x32-10 known answers (Random123, examples/kat_vectors)", () => {
  test("zeros", () => {
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  });
  test("ones", () => {
    const f = 0xffffffff;
    expect(hex(philox([f, f, f, f], [f, f]))).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  });
  test("digits of pi", () => {
    const block = philox(
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
    );
    expect(hex(block)).toBe("d16cfe09 94fdcceb 5001e420 24126ea1");
  });
});

test("a stream is the blocks of counters 0, 1, … in order", () => {
  const key = randomKey(7);
  const stream = randomStream(key);
  const drawn = Array.from({ length: 8 }, () => stream.nextUint32());
  expect(drawn).toEqual([...philox([0, 0, 0, 0], key), ...philox([1, 0, 0, 0], key)]);
});

test("names, their kinds and their order make different keys", () => {
  const long = "a stream name of more than twelve bytes";
  const keys = [
    randomKey(1),
    randomKey(2),
    randomKey(2 ** 32 + 1),
    randomKey(1, "split"),
    randomKey(1, "split", 0),
    randomKey(1, "split", "0"),
    randomKey(1, 0, "split"),
    randomKey(1, ""),
    randomKey(1, long),
    randomKey(1, `${long}!`),
  ];
  expect(new Set(keys.map(hex)).size).toBe(keys.length);
  expect(randomKey(1, "split", 3)).toEqual(randomKey(1, "split", 3));
});

test.each([-1, 0.5, NaN, 2 ** 53])("refuses the seed %d", (seed) => {
  expect(() => randomKey(seed)).toThrow(/whole number from 0 to 2\^53 - 1/);
});

test("uniform and normal numbers have their moments", () => {
  const n = 200_000;
  const uniform = randomStream(randomKey(3, "uniform"));
  const normal = randomStream(randomKey(3, "normal"));
  const sums = [0, 0, 0, 0, 0];
  let inside = true;
  for (let i = 0; i < n; i++) {
    const u = uniform.uniform();
    const z = normal.normal();
    inside &&= u >= 0 && u < 1;
    for (const [k, value] of [u, u * u, z, z * z, z ** 4].entries()) sums[k]! += value / n;
  }
  expect(inside).toBe(true);
  // Five standard errors: sd/√n with sd(u) = .289, sd(u²) = .298, sd(z) = 1, sd(z²) = √2, sd(z⁴) = √96.
  const expected = [1 / 2, 1 / 3, 0, 1, 3];
  for (const [k, sd] of [0.289, 0.298, 1, Math.SQRT2, Math.sqrt(96)].entries()) {
    expect(Math.abs(sums[k]! - expected[k]!)).toBeLessThan((5 * sd) / Math.sqrt(n));
  }
});

property.prop([fc.nat(), fc.integer({ min: 1, max: 2 ** 32 })])(
  "integers stay below their bound",
  (seed, bound) => {
    const stream = randomStream(randomKey(seed));
    for (let i = 0; i < 10; i++) {
      const value = stream.integer(bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
    }
  },
);

property.prop([fc.nat(), fc.array(fc.integer())])(
  "a shuffle is a permutation that the key decides",
  (seed, items) => {
    const shuffled = randomStream(randomKey(seed)).shuffle([...items]);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
    expect(randomStream(randomKey(seed)).shuffle([...items])).toEqual(shuffled);
  },
);

test("shuffles of three are equally frequent", () => {
  const counts = new Map<string, number>();
  const stream = randomStream(randomKey(11));
  for (let i = 0; i < 6000; i++) {
    const order = stream.shuffle([0, 1, 2]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Mean 1000, standard deviation √(6000·1/6·5/6) = 28.9; five of them.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
});
