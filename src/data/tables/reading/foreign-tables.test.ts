// Tables as people have them: written by spreadsheets of other countries, with placeholders, dates and titles.
import { describe, expect, test } from "vitest";
import { parseTable, type ReadTableResult } from "./read-table.ts";
import type { ReadTableOptions } from "./options.ts";
import { DataError } from "../../data-error.ts";
import type { Column } from "../table.ts";

function read(text: string, options?: ReadTableOptions): ReadTableResult {
  return parseTable(new TextEncoder().encode(text), "data.csv", options);
}

function cellsOf(column: Column): (number | string | null)[] {
  return column.kind === "numeric"
    ? Array.from(column.values, (value) => (Number.isNaN(value) ? null : value))
    : Array.from(column.codes, (code) => (code < 0 ? null : column.levels[code]!));
}

/** One column of cells beside a column of plain numbers. */
function readColumn(
  cells: readonly string[],
  options: ReadTableOptions & { delimiter?: string } = {},
): { cells: (number | string | null)[]; column: Column; notes: string[] } {
  const { delimiter = "\t" } = options;
  const quoted = cells.map((cell) => `"${cell}"${delimiter}0.5\n`);
  const { table, notes } = read(`x${delimiter}y\n${quoted.join("")}`, options);
  const column = table.columns[0]!;
  return { cells: cellsOf(column), column, notes };
}

const error = (run: () => unknown): string => {
  try {
    run();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DataError);
    return (thrown as DataError).message;
  }
  return "nothing was thrown";
};

describe("numbers", () => {
  test.each<[what: string, cells: string[], numbers: number[]]>([
    ["decimal commas", ["52,5", "117,0", "-3", ",5", "1,5e-3"], [52.5, 117, -3, 0.5, 0.0015]],
    ["points and decimal commas", ["1.234,5", "12", "-1.234.567"], [1234.5, 12, -1234567]],
    ["commas and points", ["1,234.5", "12", "1,234,567"], [1234.5, 12, 1234567]],
    ["blanks", ["1 234,5", "12\u00a0345", "1\u202f234\u202f567"], [1234.5, 12345, 1234567]],
    ["apostrophes", ["1'234.50", "12\u2019345", "7"], [1234.5, 12345, 7]],
    ["lakhs", ["12,34,567", "1,00,000.5", "5"], [1234567, 100000.5, 5]],
    ["groups without a fraction", ["1,234", "950", "12,345"], [1234, 950, 12345]],
    ["three digits after a zero", ["0,123", "0,456", "12,5"], [0.123, 0.456, 12.5]],
    ["currencies", ["$1,200.50", "-$3", "$ 7"], [1200.5, -3, 7]],
    ["euros", ["1.200,50 €", "3,00 €", "7 €"], [1200.5, 3, 7]],
    ["codes of currencies", ["EUR 5.5", "EUR 6", "7"], [5.5, 6, 7]],
    ["percent signs", ["45%", "7.5 %", "-3%"], [45, 7.5, -3]],
    ["units", ["12 kg", "13.5 kg", "7kg"], [12, 13.5, 7]],
    ["units with signs", ["5.5 °C", "-3 °C", "\u22127 °C"], [5.5, -3, -7]],
    ["parentheses", ["(1,234.50)", "12.00", "(3)"], [-1234.5, 12, -3]],
    ["padding", ["  1.5 ", "   22", "-3   "], [1.5, 22, -3]],
    ["exponents", ["1E5", "2.5e-3", "1e+2"], [1e5, 0.0025, 100]],
  ])("%s", (_, cells, numbers) => {
    expect(readColumn(cells).cells).toEqual(numbers);
  });

  test.each<[what: string, cells: string[]]>([
    ["codes with zeros at the front", ["01", "02", "10"]],
    ["postal codes", ["01067", "80331", "99099"]],
    ["versions", ["1.2.3", "1.10.0", "2.0.1"]],
    ["addresses", ["10.0.0.1", "192.168.1.20", "8.8.8.8"]],
    ["times", ["12:30", "7:05", "23:59"]],
    ["ranges", ["10-20", "20-30", "30-40"]],
    ["telephone numbers", ["612 345 678", "655 100 200", "699 000 111"]],
    ["telephone numbers with a plus", ["+49 170 123", "+43 660 456", "+41 790 789"]],
    ["hexadecimal", ["0x1f", "0x20", "0xff"]],
    ["seats", ["12A", "14A", "9A"]],
    ["lists", ["1,2,3", "4,5", "6"]],
    ["different units", ["5 kg", "3 lb", "7 kg"]],
    ["percent signs on some", ["5%", "0.05", "7%"]],
    ["numbers of parts", ["12-05-11", "13-06-12", "14-07-13"]],
    ["house numbers", ["12", "14a", "15b", "16c", "17d", "18"]],
    ["booleans", ["true", "false", "true"]],
  ])("%s stay text", (_, cells) => {
    expect(readColumn(cells).cells).toEqual(cells);
  });

  test("what a comma means is decided by the rest of the file, and said", () => {
    const point = 'x,y\n"1,234",0.5\n"2,345",1.5\n';
    const comma = "x;y\n1,234;0,5\n2,345;1,5\n";
    expect(cellsOf(read(point).table.columns[0]!)).toEqual([1234, 2345]);
    expect(cellsOf(read(comma).table.columns[0]!)).toEqual([1.234, 2.345]);
    expect(read(point).notes).toContain(
      '"x": commas between thousands, assumed, because the cells allow another reading too; --decimal sets it.',
    );
    expect(cellsOf(read(point, { decimal: "," }).table.columns[0]!)).toEqual([1.234, 2.345]);
    expect(cellsOf(read(comma, { decimal: "." }).table.columns[0]!)).toEqual([1234, 2345]);
  });

  test("points of a file with decimal commas group thousands", () => {
    const text = "x;y\n1.234;0,5\n2.345;1,5\n";
    expect(cellsOf(read(text).table.columns[0]!)).toEqual([1234, 2345]);
    expect(cellsOf(read(text, { decimal: "." }).table.columns[0]!)).toEqual([1.234, 2.345]);
    const open = "x;y\n1.234;5\n2.345;6\n";
    expect(cellsOf(read(open).table.columns[0]!)).toEqual([1.234, 2.345]);
    expect(cellsOf(read(open, { decimal: "," }).table.columns[0]!)).toEqual([1234, 2345]);
    expect(read(open).notes.join(" ")).toContain("--decimal , reads them so");
  });

  test("two decimal signs in one column are one sentence", () => {
    expect(error(() => readColumn(["1.5", "2,5", "3"]))).toBe(
      'data.csv, line 3, column "x": "2,5" has a decimal comma, and "1.5" in the same column a decimal point; write them alike, or read the column as text (--categorical).',
    );
    const types = { x: "categorical" } as const;
    expect(readColumn(["1.5", "2,5", "3"], { types }).cells).toEqual(["1.5", "2,5", "3"]);
  });
});

