// A table, written in any dialect, locale and encoding, is read back as the same cells.
import { fc, test as property } from "@fast-check/vitest";
import { expect } from "vitest";
import type { DateOrder, Decimal, Thousands } from "../cells/cell-format.ts";
import { fitEncoder, readingOf } from "../encoder.ts";
import { parseTable } from "./read-table.ts";
import type { Column, Table } from "../table.ts";

/** How a table is written. */
interface Dialect {
  delimiter: string;
  decimal: Decimal;
  thousands: Thousands | "";
  unit: "" | " €" | "%" | " kg";
  order: DateOrder;
  encoding: "utf8" | "utf8-mark" | "utf16le" | "utf16le-mark" | "utf16be" | "windows-1252";
  lineEnd: "\n" | "\r\n" | "\r";
  titles: readonly string[];
  quoteAll: boolean;
  padding: number;
  emptyColumns: number;
}

const dialect: fc.Arbitrary<Dialect> = fc
  .record<Dialect>({
    delimiter: fc.constantFrom(",", ";", "\t", "|"),
    decimal: fc.constantFrom(".", ","),
    thousands: fc.constantFrom("", ",", ".", " ", "'"),
    unit: fc.constantFrom("", " €", "%", " kg"),
    order: fc.constantFrom("ymd", "dmy", "mdy"),
    encoding: fc.constantFrom(
      "utf8",
      "utf8-mark",
      "utf16le",
      "utf16le-mark",
      "utf16be",
      "windows-1252",
    ),
    lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
    titles: fc.constantFrom([], ["Größen"], ["Bericht", "von Anna"]),
    quoteAll: fc.boolean(),
    padding: fc.integer({ min: 0, max: 3 }),
    emptyColumns: fc.integer({ min: 0, max: 2 }),
  })
  .filter(({ decimal, thousands }) => decimal !== thousands);

/** Days since 1970, one of them late in a month, so that day and month cannot be swapped. */
const days = fc.array(fc.integer({ min: 0, max: 25_000 }), { minLength: 6, maxLength: 20 });

interface Cells {
  amount: number[];
  day: number[];
  kind: string[];
}

const cells: fc.Arbitrary<Cells> = days.chain((day) =>
  fc.record<Cells>({
    day: fc.constant([18_261 + 27, ...day]),
    amount: fc
      .array(fc.integer({ min: -9_999_999, max: 9_999_999 }), {
        minLength: day.length,
        maxLength: day.length,
      })
      // One with two decimals, which no group of thousands is.
      .map((values) => [123_456_789, ...values].map((value) => value / 100)),
    kind: fc.array(fc.constantFrom("rot", "grün", "très bon", "NA", "none"), {
      minLength: day.length + 1,
      maxLength: day.length + 1,
    }),
  }),
);

const two = (value: number): string => String(value).padStart(2, "0");

function amountText(value: number, { decimal, thousands, unit }: Dialect): string {
  const [whole, fraction] = Math.abs(value).toFixed(2).split(".");
  const grouped = whole!.replaceAll(/\B(?=(\d{3})+$)/g, thousands);
  return `${value < 0 ? "-" : ""}${grouped}${decimal}${fraction!}${unit}`;
}

function dayText(value: number, order: DateOrder): string {
  const date = new Date(value * 86_400_000);
  const [y, m, d] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  if (order === "ymd") return `${y}-${two(m)}-${two(d)}`;
  return order === "dmy" ? `${two(d)}.${two(m)}.${y}` : `${m}/${d}/${y}`;
}

function write({ amount, day, kind }: Cells, how: Dialect): Uint8Array {
  const { delimiter, quoteAll, padding } = how;
  const cell = (text: string): string => {
    const isBound = quoteAll || text.includes(delimiter) || text.includes('"');
    const written = isBound ? `"${text.replaceAll('"', '""')}"` : text;
    return delimiter === "\t" ? written : " ".repeat(padding) + written + " ".repeat(padding);
  };
  const empty = delimiter.repeat(how.emptyColumns);
  const line = (texts: readonly string[]): string => texts.map(cell).join(delimiter) + empty;
  const lines = [
    ...how.titles,
    line(["Größe", "Tag", "Art"]),
    ...amount.map((value, i) =>
      line([amountText(value, how), dayText(day[i]!, how.order), kind[i]!]),
    ),
  ];
  const text = lines.map((one) => one + how.lineEnd).join("");
  switch (how.encoding) {
    case "utf8":
      return Buffer.from(text);
    case "utf8-mark":
      return Buffer.from(`\ufeff${text}`);
    case "utf16le":
      return Buffer.from(text, "utf16le");
    case "utf16le-mark":
      return Buffer.from(`\ufeff${text}`, "utf16le");
    case "utf16be":
      return Buffer.from(text, "utf16le").swap16();
    case "windows-1252":
      return Buffer.from(text.replaceAll("€", "\u0080"), "latin1");
  }
}

function columnsOf(table: Table): Record<string, (number | string)[]> {
  return Object.fromEntries(table.columns.map((column) => [column.name, valuesOf(column)]));
}

function valuesOf(column: Column): (number | string)[] {
  return column.kind === "numeric"
    ? [...column.values]
    : Array.from(column.codes, (code) => column.levels[code]!);
}

property.prop([cells, dialect], { numRuns: 400 })("what was written is read", (table, how) => {
  const { table: read } = parseTable(write(table, how), "data.csv", { expectedNames: ["Art"] });
  expect(columnsOf(read)).toEqual({ Größe: table.amount, Tag: table.day, Art: table.kind });
});

property.prop([cells, dialect, dialect, fc.nat()], { numRuns: 200 })(
  "a new file of one row is read as a model's training file was, in another dialect too",
  (table, how, other, place) => {
    const { table: trained } = parseTable(write(table, how), "data.csv", {
      expectedNames: ["Art"],
    });
    const rows = Int32Array.from(table.day, (_, row) => row);
    const encoder = fitEncoder(trained, "Art", rows);
    const at = place % table.day.length;
    const row: Cells = {
      amount: [table.amount[at]!],
      day: [table.day[at]!],
      kind: [table.kind[at]!],
    };
    // The same locale, as it was learned; encoding and layout are free.
    const { decimal, thousands, unit, order } = how;
    const written = write(row, { ...other, titles: [], decimal, thousands, unit, order });
    const { table: read } = parseTable(written, "new.csv", readingOf(encoder));
    const { Größe: amount, Tag: day } = columnsOf(read);
    if (encoder.inputs.some(({ name }) => name === "Größe")) expect(amount).toEqual(row.amount);
    if (encoder.inputs.some(({ name }) => name === "Tag")) expect(day).toEqual(row.day);
  },
);
