/** Reads a table without the totals below it: those that are found, or as many last rows as were said to be no data. */
import { listNames, plural, quote } from "../../words.ts";
import type { Table } from "../table.ts";
import {
  countWordedRows,
  isTotalRow,
  isTotalWord,
  totalLimit,
  type LastRow,
} from "./total-rows.ts";

/** What was understood, and the rows that are no part of it. */
export interface WithoutTotals<Facts> {
  readonly facts: Facts;
  readonly totals: readonly LastRow[];
  /** A row that stays although a word says that it is a total. */
  readonly doubtful: LastRow | undefined;
}

/**
 * @param last - the last rows of the file, at least {@link totalLimit} and `footer` of them where there are as many.
 * @param understand - reads the first rows, or all.
 */
export function leaveOutTotals<Facts extends { readonly table: Table }>(
  last: readonly LastRow[],
  names: readonly string[],
  footer: number | undefined,
  understand: (rowLimit?: number) => Facts,
): WithoutTotals<Facts> {
  const without = (count: number): readonly LastRow[] => last.slice(last.length - count);
  if (footer !== undefined) {
    const totals = without(Math.min(footer, last.length));
    return { facts: understand(totals[0]?.before), totals, doubtful: undefined };
  }
  const worded = without(countWordedRows(last.slice(-totalLimit)));
  const [first] = worded;
  if (first !== undefined && first.before > 0) {
    const facts = understand(first.before);
    if (worded.every((row) => isTotalRow(row, names, facts.table))) {
      return { facts, totals: worded, doubtful: undefined };
    }
  }
  const facts = understand();
  if (first !== undefined) {
    return { facts, totals: [], doubtful: isOnlyOnce(first, facts.table) ? first : undefined };
  }
  const end = last.at(-1);
  if (end !== undefined && isTotalRow(end, names, firstRows(facts.table, end.before))) {
    return { facts: understand(end.before), totals: [end], doubtful: undefined };
  }
  return { facts, totals: [], doubtful: undefined };
}

/** What was done about totals, in sentences. */
export function totalNotes(
  { totals, doubtful }: Pick<WithoutTotals<unknown>, "totals" | "doubtful">,
  isGiven: boolean,
  lineOf: (row: LastRow) => number,
): string[] {
  if (totals.length > 0) {
    const are = totals.length === 1 ? "is" : "are";
    const words = totals.map(
      ({ cells }) => cells.find(isTotalWord) ?? cells.find((one) => one !== "") ?? "",
    );
    const what = isGiven ? "" : totals.length === 1 ? ", a total," : ", totals,";
    const how = isGiven ? "given" : "detected; --footer 0 keeps what is data";
    return [
      `${plural(totals.length, "row")} at the end${what} ${are} left out, from line ${lineOf(totals[0]!)} on: ${listNames(words, 3)} (${how}).`,
    ];
  }
  if (doubtful === undefined) return [];
  return [
    `The row on line ${lineOf(doubtful)} is called ${quote(doubtful.cells.find(isTotalWord)!)} and is read as data, because its cells are no sums; --footer 1 leaves the last row out.`,
  ];
}

/** A word that comes above too is a level like any other. */
function isOnlyOnce({ cells }: LastRow, table: Table): boolean {
  const word = cells.find(isTotalWord)!;
  return table.columns.every((column) => {
    if (column.kind !== "categorical") return true;
    const code = column.levels.indexOf(word);
    return column.codes.reduce((sum, one) => sum + Number(one === code && code >= 0), 0) <= 1;
  });
}

function firstRows(table: Table, count: number): Table {
  const columns = table.columns.map((column) =>
    column.kind === "numeric"
      ? { ...column, values: column.values.subarray(0, count) }
      : { ...column, codes: column.codes.subarray(0, count) },
  );
  return { ...table, rowCount: count, columns };
}
