/** Tables without some of their columns, which remember what was taken out and why. */
import { checkTable } from "../check-given.ts";
import { checkArgument } from "../../program/internal.ts";
import { findColumn, type Table, type UnusedColumn } from "./table.ts";

/**
 * The table without these columns; `leftOut` keeps their names and reasons, for the encoder and for reports.
 *
 * @param unused - columns by name, 1-based position or "last", each with its reason; one that is named twice keeps the first.
 * @throws {@link DataError} for a column that the table has not.
 */
export function withoutColumns(table: Table, unused: readonly UnusedColumn[]): Table {
  checkTable("withoutColumns", table);
  checkArgument("withoutColumns", "unused", unused, "list");
  const reasons = new Map<number, string>();
  for (const { name, reason } of unused) {
    const place = findColumn(table, name);
    if (!reasons.has(place)) reasons.set(place, reason);
  }
  if (reasons.size === 0) return table;
  const leftOut = [...reasons].map(([place, reason]) => ({
    name: table.columns[place]!.name,
    reason,
  }));
  return {
    ...table,
    columns: table.columns.filter((_, place) => !reasons.has(place)),
    leftOut: [...(table.leftOut ?? []), ...leftOut],
  };
}
