/** Numbers and dates far from all others of their column, in sentences. */
import { plural, quote } from "../../words.ts";
import { farValues, type FarValue } from "../far-values.ts";
import { cellText, type Column, type NumericColumn } from "../table.ts";
import type { ColumnNotes } from "./reading-facts.ts";

/** One sentence for each column that has such values. */
export function farNotes(columns: readonly Column[], facts: readonly ColumnNotes[]): string[] {
  return columns.flatMap((column, j) => {
    if (column.kind !== "numeric") return [];
    const { missing } = facts[j]!;
    const found = farValues(column.values, column.format?.kind === "date");
    return found.length === 0 ? [] : [farNote(column, found, column.values.length - missing)];
  });
}

function farNote(column: NumericColumn, found: readonly FarValue[], present: number): string {
  const text = (value: number): string => writtenAs(column, value);
  const [low, high] = found[0]!.others;
  const shown = found.slice(0, 3).map(({ value, count }) => `${text(value)} in ${count}`);
  const more = found.length > 3 ? ` and ${found.length - 3} more values` : "";
  const cells = found.reduce((sum, { count }) => sum + count, 0);
  const where = `Column ${quote(column.name)}: ${shown.join(", ")}${more} of ${plural(present, "cell")} ${cells === 1 ? "lies" : "lie"} far from all others, which are between ${text(low)} and ${text(high)}`;
  if (found[0]!.isSentinel) {
    const words = found.map(({ value }) => text(value)).join(",");
    return `${where}; they are used as they are, and --missing=${words} takes them as missing if that is what they mean.`;
  }
  return `${where}; they are used as they are, so correct them, or take them as missing (--missing).`;
}

/** The value as a cell has it, or else plainly. */
function writtenAs(column: NumericColumn, value: number): string {
  const row = column.values.indexOf(value);
  if (column.written !== undefined && row >= 0) return cellText(column)(row);
  if (column.format?.kind !== "date") return String(value);
  return new Date(Math.floor(value) * 86_400_000).toISOString().slice(0, 10);
}
