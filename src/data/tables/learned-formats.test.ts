// How dates and numbers are written is decided in training; what a new file leaves open beyond that is refused.
import { describe, expect, test } from "vitest";
import { fitEncoder, readingOf } from "./encoder.ts";
import type { ReadTableOptions } from "./reading/options.ts";
import { parseTable, type ReadTableResult } from "./reading/read-table.ts";

const read = (text: string, options?: ReadTableOptions): ReadTableResult =>
  parseTable(new TextEncoder().encode(text), "new.csv", options);

/** A model of the column x, kept as JSON. */
function learn(cells: readonly string[], options?: ReadTableOptions): ReadTableOptions {
  const rows = cells.map((cell, i) => `"${cell}",${i}.5\n`).join("");
  const { table } = read(`x,y\n${rows}`, options);
  const encoder = fitEncoder(
    table,
    "y",
    Int32Array.from(cells, (_, i) => i),
  );
  return readingOf(JSON.parse(JSON.stringify(encoder)) as typeof encoder);
}

function firstOf(text: string, options: ReadTableOptions): { value: number; said: string } {
  const { table, remarks } = read(text, options);
  const column = table.columns[0]!;
  return {
    value: column.kind === "numeric" ? column.values[0]! : NaN,
    said: remarks.join("\n"),
  };
}

const day = (text: string): number => Date.parse(`${text}T00:00Z`) / 86_400_000;

const iso = ["2023-01-01", "2023-01-02", "2023-02-03"];
const named = ["1 Jan 2023", "2 Jan 2023", "3 Feb 2023"];
const dmy = ["25/12/2023", "1/2/2024", "2/2/2024"];
const mdy = ["12/25/2023", "1/2/2024", "2/2/2024"];
const open = ["1/2/2023", "3/4/2023", "5/6/2023"];

describe("dates", () => {
  test.each([
    ["ISO dates", iso],
    ["names of months", named],
  ])("%s do not show what 3/4/2024 means: refused with the option", (_, cells) => {
    const model = learn(cells);
    expect(() => read("x,z\n3/4/2024,0\n", model)).toThrow(
      'new.csv, line 2, column "x": "3/4/2024" is a date whose day and month can be swapped, and the training file does not show which; --date dmy or --date mdy says how it is meant.',
    );
    expect(firstOf("x,z\n3/4/2024,0\n", { ...model, dates: "dmy" }).value).toBe(day("2024-04-03"));
    expect(firstOf("x,z\n3/4/2024,0\n", { ...model, dates: "mdy" }).value).toBe(day("2024-03-04"));
    // Points are written day first, and 25 is no month.
    expect(firstOf("x,z\n03.04.2024,0\n", model).value).toBe(day("2024-04-03"));
    expect(firstOf("x,z\n3/25/2024,0\n", model).value).toBe(day("2024-03-25"));
  });

  test("another column of the new file may show it, which is said", () => {
    const model = learn(iso);
    const { value, said } = firstOf("x,z\n3/4/2024,25/12/2024\n", model);
    expect(value).toBe(day("2024-04-03"));
    expect(said).toContain('"x": dates, day first, assumed');
  });

  test("the order of training is kept, and a file that shows another is named", () => {
    expect(firstOf("x,z\n3/4/2024,0\n", learn(dmy)).value).toBe(day("2024-04-03"));
    expect(firstOf("x,z\n3/4/2024,0\n", learn(mdy)).value).toBe(day("2024-03-04"));
    const clear = firstOf("x,z\n25/4/2024,0\n", learn(mdy));
    expect(clear.value).toBe(day("2024-04-25"));
    expect(clear.said).toContain(
      'Column "x": dates have the day first here and had the month first in training.',
    );
    expect(firstOf("x,z\n25/4/2024,0\n", learn(open)).said).toContain(
      "as was assumed there; if that was wrong, tune again with --date dmy.",
    );
    expect(() => read("x,z\n03.04.2024,0\n", learn(mdy))).toThrow(/--date dmy or --date mdy says/);
  });

  test("ISO dates do not show that 03-04-24 begins with the year", () => {
    expect(() => read("x,z\n03-04-24,0\n", learn(iso))).toThrow(/--date ymd or --date dmy or/);
  });

  test("an order that the dates rule out is refused", () => {
    expect(() => read("x,y\n12/31/2024,1\n1/2/2024,2\n", { dates: "dmy" })).toThrow(
      'new.csv, line 2, column "x": "12/31/2024" is no date of the order dmy, as --date says; give each column its own order, as in --date day=mdy.',
    );
    expect(firstOf("x,y\n2024-12-31,1\n", { dates: "dmy" }).value).toBe(day("2024-12-31"));
  });

  test.each<[what: string, cells: string[], options: ReadTableOptions, first: string]>([
    ["as in spreadsheets", ["03.04.24", "17.07.68"], {}, "2024-04-03"],
    ["beyond 1968", ["4/7/68", "4/30/72"], {}, "1968-04-07"],
    ["as given", ["03.04.24", "17.07.68"], { dates: "dmy@1920" }, "1924-04-03"],
    ["with names of months", ["3-Apr-24", "17-Jul-68"], {}, "2024-04-03"],
    ["births that go on from 29 to 30", births(), {}, "1925-01-15"],
  ])("two-digit years are announced and kept: %s", (_, cells, options, first) => {
    const rows = cells.map((cell) => `${cell};1\n`).join("");
    const { value, said } = firstOf(`x;y\n${rows}`, options);
    expect(value).toBe(day(first));
    const from = options.dates === undefined ? (first === "1925-01-15" ? 1925 : 1930) : 1920;
    expect(said).toContain(`years of two digits are those from ${from} to ${from + 99}`);
    expect(said.includes("assumed")).toBe(options.dates === undefined);
    const model = learn(cells, options);
    expect(firstOf(`x;z\n${cells[0]!};0\n`, model).value).toBe(day(first));
  });

  test("two-digit years of every year are text, and the option is named", () => {
    const cells = Array.from({ length: 100 }, (_, i) => `15.01.${String(i).padStart(2, "0")}`);
    const rows = cells.map((cell) => `${cell},1\n`).join("");
    const { table, notes } = read(`x,y\n${rows}`);
    expect(table.columns[0]!.kind).toBe("categorical");
    expect(notes.join("\n")).toContain("--date dmy@1930 takes them as years from 1930 to 2029");
    expect(firstOf(`x,y\n${rows}`, { dates: "dmy@1930" }).value).toBe(day("2000-01-15"));
  });
});

