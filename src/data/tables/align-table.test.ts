import { describe, expect, test } from "vitest";
import { alignTable, matchLevels } from "./align-table.ts";
import { fitEncoder, readingOf } from "./encoder.ts";
import { parseTable } from "./reading/read-table.ts";
import type { ReadTableOptions } from "./reading/options.ts";
import type { Table } from "./table.ts";

const tableOf = (text: string, options?: ReadTableOptions): Table =>
  parseTable(new TextEncoder().encode(text), "data.csv", options).table;

const column = (levels: readonly string[]): Parameters<typeof matchLevels>[0] => ({
  kind: "categorical",
  name: "zone",
  codes: Int32Array.from(levels, (_, i) => i),
  levels,
});

describe("levels that are numbers", () => {
  test("match the one known level of the same number", () => {
    const { column: matched, renamed } = matchLevels(column(["1.0", "1", "2e0", "x"]), ["1", "2"]);
    expect(matched.levels).toEqual(["1", "2", "x"]);
    expect([...matched.codes]).toEqual([0, 0, 1, 2]);
    expect(renamed).toEqual([
      ["1.0", "1"],
      ["2e0", "2"],
    ]);
  });

  test.each<[what: string, found: string[], known: string[]]>([
    ["codes with zeros", ["1", "001"], ["01"]],
    ["two known spellings", ["1.00"], ["1", "1.0"]],
    ["numbers beyond 2^53", ["9007199254740993"], ["9007199254740992"]],
    ["text", ["one", "1a"], ["1"]],
  ])("%s do not match", (_, found, known) => {
    expect(matchLevels(column(found), known)).toEqual({ column: column(found), renamed: [] });
  });
});

test("unseen levels are counted by column", () => {
  const training = tableOf("zone,kind,y\n1,a,5\n2,b,6\n1,a,7\n2,b,8\n", {
    types: { zone: "categorical" },
  });
  const encoder = fitEncoder(training, "y", Int32Array.of(0, 1, 2, 3), { minLevelCount: 2 });
  const fresh = tableOf("zone,kind\n1.0,a\n3,c\n3,\n4,d\n", readingOf(encoder));
  const { unseen, notes } = alignTable(encoder, fresh);
  expect(unseen).toEqual([
    { column: "zone", cells: 3, levels: ["3", "4"] },
    { column: "kind", cells: 2, levels: ["c", "d"] },
  ]);
  expect(notes).toEqual([
    'Column "zone": numbers are written differently than in training and taken for the same, "1.0" for "1".',
  ]);
});

describe("a new file is read as the training file was", () => {
  const rows = Int32Array.of(0, 1, 2, 3);
  const learn = (text: string): Parameters<typeof readingOf>[0] =>
    fitEncoder(tableOf(text), "y", rows);
  const first = (table: Table): unknown =>
    table.columns[0]!.kind === "numeric" && table.columns[0]!.values[0];

  test("thousands, decimal commas and dates of one row", () => {
    const comma = learn("x;y\n1.234,5;1\n2,25;2\n3;3\n4;5\n");
    expect(first(tableOf("x;z\n1.234;0\n", readingOf(comma)))).toBe(1234);
    expect(first(tableOf("x,z\n7.5,0\n", readingOf(comma)))).toBe(7.5);
    const point = learn("x,y\n1.5,1\n2.25,2\n3,3\n4,5\n");
    expect(first(tableOf("x,z\n1.234,0\n", readingOf(point)))).toBe(1.234);
    const date = learn("x,y\n25/12/2023,1\n26/12/2023,2\n1/2/2024,3\n2/2/2024,5\n");
    expect(first(tableOf("x,z\n3/4/2024,0\n", readingOf(date)))).toBe(19816);
    expect(first(tableOf("x,z\n2024-04-03,0\n", readingOf(date)))).toBe(19816);
    const compact = learn("x,y\n20230101,1\n20230102,2\n20230103,3\n20230204,5\n20230205,5\n");
    expect(first(tableOf("x,z\n20240403,0\n", readingOf(compact)))).toBe(19816);
  });

  test("placeholders of the training file are known, other words are refused", () => {
    const numbers = Array.from({ length: 12 }, (_, i) => `${i}.5,${i}\n`).join("");
    const encoder = learn(`x,y\n${numbers}late,3\n`);
    expect(first(tableOf("x,z\nlate,0\n1,1\n", readingOf(encoder)))).toBeNaN();
    expect(first(tableOf("x,z\n#N/A,0\n1,1\n", readingOf(encoder)))).toBeNaN();
    expect(() => tableOf("x,z\nbroken,0\n1,1\n", readingOf(encoder))).toThrow(
      /line 2, column "x": "broken" is not a number, .*--missing/,
    );
  });

  test("dates are no numbers and numbers are no dates", () => {
    const date = learn("x,y\n2023-01-01,1\n2023-01-02,2\n2023-01-03,3\n2023-01-04,5\n");
    const number = learn("x,y\n1.5,1\n2.25,2\n3,3\n4,5\n");
    expect(() => tableOf("x,z\n19358,0\n", readingOf(date))).toThrow(/the model needs dates here/);
    expect(() => tableOf("x,z\n2023-01-01,0\n", readingOf(number))).toThrow(
      /the model needs numbers here/,
    );
    expect(() => alignTable(number, tableOf("x,z\n2023-01-01,0\n"))).toThrow(/holds dates/);
  });

  test("places are names where the training file had no header", () => {
    const encoder = fitEncoder(tableOf("a,1\nb,2\na,3\nb,5\n", { header: false }), "c2", rows, {
      minLevelCount: 2,
    });
    expect(tableOf("b\na\n", readingOf(encoder)).rowCount).toBe(2);
  });
});
