import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { drawEpisode, type EpisodeShape, listEpisodes, stackEpisodes } from "./episodes.ts";
import { cumulate, type ImageSet } from "./image-set.ts";
import { DataError } from "../data-error.ts";

/** One-pixel images whose byte is their index, modulo 256. */
function setOf(counts: readonly number[]): ImageSet {
  const offsets = cumulate(counts);
  return {
    height: 1,
    width: 1,
    channels: 1,
    classes: counts.map((_, i) => `class ${i}`),
    offsets,
    pixels: Uint8Array.from({ length: offsets.at(-1)! }, (_, i) => i),
  };
}

const usual: EpisodeShape = { ways: 5, shots: 1, queries: 3 };

property.prop([
  fc.record({
    ways: fc.integer({ min: 1, max: 6 }),
    shots: fc.integer({ min: 1, max: 5 }),
    queries: fc.integer({ min: 1, max: 5 }),
  }),
  fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 12 }),
  fc.nat(),
  fc.nat(),
])(
  "images are all different, of the classes they stand for, as many as asked",
  (shape, extra, seed, index) => {
    const { ways, shots, queries } = shape;
    const set = setOf(extra.map((more) => shots + queries + more));
    const { classes, support, query } = drawEpisode(set, shape, seed, index);
    expect(new Set(classes).size).toBe(ways);
    expect(new Set([...support, ...query]).size).toBe(ways * (shots + queries));
    const classOf = (image: number): number => set.offsets.findLastIndex((start) => start <= image);
    expect(support.map(classOf)).toEqual(classes.flatMap((i) => Array<number>(shots).fill(i)));
    expect(query.map(classOf)).toEqual(classes.flatMap((i) => Array<number>(queries).fill(i)));
  },
);

test("an episode depends on seed and index alone", () => {
  const set = setOf(Array<number>(20).fill(10));
  const list = listEpisodes(set, usual, { seed: 3, count: 8 });
  expect(listEpisodes(set, usual, { seed: 3, count: 4 })).toEqual(list.slice(0, 4));
  expect(drawEpisode(set, usual, 3, 7)).toEqual(list[7]);
  const different = new Set([...list, drawEpisode(set, usual, 4, 7)].map((e) => JSON.stringify(e)));
  expect(different.size).toBe(9);
});

test("a fixed episode, so that lists stay the same over versions", () => {
  expect(drawEpisode(setOf(Array<number>(8).fill(20)), usual, 0, 0)).toEqual({
    classes: [7, 0, 2, 3, 1],
    support: [152, 7, 57, 72, 23],
    query: [140, 159, 141, 19, 12, 2, 48, 51, 46, 61, 65, 74, 39, 36, 27],
  });
});

test("every class is equally frequent under every label, and every image in every part", () => {
  const shape = { ways: 3, shots: 1, queries: 1 };
  const count = 6000;
  const byLabel = Array.from({ length: 3 }, () => Array<number>(6).fill(0));
  const asSupport = Array<number>(24).fill(0);
  for (const { classes, support } of listEpisodes(setOf(Array<number>(6).fill(4)), shape, {
    seed: 1,
    count,
  })) {
    for (const [label, i] of classes.entries()) byLabel[label]![i]!++;
    for (const image of support) asSupport[image]!++;
  }
  // A count is binomial: five standard deviations hold for all 42 with probability above 0.99997.
  const within = (n: number, p: number, k: number): void =>
    expect(Math.abs(k - n * p)).toBeLessThan(5 * Math.sqrt(n * p * (1 - p)));
  for (const counts of byLabel) for (const k of counts) within(count, 1 / 6, k);
  for (const k of asSupport) within(count, 1 / 8, k);
});

test("episodes as arrays", () => {
  const set = setOf([3, 3, 3]);
  const { support, query } = stackEpisodes(set, [
    { classes: [2, 0], support: [7, 0], query: [6, 8, 1, 2] },
    { classes: [0, 1], support: [1, 3], query: [0, 2, 4, 5] },
  ]);
  expect(support.x.toString()).toBe("float32[2, 2, 1, 1, 1]");
  expect(query.x.toString()).toBe("float32[2, 4, 1, 1, 1]");
  const bytes = (data: ArrayLike<number>): number[] =>
    Array.from(data, (value) => Math.round(value * 255));
  expect(bytes(support.x.data)).toEqual([7, 0, 1, 3]);
  expect(bytes(query.x.data)).toEqual([6, 8, 1, 2, 0, 2, 4, 5]);
  expect(support.y.toString()).toBe("int32[2, 2]");
  expect([...support.y.data]).toEqual([0, 1, 0, 1]);
  expect([...query.y.data]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
});

test("what does not fit is refused", () => {
  const set = setOf([4, 3, 4, 4, 4]);
  const draw =
    (shape: Partial<EpisodeShape>, index = 0) =>
    () =>
      drawEpisode(set, { ...usual, ...shape }, 0, index);
  expect(draw({})).toThrow(DataError);
  expect(draw({})).toThrow('1 shots and 3 queries need 4 images a class, class "class 1" has 3');
  expect(draw({ ways: 6 })).toThrow("6 ways need as many classes, the set has 5");
  expect(draw({ shots: 0 })).toThrow("shots is a whole number from 1, not 0");
  expect(draw({ queries: 1.5 })).toThrow("queries is a whole number from 1, not 1.5");
  expect(draw({ queries: 1 }, -1)).toThrow("index is a whole number from 0, not -1");
  expect(() => listEpisodes(set, usual, { seed: 0, count: 0.5 })).toThrow("not 0.5");
  expect(() => stackEpisodes(set, [])).toThrow("at least one episode");
  const episode = drawEpisode(set, { ways: 2, shots: 1, queries: 1 }, 0, 0);
  const other = drawEpisode(set, { ways: 2, shots: 2, queries: 1 }, 0, 0);
  expect(() => stackEpisodes(set, [episode, other])).toThrow("episodes of one shape");
});
