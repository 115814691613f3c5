import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { foldIn, integers, permutation, randomKey } from "./index.ts";

property.prop([fc.nat(1000), fc.integer({ min: 1, max: 200 })])(
  "a permutation holds every index once",
  (seed, length) => {
    const order = permutation(randomKey(seed), length);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  },
);

test("integers are uniform: each of 7 values within 4 standard deviations of n/7", () => {
  const n = 70_000;
  const counts = new Array<number>(7).fill(0);
  for (const value of integers(randomKey(3), n, 7)) counts[value]!++;
  const deviation = Math.sqrt((n * 6) / 49);
  for (const count of counts) expect(Math.abs(count - n / 7)).toBeLessThan(4 * deviation);
});

test("the first place of a permutation is uniform", () => {
  const counts = new Array<number>(5).fill(0);
  for (let i = 0; i < 5000; i++) counts[permutation(randomKey(1, i), 5)[0]!]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(800));
});

test("names, numbers and seeds give different keys; the same ones the same key", () => {
  const key = randomKey(7);
  const keys = [foldIn(key, "inner"), foldIn(key, "outer"), foldIn(key, 0), foldIn(key, 1)];
  keys.push(randomKey(8, "inner"), randomKey(7 + 2 ** 32, "inner"));
  expect(new Set(keys.map(String)).size).toBe(keys.length);
  expect(foldIn(key, "inner")).toEqual(keys[0]);
});