describe("missing cells", () => {
  test.each(["#N/A", "-", "<0.5", "?", "n/a", "NULL", "unknown", "..", "#DIV/0!", "> 99"])(
    "%s among numbers, counted and named",
    (word) => {
      const numbers = Array.from({ length: 20 }, (_, i) => `${i}.5`);
      const { cells, notes } = readColumn([...numbers, word]);
      expect(cells).toEqual([...numbers.map(Number), null]);
      expect(notes.join("\n")).toContain('Missing cells: "x" 1.');
      if (!["?", "n/a", "NULL"].includes(word)) {
        expect(notes.join("\n")).toContain(`taken as missing in "x" 1 ("${word}")`);
      }
    },
  );

  test("the same words are levels in a column of text", () => {
    const cells = ["None", "Mild", "NA", "null", "?", "-", "true", "N/A"];
    expect(readColumn(cells).cells).toEqual(cells);
  });

  test("given words are missing in every column", () => {
    const { table } = read("x,y\n-999,NA\n5,b\n,c\n", { missing: ["-999", "na"] });
    expect(table.columns.map(cellsOf)).toEqual([
      [null, 5, null],
      [null, "b", "c"],
    ]);
  });

  test("codes with a word are text, unless the word is rare", () => {
    const codes = ["1", "2", "3", "late", "1", "late"];
    expect(readColumn(codes).cells).toEqual(codes);
  });
});

describe("labels and levels as they are written", () => {
  test("three spellings of one are three", () => {
    const cells = ["1", "01", "001", "1", "01", "001"];
    expect(readColumn(cells).cells).toEqual(cells);
  });

  test.each([
    ["1.0", "2.0"],
    ["1E5", "2E5"],
    ["9007199254740992", "9007199254740993"],
    ["1,0", "2,5"],
    ["5 kg", "6 kg"],
  ])("numbers remember %s and %s", (...levels) => {
    const { column } = readColumn([...levels, ...levels]);
    expect(column).toMatchObject({ kind: "numeric", written: { levels } });
  });

  test("variants of a label are pointed out", () => {
    expect(readColumn(["Yes", "yes ", "YES", "no"]).notes.join("\n")).toContain(
      'Column "x": "Yes", "yes", "YES" differ only in case, blanks or the way a number is written, and are kept apart',
    );
  });

  test("invisible characters are no part of a cell", () => {
    expect(readColumn(["\ufeffyes", "yes\u200b", "\u00a0yes", "no\u00ad"]).cells).toEqual([
      "yes",
      "yes",
      "yes",
      "no",
    ]);
    const { table } = read("\ufeff\ufeffa\u200b,\u00a0b\n1,2\n");
    expect(table.columns.map(({ name }) => name)).toEqual(["a", "b"]);
  });
});
