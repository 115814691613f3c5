import { expect, test } from "vitest";
import { randomKey, randomStream } from "../../random/index.ts";
import { farValues } from "./far-values.ts";
import { parseTable } from "./reading/read-table.ts";

const range = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i);
const found = (values: readonly number[], isDate = false): [number, number][] =>
  farValues(Float64Array.from(values), isDate).map(({ value, count }) => [value, count]);
const day = (text: string): number => Date.parse(text) / 86_400_000;

test.each<[what: string, values: number[], far: [number, number][]]>([
  ["a repeated value", [...range(40), 5000, 5000], [[5000, 2]]],
  ["-999 once", [...range(40, -10), -999], [[-999, 1]]],
  ["999 beside ages", [...range(90), 999, 999, NaN], [[999, 2]]],
  [
    "-9999, -999 and 99999",
    [...range(40), -9999, -999, 99999],
    [
      [-9999, 1],
      [-999, 1],
      [99999, 1],
    ],
  ],
  ["32767", [...range(40), 32767], [[32767, 1]]],
  ["a slip by six powers of ten", [...range(40), 2e7], [[2e7, 1]]],
  [
    "zeros for missing pressures",
    [...range(30, 60).map((p) => p), 0, 0].map((p) => p && p + 1000),
    [[0, 2]],
  ],
])("%s", (_, values, far) => {
  expect(found(values)).toEqual(far);
});

test.each<[what: string, values: number[]]>([
  ["codes 0 and 1", [...range(40).map(() => 0), 1, 1]],
  ["four codes and 99", [...range(40).map((i) => i % 4), 99, 99]],
  ["one value ten times as large", [...range(40), 400]],
  ["99 in percent", range(100)],
  ["999 among larger numbers", range(2000)],
  ["two groups", [...range(40), ...range(40, 100_000)]],
  ["nothing", []],
])("not %s", (_, values) => {
  expect(found(values)).toEqual([]);
});

test("a long tail is no slip", () => {
  const stream = randomStream(randomKey(4, "long tail"));
  const values = Array.from({ length: 5000 }, () => Math.exp(2.5 * stream.normal()));
  expect(found(values)).toEqual([]);
});

test.each(["9999-12-31", "1900-01-01"])("the date %s", (word) => {
  const days = range(60, day("2020-01-01"));
  expect(found([...days, day(word)], true)).toEqual([[day(word), 1]]);
  expect(found([...days, day("2021-06-01")], true)).toEqual([]);
});

test("the reader names them as they are written, with the option that takes them as missing", () => {
  const read = (options: Parameters<typeof parseTable>[2]): ReturnType<typeof parseTable> => {
    const rows = [...range(30).map((i) => `${i}.5,${2023 + (i % 2)}-01-${10 + (i % 20)}`)];
    const text = `x,d\n${rows.join("\n")}\n-999.0,9999-12-31\n-999.0,2023-01-01\n`;
    return parseTable(new TextEncoder().encode(text), "data.csv", options);
  };
  const { remarks } = read({});
  expect(remarks).toContain(
    'Column "x": -999.0 in 2 of 32 cells lie far from all others, which are between 0.5 and 29.5; they are used as they are, and --missing=-999.0 takes them as missing if that is what they mean.',
  );
  expect(remarks).toContain(
    'Column "d": 9999-12-31 in 1 of 32 cells lies far from all others, which are between 2023-01-01 and 2024-01-29; they are used as they are, and --missing=9999-12-31 takes them as missing if that is what they mean.',
  );
  // A number stands for all its spellings.
  const { table, remarks: after } = read({ missing: ["-999", "9999-12-31"] });
  expect(after.join()).not.toContain("far from");
  expect(
    table.columns.map((c) => c.kind === "numeric" && c.values.filter(Number.isNaN).length),
  ).toEqual([2, 1]);
});
