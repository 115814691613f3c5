import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { split, splitTarget } from "./split.ts";
import { inferTarget } from "./tables/target.ts";

const usual = { train: 0.6, validation: 0.2, test: 0.2 };

describe("properties", () => {
  const fractions = fc
    .tuple(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
    )
    .map(([a, b, c]) => ({
      train: a / (a + b + c),
      validation: b / (a + b + c),
      test: c / (a + b + c),
    }));

  property.prop([fc.integer({ min: 3, max: 300 }), fractions, fc.nat()])(
    "parts are disjoint, ascending, cover the rows and have their share",
    (count, shares, seed) => {
      const parts = split({ count, seed, ...shares });
      const all = [...parts.train, ...parts.validation, ...parts.test];
      expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      for (const name of ["train", "validation", "test"] as const) {
        expect([...parts[name]]).toEqual([...parts[name]].toSorted((a, b) => a - b));
        // Within a row of the share; a part that would be empty may take one more row from another.
        expect(Math.abs(parts[name].length - shares[name] * count)).toBeLessThanOrEqual(2);
        expect(parts[name].length).toBeGreaterThan(0);
      }
    },
  );

  property.prop([
    fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 200 }),
    fractions,
    fc.nat(),
  ])(
    "a class with three rows is in every part, and has its share in each",
    (classes, shares, seed) => {
      const strata = Int32Array.from([0, 0, 0, ...classes]);
      const parts = split({ count: strata.length, strata, seed, ...shares });
      for (const label of new Set(strata)) {
        const size = strata.filter((other) => other === label).length;
        for (const name of ["train", "validation", "test"] as const) {
          const got = parts[name].filter((row) => strata[row] === label).length;
          if (size >= 3) expect(got).toBeGreaterThan(0);
          expect(Math.abs(got - shares[name] * size)).toBeLessThanOrEqual(2);
        }
      }
    },
  );
});

test("whole shares are met exactly", () => {
  const strata = Int32Array.from({ length: 100 }, (_, i) => (i < 80 ? 0 : 1));
  const parts = split({ count: 100, strata, seed: 1, ...usual });
  const ones = (rows: Int32Array): number => rows.filter((row) => strata[row] === 1).length;
  expect(
    [parts.train, parts.validation, parts.test].map((rows) => [rows.length, ones(rows)]),
  ).toEqual([
    [60, 12],
    [20, 4],
    [20, 4],
  ]);
});

test("the seed decides", () => {
  const at = (seed: number): number[] => [...split({ count: 50, seed, ...usual }).test];
  expect(at(4)).toEqual(at(4));
  expect(at(4)).not.toEqual(at(5));
});

test("rows without a target are in no part, and parts hold rows of the table", () => {
  const codes = Int32Array.from({ length: 60 }, (_, i) => (i % 3) - 1);
  const table = {
    source: "made",
    rowCount: 60,
    columns: [{ kind: "categorical", name: "y", codes, levels: ["no", "yes"] }],
  } as const;
  const parts = splitTarget(inferTarget(table, "y"), { ...usual, seed: 2 });
  const all = [...parts.train, ...parts.validation, ...parts.test];
  expect(all.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 3 !== 0),
  );
  for (const [rows, count] of [
    [parts.train, 12],
    [parts.validation, 4],
    [parts.test, 4],
  ] as const) {
    expect([0, 1].map((code) => rows.filter((row) => codes[row] === code).length)).toEqual([
      count,
      count,
    ]);
  }
});

test("a fraction of 0 leaves its part empty", () => {
  const parts = split({ count: 10, seed: 0, train: 0.8, validation: 0, test: 0.2 });
  expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([8, 0, 2]);
});

test("misuse and too few rows", () => {
  expect(() => split({ count: 9, seed: 0, train: 0.6, validation: 0.2, test: 0.1 })).toThrow(
    /add up to 1/,
  );
  expect(() => split({ count: 9, seed: 0, ...usual, strata: new Int32Array(8) })).toThrow(
    /9 rows, not 8/,
  );
  expect(() => split({ count: 2, seed: 0, ...usual })).toThrow(
    /2 rows are too few, the (validation|test) part would be empty/,
  );
});
