import { describe, expect, test } from "vitest";
import { dataSummary } from "../../../test/cli/data-summary.ts";
import { parseTable } from "../../data/tables/reading/read-table.ts";
import { announce, leakLines } from "./announcement.ts";
import { removableLeaks } from "./data-summary.ts";
import { prepareTable } from "./prepare-table.ts";

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const wave = (i: number): string => Math.sin(12.9898 * (i + 1)).toFixed(3);

/** Sorted by class, with an index, an id, a column that is the answer, one that is constant, and two that are honest. */
const lines = range(40).map((i) => {
  const first = i < 20;
  return `${i},${700 + 3 * i},${first ? "lost" : "won"},7,${wave(i)},${first ? "a" : "b"}`;
});
const text = [
  ",order,outcome,version,x,label",
  ...lines,
  "40,999,,7,0.5,",
  "41,998,,7,0.5,rare",
  "",
];
const { table } = parseTable(new TextEncoder().encode(text.join("\n")), "sorted.csv");

describe("a table is prepared", () => {
  test("row numbers go, what is suspect is named, what is left out is counted", () => {
    const { table: ready, summary } = prepareTable(table, { target: "label", minClass: 3 });
    expect(ready.columns.map(({ name }) => name)).toEqual([
      "order",
      "outcome",
      "version",
      "x",
      "label",
    ]);
    expect(summary).toMatchObject({
      target: "label",
      task: "binary",
      taskIs: "inferred",
      classes: [
        { name: "a", rows: 20 },
        { name: "b", rows: 20 },
      ],
      rows: { read: 42, used: 40, leftOut: [{ count: 1 }, { count: 1 }] },
      copies: 0,
      columns: {
        read: 5,
        notUsed: [
          { name: "c1", reason: "row numbers without a name; --numeric keeps them" },
          { name: "version", reason: "the value 7 in every training row" },
        ],
      },
    });
    expect(summary.possibleLeaks.map(({ name, kind, used }) => [name, kind, used])).toEqual([
      ["order", "id", true],
      ["order", "answer", true],
      ["outcome", "answer", true],
    ]);
  });

  test("leaks can be left out only where another column is used", () => {
    const { summary } = prepareTable(table, { target: "label", minClass: 3 });
    expect(removableLeaks(summary)).toEqual(["order", "outcome"]);
    const alone = prepareTable(table, { target: "label", minClass: 3, exclude: ["x"] });
    expect(removableLeaks(alone.summary)).toEqual([]);
  });

  test("columns that are named stay, and those that are excluded go", () => {
    const kept = prepareTable(table, { target: "label", minClass: 3, keep: ["c1"] });
    expect(kept.table.columns[0]!.name).toBe("c1");
    const { summary } = prepareTable(table, {
      target: "label",
      minClass: 3,
      exclude: ["order", "outcome"],
    });
    expect(summary.possibleLeaks).toEqual([]);
    expect(summary.columns.notUsed.slice(0, 2)).toEqual([
      { name: "order", reason: "left out by --exclude" },
      { name: "outcome", reason: "left out by --exclude" },
    ]);
  });

  test("copies are counted without ids, which would make every row unique", () => {
    const twice = range(60).map((i) => `${i + 5},${wave(i % 30)},${wave(7 * (i % 30))}`);
    const bytes = new TextEncoder().encode(["id,x,y", ...twice, ""].join("\n"));
    const { summary } = prepareTable(parseTable(bytes, "twice.csv").table, { target: "y" });
    expect(summary.copies).toBe(30);
  });

  test("the target cannot be excluded", () => {
    expect(() => prepareTable(table, { target: "label", exclude: ["last"] })).toThrow(
      /"label" is the target and named by --exclude/,
    );
  });
});

describe("on a terminal", () => {
  test("one short table each, five entries at most, then how many more", () => {
    const said = announce(dataSummary, {}).join("\n");
    expect(said).toMatch(/^\ntarget +income\n-+\ntask +binary \(inferred; --task sets it\)\n/);
    expect(said).toContain('classes       2: "<=50K" 24,720 rows, ">50K" 7,841 rows\n');
    expect(said).toContain("rows used     32561 of 32570\ncolumns used  2 of 9\n");
    expect(said).toMatch(/\nrows left out +why\n-+\n9 rows +no value in the target "income"\n/);
    expect(said).toMatch(
      /\ncolumns not used +why \(7 columns, the first 5\)\n-+\n(.+\n){5}… and 2 more/,
    );
    expect(said).toMatch(/\ntax +alone gives 99\.2 % of the classes right\n/);
    expect(said).toContain("has a different text in every row, is not used\n");
    expect(said).toContain("24 rows repeat an earlier one");
    expect(said).toContain("A class has few rows.");
  });

  test("tables fit the terminal", () => {
    for (const columns of [40, 80]) {
      const width = (line: string): number => [...line].length;
      const lines = announce({ ...dataSummary, cautions: [], copies: 0 }, { isTTY: true, columns });
      const tables = lines.filter((line) => !line.startsWith("What is") && !line.startsWith("…"));
      // A list, the last resort of a narrow terminal, does not break its lines.
      if (columns === 80) expect(Math.max(...tables.map(width))).toBeLessThan(columns);
      expect(tables.join("\n")).toContain("income");
    }
  });

  test("the result is followed by the leaks that are used, and by the command on one line", () => {
    const lines = leakLines(dataSummary, "stackelberg tune a.csv --exclude tax", (text) => [text]);
    expect(lines).toEqual([
      "",
      'Possible leaks among the columns used: "tax" alone gives 99.2 % of the classes right. If they are not known when you predict, the result above is too good to be true. Without them:',
      "  stackelberg tune a.csv --exclude tax",
    ]);
    expect(leakLines(dataSummary, undefined, (text) => [text])[1]).toMatch(
      /No other column is used/,
    );
    expect(leakLines({ ...dataSummary, possibleLeaks: [] }, "", (text) => [text])).toEqual([]);
  });
});
