/**
 * A table in memory: columns of numbers or of categories, as read from a file. Rows have no names;
 * a row is its index. Everything that later refuses a table says so with a {@link DataError}.
 */
import { checkTable } from "../check-given.ts";
import { checkArgument } from "../../program/internal.ts";
import type { CellFormat } from "./cells/cell-format.ts";
import { DataError } from "../data-error.ts";
import { closestNames, listNames, quote } from "../words.ts";

/** Numbers; a missing cell is NaN and no other cell is. */
export interface NumericColumn {
  readonly kind: "numeric";
  readonly name: string;
  /** [rows]; dates are days since 1970-01-01. */
  readonly values: Float64Array;
  /** How the file writes them; absent for plain decimal notation. */
  readonly format?: CellFormat;
  /** Words in the file that stand for a missing number, beside the usual ones. */
  readonly words?: readonly string[];
  /** The cells as they were written, while they are few: labels and levels come out as they went in. */
  readonly written?: Written;
  /** Whether the file has no name for it, so that it is called by its place. */
  readonly isUnnamed?: true;
}

/** Cells as text. */
export interface Written {
  /** [rows], indices into `levels`; -1 where the cell is missing. */
  readonly codes: Int32Array;
  /** Distinct texts. */
  readonly levels: readonly string[];
}

/** Text; a cell is the index of its level, a missing cell is -1. */
export interface CategoricalColumn {
  readonly kind: "categorical";
  readonly name: string;
  /** [rows], indices into `levels`. */
  readonly codes: Int32Array;
  /** Distinct texts in order of first appearance. */
  readonly levels: readonly string[];
  /** Whether the file has no name for it, so that it is called by its place. */
  readonly isUnnamed?: true;
}

/** A column of numbers or of categories. */
export type Column = NumericColumn | CategoricalColumn;

/** A column that is not used, and why. */
export interface UnusedColumn {
  readonly name: string;
  readonly reason: string;
}

/** Columns of the same length. */
export interface Table {
  /** Where the table came from, as the user wrote it; opens every error message. */
  readonly source: string;
  readonly rowCount: number;
  readonly columns: readonly Column[];
  /** Columns that were taken out, see {@link withoutColumns}; none when absent. */
  readonly leftOut?: readonly UnusedColumn[];
  /** Words for a missing cell of any column, if some were given. */
  readonly missing?: readonly string[];
}

/** Each row's cell as text: as it was written where the column still knows; "" where it is missing. */
export function cellText(column: Column): (row: number) => string {
  const { codes, levels } = column.kind === "categorical" ? column : (column.written ?? {});
  if (codes === undefined) {
    const { values } = column as NumericColumn;
    return (row) => (Number.isNaN(values[row]!) ? "" : String(values[row]!));
  }
  return (row) => (codes[row]! < 0 ? "" : levels![codes[row]!]!);
}

/**
 * Finds a column by its name, by its 1-based position ("3") or as "last". A name wins over a position.
 *
 * @returns the column's index in `table.columns`.
 * @throws {@link DataError} naming the columns closest to what was asked.
 */
export function findColumn(table: Table, wanted: string): number {
  checkTable("findColumn", table);
  checkArgument("findColumn", "wanted", wanted, "text");
  const names = table.columns.map((column) => column.name);
  const place = placeOf(names, wanted);
  if (place === undefined) throw unknownColumn(table.source, wanted, names);
  return place;
}

/** The index of a name, of a 1-based position or of "last"; undefined when there is none. */
export function placeOf(names: readonly string[], wanted: string): number | undefined {
  const byName = names.indexOf(wanted);
  if (byName >= 0) return byName;
  if (wanted === "last") return names.length - 1;
  if (/^[1-9]\d*$/.test(wanted) && Number(wanted) <= names.length) return Number(wanted) - 1;
  return undefined;
}

/** The error for a name that no column has: the names close to it, or else all, shortened. */
export function unknownColumn(source: string, wanted: string, names: readonly string[]): DataError {
  const close = closestNames(wanted, names);
  const advice =
    close.length > 0
      ? `perhaps ${close.map(quote).join(" or ")} is meant`
      : `the columns are ${listNames(names)}`;
  return new DataError(`${source}: there is no column ${quote(wanted)}; ${advice}.`);
}
