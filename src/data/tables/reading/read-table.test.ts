import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { parseTable } from "./read-table.ts";
import type { ReadTableOptions } from "./options.ts";
import { DataError } from "../../data-error.ts";
import type { Column, Table } from "../table.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(text: string, options?: ReadTableOptions): { table: Table; notes: string[] } {
  return parseTable(bytes(text), "data.csv", options);
}

/** Cells as a reader sees them: numbers, texts and null for missing. */
function cells({ columns }: Table): Record<string, (number | string | null)[]> {
  return Object.fromEntries(columns.map((column) => [column.name, cellsOf(column)]));
}

function cellsOf(column: Column): (number | string | null)[] {
  return column.kind === "numeric"
    ? Array.from(column.values, (value) => (Number.isNaN(value) ? null : value))
    : Array.from(column.codes, (code) => (code < 0 ? null : column.levels[code]!));
}

describe("how the file is written", () => {
  test("header, numbers, texts, missing cells", () => {
    const { table, notes } = read("age,job\n39,clerk\n?, NA \n-1.5e2,cook\n");
    expect(table.rowCount).toBe(3);
    expect(cells(table)).toEqual({ age: [39, null, -150], job: ["clerk", "NA", "cook"] });
    expect(notes).toEqual([
      "data.csv has 3 rows and 2 columns.",
      "The delimiter is a comma (detected).",
      "The first line names the columns (detected).",
      '1 column is numeric ("age"), 1 column is categorical ("job").',
      'Missing cells: "age" 1.',
      'Words that often mean a missing cell are kept as text in "job" ("NA"); --missing names those that are missing.',
    ]);
  });

  test("no header", () => {
    const { table, notes } = read("39, State-gov, <=50K\n50, Private, >50K\n38, Private, <=50K\n");
    expect(cells(table)).toEqual({
      c1: [39, 50, 38],
      c2: ["State-gov", "Private", "Private"],
      c3: ["<=50K", ">50K", "<=50K"],
    });
    expect(notes[2]).toBe("There is no header (detected), so the columns are called c1 to c3.");
  });

  test("a header over text columns only, and text without one", () => {
    const rows = "red,yes\nblue,no\nred,no\nblue,yes\nred,yes\n";
    expect(read(`colour,answer\n${rows}`).table.columns.map(({ name }) => name)).toEqual([
      "colour",
      "answer",
    ]);
    expect(read(rows).table.columns.map(({ name }) => name)).toEqual(["c1", "c2"]);
  });

  test("names that are expected tell a header from data", () => {
    const text = "answer,colour\nyes,red\nno,blue\n";
    expect(read(text).table.rowCount).toBe(3);
    expect(read(text, { expectedNames: ["answer"] }).table.rowCount).toBe(2);
    expect(read(text, { types: { colour: "categorical" } }).table.rowCount).toBe(2);
    // Names differ from one another: 2 is a name in the first line, a position where a cell comes twice.
    expect(read("1,2\n3,4\n", { expectedNames: ["2"] }).table.rowCount).toBe(1);
    expect(read("2,2\n3,4\n", { expectedNames: ["2"] }).table.rowCount).toBe(2);
    expect(read("2020,2021\n3,4\n", { expectedNames: ["2021"] }).table.rowCount).toBe(1);
  });

  test("header and delimiter can be forced", () => {
    expect(cells(read("1,2\n3,4\n", { header: true }).table)).toEqual({ 1: [3], 2: [4] });
    expect(cells(read("a,b\nc,d\n", { header: false }).table)).toEqual({
      c1: ["a", "c"],
      c2: ["b", "d"],
    });
    expect(cells(read("a:b\n1:2\n", { delimiter: ":" }).table)).toEqual({ a: [1], b: [2] });
    expect(() => read("a,b\n", { delimiter: ";;" })).toThrow(/a delimiter is one character/);
  });

  test.each([
    ["a comma", ","],
    ["a semicolon", ";"],
    ["a tab", "\t"],
    ["a vertical bar", "|"],
  ])("detects %s", (name, delimiter) => {
    const lines = [
      ["name", "note", "x"],
      ["Ann", '"a,b;c|d"', "1"],
      ["Bob", "plain", ""],
      ["Cy", "x y", "3"],
    ];
    const { table, notes } = read(lines.map((line) => line.join(delimiter)).join("\r\n"));
    expect(cells(table)).toEqual({
      name: ["Ann", "Bob", "Cy"],
      note: ["a,b;c|d", "plain", "x y"],
      x: [1, null, 3],
    });
    expect(notes[1]).toBe(`The delimiter is ${name} (detected).`);
  });

  test("tabs between empty cells stay delimiters", () => {
    expect(cells(read("a\tb\tc\n1\t\t3\n\t5\t\n").table)).toEqual({
      a: [1, null],
      b: [null, 5],
      c: [3, null],
    });
  });

  test("byte order mark, all line ends, blank lines, no last line end", () => {
    const { table } = read("\ufeffa,b\r\n1,2\n\n3,4\r5,6");
    expect(cells(table)).toEqual({ a: [1, 3, 5], b: [2, 4, 6] });
  });

  test("quotes, doubled quotes, line breaks and blanks in quotes", () => {
    const { table } = read('a,b\n"say ""hi""",1\n"two\nlines",2\n" x ", 3 \n');
    expect(cells(table)).toEqual({ a: ['say "hi"', "two\nlines", "x"], b: [1, 2, 3] });
  });

  test("an unnamed column takes its place as a name", () => {
    expect(Object.keys(cells(read(",x\n0,1.5\n1,2.5\n").table))).toEqual(["c1", "x"]);
  });
});