function births(): string[] {
  return Array.from({ length: 75 }, (_, i) => `15.01.${25 + i}`);
}

describe("decimal signs", () => {
  test("whole numbers do not show what 1,234 and 1.234 mean: refused with the option", () => {
    const model = learn(["1", "12", "345"]);
    expect(() => read("x;z\n1,234;0\n", model)).toThrow(
      'new.csv, line 2, column "x": "1,234" can be read with either decimal sign, and the training file does not show which; --decimal , or --decimal . says how it is meant.',
    );
    expect(() => read("x;z\n1.234;0\n", model)).toThrow(/--decimal , or --decimal \./);
    expect(firstOf("x;z\n1,234;0\n", { ...model, decimal: "." }).value).toBe(1234);
    expect(firstOf("x;z\n1,234;0\n", { ...model, decimal: "," }).value).toBe(1.234);
    const other = firstOf("x;z\n1,234;0,5\n", model);
    expect(other.value).toBe(1.234);
    expect(other.said).toContain('"x": decimal commas, assumed');
  });

  test("decimal points of training: 1.234 is kept, 1,234 is refused unless commas grouped there", () => {
    const point = learn(["1.5", "2.25", "3"]);
    expect(firstOf("x;z\n1.234;0\n", point).value).toBe(1.234);
    expect(() => read("x;z\n1,234;0\n", point)).toThrow(/the training file has no such numbers/);
    expect(firstOf("x;z\n1,234;0.5\n", point).value).toBe(1234);
    expect(firstOf("x;z\n0,5;0\n", point)).toMatchObject({
      value: 0.5,
      said: expect.stringContaining('"x": decimal commas.') as string,
    });
    const grouped = learn(["1,234.5", "2.25", "3"]);
    expect(firstOf("x;z\n1,234;0\n", grouped).value).toBe(1234);
  });

  test("a file whose other columns are written otherwise is refused where a column is open", () => {
    const point = learn(["1.5", "2.25", "3"]);
    expect(() => read("x;z\n1.234;0,5\n", { ...point })).not.toThrow();
    const both = fitEncoder(
      read("x;z;y\n1.5;2.5;1\n2.5;3.5;2\n3.5;1.5;3\n").table,
      "y",
      Int32Array.of(0, 1, 2),
    );
    expect(() => read("x;z\n1.234;0,5\n", readingOf(both))).toThrow(
      /other columns are not written as in the training file; --decimal/,
    );
  });

  test("points and commas that may each be the decimal sign contradict each other", () => {
    const text = 'x,y\n1.234,1\n"1,234",2\n';
    expect(() => read(text)).toThrow(
      'new.csv, line 3, column "x": "1,234" has a comma where other cells of the column have a point, and either may be the decimal sign; write them alike, or say which it is (--decimal).',
    );
    expect(firstOf(text, { decimal: "." }).value).toBe(1.234);
    expect(firstOf(text, { decimal: "," }).value).toBe(1234);
    const german = learn(["1.234,5", "2,25", "3"]);
    expect(firstOf("x;z\n1.234;0\n1,234;0\n", german).value).toBe(1234);
  });
});

describe("minus signs behind the numbers", () => {
  test("are read where the column is clear, said, and kept", () => {
    const { value, said } = firstOf("x;y\n123.45-;1\n7.50;2\n1,200.00-;3\n", {});
    expect(value).toBe(-123.45);
    expect(said).toContain("minus signs behind the numbers (5- is -5)");
    expect(firstOf("x;z\n3.00-;0\n", learn(["123.45-", "7.50", "8.25"])).value).toBe(-3);
  });

  test.each([
    ["grades", ["1", "1-", "2", "2-", "3"]],
    ["open ranges", ["65-", "70-", "80-"]],
    ["beside signs before numbers", ["-5.5", "6.5-", "7.5"]],
  ])("%s stay text", (_, cells) => {
    const { table } = read(`x,y\n${cells.map((cell) => `${cell},1\n`).join("")}`);
    expect(table.columns[0]!.kind).toBe("categorical");
  });
});
