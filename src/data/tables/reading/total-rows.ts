/**
 * Totals below a table, "Total,,123.4": the last rows, when a word says so or the cells are the sums of their columns.
 * They are no rows of data. Where that is not clear they stay, and a word that looks like one is pointed out.
 */
import { isPlaceholder } from "../cells/missing-words.ts";
import { numberIn, shapeOf } from "../cells/number-shape.ts";
import type { Column, Table } from "../table.ts";

/** One of the last records of a file. */
export interface LastRow {
  /** Without blanks and invisible characters around them. */
  readonly cells: readonly string[];
  /** Byte at which the record begins. */
  readonly place: number;
  /** Rows of the table before it, without empty ones that come just before. */
  readonly before: number;
}

/** Rows at the end that are looked at: a total, its share, an average. */
export const totalLimit = 3;

/** Rows above a total from which sums are no accident. */
const fewestRows = 3;

const words =
  /^(grand |sub|over ?all |column |row )?(totals?|sums?|summe|gesamt|gesamtsumme|insgesamt|zwischensumme|totale|totaal|suma|somme|total general|total général|average|mean|mittelwert|durchschnitt|moyenne)\b\.?:?( |$)/i;

/** Whether a cell says that its row is a total or an average. */
export function isTotalWord(cell: string): boolean {
  return cell.length <= 30 && words.test(cell);
}

/** How many of the last rows, from the first with such a word on, may be totals. */
export function countWordedRows(last: readonly LastRow[]): number {
  const first = last.findIndex(({ cells }) => cells.some(isTotalWord));
  return first < 0 ? 0 : last.length - first;
}

/**
 * Whether a row is a total of a table that it is no part of.
 *
 * With a word for totals: one cell is a column's sum or mean, or a cell is empty in a column that is filled above. The
 * word must not come above.
 * Without: at least two cells, or one in an otherwise empty row, are sums that no row above reaches, and every other number
 * is one too.
 */
export function isTotalRow(row: LastRow, names: readonly string[], above: Table): boolean {
  // Columns without a name and a cell are no part of the table.
  const own = above.columns.map(({ name }) => row.cells[names.indexOf(name)] ?? "");
  const word = own.findIndex(isTotalWord);
  if (above.rowCount < (word < 0 ? fewestRows : 1)) return false;
  const cells = above.columns.map((column, j) => judge(own[j]!, column));
  const count = (kind: CellKind): number => cells.filter((one) => one === kind).length;
  if (word >= 0) {
    const column = above.columns[word];
    const isKnown = column?.kind === "categorical" && column.levels.includes(own[word]!);
    return !isKnown && count("sum") + count("mean") + count("gap") > 0;
  }
  if (count("number") + count("mean") > 0) return false;
  const sums = count("sum");
  return sums >= 2
    ? count("text") === 0 || count("gap") > 0
    : sums === 1 && count("gap") > 0 && count("text") === 0;
}

/** What a cell of the last row is to its column. */
type CellKind =
  /** The sum of the column, beyond each of its numbers. */
  | "sum"
  | "mean"
  /** Another number. */
  | "number"
  | "text"
  /** Empty below a column that is filled. */
  | "gap"
  | "empty";

function judge(cell: string, column: Column): CellKind {
  if (isPlaceholder(cell)) return isFilled(column) ? "gap" : "empty";
  if (column.kind === "categorical") return "text";
  const value = valueOf(cell, column);
  if (value === undefined) return "text";
  const { sum, count, largest, size } = sumOf(column.values);
  if (count === 0) return "number";
  const fraction = /[.,](\d+)\D*$/.exec(cell)?.[1]?.length ?? 0;
  // Totals are rounded as they are written, and sums of floats have errors of their own.
  const tolerance = 0.5 * 10 ** -fraction * (1 + 1e-9) * (fraction > 0 ? 1 : 1e-6) + 1e-9 * size;
  if (Math.abs(value - sum) <= tolerance && Math.abs(sum) > largest) return "sum";
  return Math.abs(value - sum / count) <= tolerance ? "mean" : "number";
}

function isFilled(column: Column): boolean {
  const missing =
    column.kind === "numeric"
      ? column.values.reduce((sum, value) => sum + Number(value !== value), 0)
      : column.codes.reduce((sum, code) => sum + Number(code < 0), 0);
  const rows = column.kind === "numeric" ? column.values.length : column.codes.length;
  return missing <= 0.05 * rows;
}

function valueOf(cell: string, column: Column & { kind: "numeric" }): number | undefined {
  const { format } = column;
  if (format?.kind === "date") return undefined;
  const shape = shapeOf(cell);
  return shape === undefined ? undefined : numberIn(shape, format?.decimal ?? ".")?.value;
}

function sumOf(values: Float64Array): {
  sum: number;
  count: number;
  largest: number;
  /** Sum of the sizes. */
  size: number;
} {
  let [sum, count, largest, size] = [0, 0, 0, 0];
  for (const value of values) {
    if (value !== value) continue;
    sum += value;
    count++;
    largest = Math.max(largest, Math.abs(value));
    size += Math.abs(value);
  }
  return { sum, count, largest, size };
}