describe("types", () => {
  test("words for missing cells, in any case, and configured ones", () => {
    const words = ["", "?", "na", "N/a", "NAN", "Null", "none"];
    const { table } = read(`x,y\n${words.map((word) => `${word},1\n`).join("")}7,1\n`);
    expect(cells(table).x).toEqual([...words.map(() => null), 7]);
    expect(cells(read("x,y\n-999,NA\n5,b\n", { missing: ["-999"] }).table)).toEqual({
      x: [null, 5],
      y: ["NA", "b"],
    });
  });

  test("codes in hexadecimal and the like are text, decimal forms are numbers", () => {
    expect(cells(read("a,b\n0x1f,+.5\n0b1,1.\n0e5,1E-3\n").table)).toEqual({
      a: ["0x1f", "0b1", "0e5"],
      b: [0.5, 1, 0.001],
    });
  });

  test("text far below the sample makes the column categorical, numbers as written", () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i}.0,${i}`).join("\n");
    const { table, notes } = read(`a,b\n${rows}\nlate,300\nA 1,301\nB 2,302\nC 3,303\n`);
    expect(cells(table).a!.slice(-5, -3)).toEqual(["299.0", "late"]);
    expect(table.columns[1]!.kind).toBe("numeric");
    expect(notes.at(-1)).toBe(
      'Column "a" is categorical because 4 of 304 cells are not numbers, "late" on line 302, "A 1" on line 303, "B 2" on line 304, and 1 other text; correct them, or add such words to the missing ones (--missing) if that is what they mean.',
    );
  });

  test("one word among many numbers stands for a missing one, far below the sample too", () => {
    const rows = Array.from({ length: 300 }, (_, i) => `${i}.0,${i}`).join("\n");
    const { table, notes } = read(`a,b\n${rows}\nlate,300\n`);
    expect(cells(table).a!.slice(-2)).toEqual([299, null]);
    expect(notes).toContain(
      'Cells that are no numbers are taken as missing in "a" 1 ("late"); --categorical reads such a column as text.',
    );
  });

  test("whole numbers with few values stay numeric, with a note", () => {
    const { table, notes } = read("zone,x\n1,0.5\n2,1.5\n3,2.5\n");
    expect(table.columns[0]!.kind).toBe("numeric");
    expect(notes.at(-1)).toBe(
      '"zone": whole numbers with at most 10 values are kept numeric; if they are codes, read them as categorical (--categorical).',
    );
  });

  test("types can be given, by record or by function", () => {
    const text = "zip,x\n007,1\n070,2\n";
    const byRecord = read(text, { types: { zip: "categorical" } });
    expect(cells(byRecord.table).zip).toEqual(["007", "070"]);
    expect(byRecord.notes).toContain('The types of "zip" were given, not inferred.');
    const byFunction = read(text, {
      types: (name) => (name === "zip" ? "categorical" : undefined),
    });
    expect(byFunction.table).toEqual(byRecord.table);
  });

  test("an empty column is kept, and named in a note", () => {
    const { table, notes } = read("a,b\n1,\n2,?\n");
    expect(cells(table)).toEqual({ a: [1, 2], b: [null, null] });
    expect(notes.at(-1)).toBe('Column "b" holds nothing but missing cells and will not be used.');
  });
});

describe("bad input is one sentence", () => {
  const error = (text: string | Uint8Array, options?: ReadTableOptions): string => {
    try {
      parseTable(typeof text === "string" ? bytes(text) : text, "data.csv", options);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(DataError);
      return (thrown as DataError).message;
    }
    return "nothing was thrown";
  };

  test.each<[name: string, text: string, message: string]>([
    ["empty", "", "data.csv: the file is empty; give a CSV file with at least two columns."],
    [
      "blank",
      "\ufeff \n\n",
      "data.csv: the file is empty; give a CSV file with at least two columns.",
    ],
    [
      "header only",
      "a,b\n",
      "data.csv: the file has a header but no rows; add rows, or say that there is no header (--no-header).",
    ],
    [
      "too many cells",
      "a,b\n1,2\n\n3,4,5\n",
      'data.csv, line 4: 3 cells where 2 cells are expected; put quotes around cells that hold a ",", remove what is too much, or leave such rows out (--drop-ragged).',
    ],
    [
      "too few cells, after line breaks in quotes",
      'a,b\r\n"x\r\ny",2\r\n3\r\n"z",1\r\n',
      "data.csv, line 4: 1 cell where 2 cells are expected; complete the line, or leave such rows out (--drop-ragged).",
    ],
    [
      "a header of another width",
      "a\n1,2\n3,4\n",
      "data.csv, line 1: the header has 1 name above rows of 2 cells; complete it, or skip the lines above the table (--skip).",
    ],
    [
      "infinite values",
      "a,b\n1,x\n-inf,y\n",
      'data.csv, line 3, column "a": "-inf" is infinite, and the column would be numeric without it; take such cells as missing (--missing), or read the column as text (--categorical).',
    ],
    [
      "a quote that is never closed",
      'a,b\n1,"x"\n2,"y\n3,z\n',
      "data.csv, line 3: the quote that opens here is never closed; close it, or double it if it belongs to the cell.",
    ],
    [
      "text after a closing quote",
      'a,b\n1,"x\ny"z\n',
      "data.csv, line 3: text follows the closing quote of the cell that opens on line 2; put the delimiter after the quote, or double the quotes inside the cell.",
    ],
    [
      "only missing cells",
      "a,b\n?,\n,NA\n",
      "data.csv: every cell is missing; check the delimiter (--delimiter) and the words for missing cells (--missing).",
    ],
    [
      "a NUL byte",
      "a,b\n1,\0\n",
      "data.csv, line 2: a NUL byte at offset 6 says that this is a binary file, not CSV text; export the data as CSV in UTF-8, or name the encoding (--encoding).",
    ],
  ])("%s", (_, text, message) => {
    expect(error(text)).toBe(message);
  });

  test("mixed text with separators is text, not an error", () => {
    const text = 'a,b\n1,"1,234"\n2,about six\n';
    expect(cells(read(text).table).b).toEqual(["1,234", "about six"]);
  });

  test("a separator is no error in a column that is given as categorical", () => {
    expect(cells(read('a,b\n1,"1,234"\n', { types: { b: "categorical" } }).table).b).toEqual([
      "1,234",
    ]);
  });

  test("a huge cell", () => {
    expect(error(`a,b\n1,x\n2,${"y".repeat(1_000_001)}\n`)).toBe(
      'data.csv, line 3, column "b": a cell of 1000001 characters is too long (limit 1000000); look for a quote that is not closed, or remove the column.',
    );
    expect(read(`a,b\n2,${"y".repeat(1_000_000)}\n`).table.rowCount).toBe(1);
  });

  test.each<[name: string, prefix: string, invalid: number[]]>([
    ["Greek in ISO 8859-7", "a,b\n1,", [0xe1, 0xeb, 0xf6, 0xe1, 0x0a]],
    ["a lone continuation", "a,b\n1,é", [0x80]],
    ["an overlong form", "a,b\n1,", [0xc0, 0xaf]],
    ["a surrogate", "a,b\n1,", [0xed, 0xa0, 0x80]],
    ["a cut sequence", "a,b\n1,€", [0xe2, 0x82]],
  ])("not UTF-8: %s", (_, prefix, invalid) => {
    const start = bytes(prefix);
    const hex = invalid[0]!.toString(16);
    expect(error(Uint8Array.from([...start, ...invalid]))).toBe(
      `data.csv, line 2: byte 0x${hex} at offset ${start.length} is not UTF-8, and what else it is is not clear; name the encoding (--encoding), such as windows-1252.`,
    );
  });

  test("offsets count the byte order mark", () => {
    expect(error(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61, 0xff]))).toContain(
      "byte 0xff at offset 4 ",
    );
  });

  test("a wrong type", () => {
    expect(error("age,b\n1,x\ntwo,y\n", { types: { age: "numeric" } })).toBe(
      'data.csv, line 3, column "age": "two" is not a number, and the column must be numeric; correct the cell, add the word to the missing ones (--missing), or read the column as text (--categorical).',
    );
    expect(error("age,b\n1,x\n", { types: { agee: "numeric" } })).toBe(
      'data.csv: there is no column "agee"; perhaps "age" is meant.',
    );
    expect(error("age,b\n1,x\n", { types: { age: "text" as "numeric" } })).toBe(
      'data.csv: column "age" can be read as numeric or categorical, not as "text"; use one of the two.',
    );
  });
});

const scrap = fc.string({
  unit: fc.constantFrom("a", "1", ",", ";", '"', "\n", "\r", " ", "\t", "|", "?", "é", "-", "."),
  maxLength: 40,
});

property.prop([scrap, fc.option(fc.boolean(), { nil: undefined })], { numRuns: 1000 })(
  "any text is a table with as many cells in each column, or a DataError",
  (text, header) => {
    let columns: readonly Column[] = [];
    try {
      const { table } = read(text, { header });
      expect(table.rowCount).toBeGreaterThan(0);
      columns = table.columns;
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
      for (const column of columns) expect(cellsOf(column)).toHaveLength(table.rowCount);
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      expect((error as DataError).message).toMatch(/^data\.csv[,:] [^\n]+; [^\n]+\.$/);
    }
  },
);
