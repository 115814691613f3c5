// The columns of a new file, as a model calls them, and columns of text that are nearly numbers.
import { describe, expect, test } from "vitest";
import { fitEncoder, readingOf } from "../encoder.ts";
import { parseTable, type ReadTableResult } from "./read-table.ts";
import type { ReadTableOptions } from "./options.ts";

const read = (text: string, options?: ReadTableOptions): ReadTableResult =>
  parseTable(new TextEncoder().encode(text), "new.csv", options);

const rows = Array.from({ length: 30 }, (_, i) => `${i}.5,${["EU", "AS"][i % 2]!},${i}\n`);
const encoder = fitEncoder(
  read(`Body Size,region,y\n${rows.join("")}`).table,
  "y",
  Int32Array.from(rows, (_, i) => i),
);
const model = readingOf(encoder);
const names = ({ table }: ReadTableResult): string[] => table.columns.map(({ name }) => name);

describe("names of a new file", () => {
  test("that differ in case or blanks only are the model's, which is said", () => {
    const result = read("BODYSIZE,Region \n1.5,EU\n", model);
    expect(names(result)).toEqual(["Body Size", "region"]);
    expect(result.remarks).toContain(
      'Names that differ from the model\'s only in case or blanks are taken for the same: "BODYSIZE" for "Body Size", "Region" for "region".',
    );
  });

  test("of text columns alone make a header too", () => {
    const texts = fitEncoder(
      read(`cap,odor,y\n${rows.map((_, i) => `${"ab"[i % 2]!},${"cd"[i % 2]!},${i}\n`).join("")}`)
        .table,
      "y",
      Int32Array.from(rows, (_, i) => i),
    );
    const result = read("Cap,Odor\na,d\nb,c\n", readingOf(texts));
    expect(names(result)).toEqual(["cap", "odor"]);
    expect(result.table.rowCount).toBe(2);
  });

  test("that fit exactly win, and two that fit alike are refused", () => {
    expect(names(read("body size,Body Size,region\n1,2,EU\n", model))).toEqual([
      "body size",
      "Body Size",
      "region",
    ]);
    expect(() => read("body size,BodySize,region\n1,2,EU\n", model)).toThrow(
      'new.csv: "body size", "BodySize" differ from the model\'s column "Body Size" only in case or blanks; write one of them as the model does.',
    );
  });

  test("that stand above more than one column are said", () => {
    const { remarks } = read("Body Size,region,region\n1.5,EU,AS\n", model);
    expect(remarks).toContain(
      'A name stands above more than one column: "region" of column 3 is called "region_2".',
    );
  });

  test("that are not there: the sentence names --no-header, and that takes the model's order", () => {
    expect(() => read("1.5,EU\n2.5,AS\n", model)).toThrow(
      'new.csv: there is no header with the columns "Body Size", "region" that the model needs; add a line with their names, or, if the first line is data, and the columns are these in this order, say so with --no-header.',
    );
    const result = read("1.5,EU\n2.5,AS\n", { ...model, header: false });
    expect(names(result)).toEqual(["Body Size", "region"]);
    expect(result.remarks).toContain(
      'The columns are taken in the model\'s order, "Body Size", "region".',
    );
    expect(() => read("1.5,EU,7\n2.5,AS,8\n", { ...model, header: false })).toThrow(
      /--no-header does not help, because the file has 3 columns and the model needs 2\.$/,
    );
    expect(() => read("length,area\n1.5,EU\n", model)).toThrow(
      /the first line, "length", "area", has none of the columns/,
    );
  });

  test("a column without a cell is named", () => {
    expect(read("Body Size,region\n,EU\n,AS\n", model).remarks).toContain(
      'Column "Body Size" holds nothing but missing cells, and the model uses it: every row is predicted as one whose cell is missing.',
    );
  });
});

describe("columns that are nearly numbers or dates", () => {
  const note = (cells: readonly string[]): string =>
    read(`x,y\n${cells.map((cell) => `${cell},1\n`).join("")}`).remarks.join("\n");
  const others = ["one", "two", "three", "four"];

  test("name the cells that hinder, with their lines", () => {
    const numbers = Array.from({ length: 40 }, (_, i) => `${i} kg`);
    expect(note([...numbers, ...others])).toContain(
      'Column "x" is categorical because 4 of 44 cells are not numbers, "one" on line 42, "two" on line 43, "three" on line 44, and 1 other text; correct them, or add such words to the missing ones (--missing) if that is what they mean.',
    );
    const dates = Array.from(
      { length: 40 },
      (_, i) => `2023-01-${String(1 + (i % 28)).padStart(2, "0")}`,
    );
    expect(note([...dates, ...others])).toContain(
      'Column "x" is categorical because 4 of 44 cells are not dates, "one" on line 42,',
    );
  });

  test("name units that differ, and leave text alone", () => {
    expect(note(["5 kg", "300 g", "7 kg"])).toContain(
      'Column "x" is categorical because its units differ, "kg" and "g"; write them alike to have numbers.',
    );
    expect(note(["5", "6", ...others])).not.toContain("are not numbers");
  });
});
