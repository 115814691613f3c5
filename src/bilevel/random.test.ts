import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { foldIn, integers, keyOf, permutation, threefry2x32 } from "./random.ts";

// Known answers of Random123 (kat_vectors): key, counter, result.
test.each([
  [
    [0, 0],
    [0, 0],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x13198a2e, 0x03707344],
    [0x243f6a88, 0x85a308d3],
    [0xc4923a9c, 0x483df7a0],
  ],
] as const)("threefry2x32(%j, %j) is the published answer", (key, counter, answer) => {
  expect(threefry2x32(key, counter)).toEqual(answer);
});

property.prop([fc.nat(1000), fc.integer({ min: 1, max: 200 })])(
  "a permutation holds every index once",
  (seed, length) => {
    const order = permutation(keyOf(seed), length);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  },
);

test("integers are uniform: each of 7 values within 4 standard deviations of n/7", () => {
  const n = 70_000;
  const counts = new Array<number>(7).fill(0);
  for (const value of integers(keyOf(3), n, 7)) counts[value]!++;
  const deviation = Math.sqrt((n * 6) / 49);
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(4 * deviation);
});

test("the first place of a permutation is uniform", () => {
  const counts = new Array<number>(5).fill(0);
  for (let i = 0; i < 5000; i++) counts[permutation(foldIn(keyOf(1), i), 5)[0]!]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(800));
});

test("names, numbers and seeds give different keys; the same ones the same key", () => {
  const key = keyOf(7);
  const keys = [foldIn(key, "inner"), foldIn(key, "outer"), foldIn(key, 0), foldIn(key, 1)];
  keys.push(foldIn(keyOf(8), "inner"), foldIn(keyOf(7 + 2 ** 32), "inner"));
  expect(new Set(keys.map(String)).size).toBe(keys.length);
  expect(foldIn(key, "inner")).toEqual(keys[0]);
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])("seed %d is refused", (seed) => {
  expect(() => keyOf(seed)).toThrow(/seed: a non-negative integer/);
});
