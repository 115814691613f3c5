/** Tables to CSV text (RFC 4180, but lines end in \n). */
import { checkTable } from "../check-given.ts";
import { checkOptions } from "../../program/internal.ts";
import type { Column, Table } from "./table.ts";

/**
 * The table as CSV with a header. Missing cells are empty, numbers are the shortest decimals that read
 * back as the same number, and a cell is quoted only where it must be. Reading the text gives the same
 * table again, unless a level looks like a missing cell or has blanks at its ends.
 *
 * @param options.delimiter - one character; default a comma.
 */
export function formatTable(table: Table, options: { delimiter?: string } = {}): string {
  checkTable("formatTable", table);
  checkOptions("formatTable", options, { delimiter: "string" });
  const { delimiter = "," } = options;
  const escape = (text: string): string =>
    text.includes(delimiter) || /["\r\n]|^\s|\s$|^$/.test(text)
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  const cells = table.columns.map((column) => cellWriter(column, escape));
  const lines = [table.columns.map(({ name }) => escape(name)).join(delimiter)];
  for (let row = 0; row < table.rowCount; row++)
    lines.push(cells.map((cell) => cell(row)).join(delimiter));
  // A lone empty cell would be a blank line, which readers skip.
  return lines.map((line) => (line === "" ? '""' : line) + "\n").join("");
}

function cellWriter(column: Column, escape: (text: string) => string): (row: number) => string {
  if (column.kind === "numeric") {
    return (row) => {
      const value = column.values[row]!;
      return value !== value ? "" : Object.is(value, -0) ? "-0" : String(value);
    };
  }
  const levels = column.levels.map(escape);
  return (row) => (column.codes[row]! < 0 ? "" : levels[column.codes[row]!]!);
}
