// Rows of totals below a table are no data: found by a word or by their sums, left out, and said.
import { describe, expect, test } from "vitest";
import { fitEncoder, readingOf } from "../encoder.ts";
import type { ReadTableOptions } from "./options.ts";
import { parseTable, type ReadTableResult } from "./read-table.ts";

const read = (text: string, options?: ReadTableOptions): ReadTableResult =>
  parseTable(new TextEncoder().encode(text), "data.csv", options);

const head = "shop,units,price\n";
const rows = "north,3,1.5\nsouth,4,2.25\nwest,6,2.75\n";

describe("left out", () => {
  test.each<[what: string, text: string, words: string]>([
    ["a word and an empty cell", `${head}${rows}Total,,6.5\n`, '"Total"'],
    ["a word and the sums", `${head}${rows}Summe,13,6.5\n`, '"Summe"'],
    ["a word and a mean", `${head}${rows}Average,,2.17\n`, '"Average"'],
    ["a word with a colon", `${head}${rows}Grand total:,13,\n`, '"Grand total:"'],
    ["sums without a word", `${head}${rows},13,6.5\n`, '"13"'],
    ["an empty row before it", `${head}${rows},,\nTotal,13,6.5\n`, '"Total"'],
    ["a footer of fewer cells", `${head}${rows}Total,13\n`, ""],
    [
      "decimal commas",
      `shop;units;price\nnorth;3;1,5\nsouth;4;2,25\nwest;6;2,75\nGesamt;13;6,5\n`,
      '"Gesamt"',
    ],
  ])("%s", (_, text, words) => {
    const { table, remarks, footer } = read(text);
    const line = text.split("\n").length - 1;
    const cells = table.columns.map((column) =>
      column.kind === "numeric"
        ? [...column.values].filter((value) => !Number.isNaN(value))
        : column.levels,
    );
    expect(cells).toEqual([
      ["north", "south", "west"],
      [3, 4, 6],
      [1.5, 2.25, 2.75],
    ]);
    if (words === "") {
      expect(remarks).toContain(`1 line below the table, from line ${line} on, is left out.`);
      return;
    }
    expect(footer).toBe(1);
    expect(remarks).toContain(
      `1 row at the end, a total, is left out, from line ${line} on: ${words} (detected; --footer 0 keeps what is data).`,
    );
  });

  test("a total and its mean, two rows; a column of numbers keeps its kind", () => {
    const { table, remarks } = read("units,price\n3,1.5\n4,2.25\n6,2.75\nTotal,6.5\nMean,2.17\n");
    expect(table).toMatchObject({
      rowCount: 3,
      columns: [{ kind: "numeric" }, { kind: "numeric" }],
    });
    expect(remarks.join("\n")).toContain(
      '2 rows at the end, totals, are left out, from line 5 on: "Total", "Mean"',
    );
    expect(remarks.join("\n")).not.toContain("taken as missing");
  });

  test("as many as are given", () => {
    const { table, remarks } = read(`${head}${rows}`, { footer: 2 });
    expect(table.rowCount).toBe(1);
    expect(remarks.join("\n")).toContain(
      '2 rows at the end are left out, from line 3 on: "south", "west" (given).',
    );
    expect(read(`${head}${rows}Total,,6.5\n`, { footer: 0 }).table.rowCount).toBe(4);
  });

  test("from the file of a model too", () => {
    const training = read(`${head}${rows.repeat(4)}`).table;
    const model = fitEncoder(
      training,
      "shop",
      Int32Array.from({ length: 12 }, (_, i) => i),
    );
    expect(read("units,price\n3,1.5\n4,2.25\nTotal,3.75\n", readingOf(model)).table.rowCount).toBe(
      2,
    );
  });
});

describe("kept", () => {
  test.each<[what: string, text: string, count: number]>([
    ["a level that comes above", `${head}Total,3,1.5\nsouth,4,2.25\nTotal,6,2.75\n`, 3],
    ["numbers that are no sums", `${head}${rows}east,5,2.5\n`, 4],
    ["one sum by chance beside another number", `${head}${rows}east,13,2.5\n`, 4],
    ["one sum beside a text", `shop,units\nnorth,3\nsouth,4\nwest,7\n`, 3],
    ["flags", "a,b\n0,0\n1,0\n0,1\n1,1\n", 4],
    ["an empty cell without a word", `${head}${rows}east,,2.5\n`, 4],
  ])("%s", (_, text, count) => {
    const { table, remarks } = read(text, { header: true });
    expect(table.rowCount).toBe(count);
    expect(remarks.join("\n")).not.toContain("total,");
    expect(remarks.join("\n")).not.toContain("--footer");
  });

  test("a word without sums is said", () => {
    const { table, remarks } = read(`${head}${rows}Total,5,2.5\n`);
    expect(table.rowCount).toBe(4);
    expect(remarks).toContain(
      'The row on line 5 is called "Total" and is read as data, because its cells are no sums; --footer 1 leaves the last row out.',
    );
  });
});
