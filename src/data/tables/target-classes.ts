/** The classes of a target: their names, their rows, and whether there are enough of both. */
import { DataError } from "../data-error.ts";
import type { Column, Table } from "./table.ts";
import { listNames, plural, quote } from "../words.ts";

/** Rows that are not used, and why. */
export interface LeftOutRows {
  readonly reason: string;
  readonly count: number;
}

/** Text with more distinct values than this is refused as classes. */
export const textClassLimit = 100;

/** Classes with fewer rows than this are pointed out: what is said about them rests on little. */
const fewRows = 10;

/** Each class with its rows; the default sort compares code units, the same everywhere. */
export function countClasses(
  rows: Int32Array,
  labelOf: (row: number) => string,
): [string, number][] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(labelOf(row), (counts.get(labelOf(row)) ?? 0) + 1);
  return [...counts.keys()].sort().map((label) => [label, counts.get(label)!]);
}

/** The rows of the classes that are left out, as one entry. */
export function rareClasses(
  rare: readonly (readonly [string, number])[],
  minClass: number,
): LeftOutRows {
  const names = listNames(
    rare.map(([label]) => label),
    5,
  );
  return {
    reason: `${rare.length === 1 ? "class" : `${rare.length} classes`} of fewer than ${minClass} rows, ${names}`,
    count: rare.reduce((sum, [, count]) => sum + count, 0),
  };
}

/** [table rows], the index of each used row's class; NaN elsewhere. */
export function classIndices(
  classes: readonly string[],
  rows: Int32Array,
  labelOf: (row: number) => string,
  { rowCount }: Table,
): Float64Array {
  const indices = new Map(classes.map((label, i) => [label, i]));
  const values = new Float64Array(rowCount).fill(NaN);
  for (const row of rows) values[row] = indices.get(labelOf(row))!;
  return values;
}

/**
 * @param counts - the classes that are left with their rows.
 * @throws {@link DataError} for fewer than two classes, too many, not two of a binary task, or too few rows in one.
 */
export function checkClasses(
  column: Column,
  counts: readonly (readonly [string, number])[],
  needs: { task: "binary" | "multiclass"; classRows: number; minClass: number; where: string },
): void {
  const { task, classRows, minClass, where } = needs;
  const isNumber = column.kind === "numeric";
  if (counts.length < 2) {
    const what =
      counts.length === 0
        ? `no class has ${minClass} rows`
        : `every row has the class ${quote(counts[0]![0])}`;
    const left =
      minClass > 1 ? ` once classes of fewer than ${minClass} rows are left out (--min-class)` : "";
    throw new DataError(
      `${where}: ${what}${left}, so there is nothing to predict; choose another target${left === "" ? "" : " or a smaller --min-class"}.`,
    );
  }
  if (counts.length > textClassLimit) {
    throw new DataError(
      `${where}: ${counts.length} classes are too many (limit ${textClassLimit}); ${isNumber ? "force regression (--task regression)" : "leave rare ones out with --min-class"} or choose another target.`,
    );
  }
  if (task === "binary" && counts.length !== 2) {
    throw new DataError(
      `${where}: a binary task needs two classes, the column has ${counts.length}; use multiclass.`,
    );
  }
  const rare = counts.filter(([, count]) => count < classRows);
  if (rare.length === 0) return;
  const which = rare
    .slice(0, 5)
    .map(([label, count]) => `${quote(label)} has ${plural(count, "row")}`);
  const more = rare.length > 5 ? `, and ${rare.length - 5} more` : "";
  const instead = isNumber ? ", --task regression takes the target as a number" : "";
  throw new DataError(
    `${where}: every class needs ${classRows} rows, so that each can be learned and judged on others, but class ${which.join(", ")}${more}; --min-class ${classRows} leaves rows of smaller classes out${instead}.`,
  );
}

/** Says which classes are small; nothing when none is. */
export function fewRowsNote(counts: readonly (readonly [string, number])[]): string[] {
  const few = counts.filter(([, count]) => count < fewRows);
  if (few.length === 0) return [];
  const shown = few
    .slice(0, 5)
    .map(([label, count]) => `${quote(label)} (${plural(count, "row")})`);
  const more = few.length > 5 ? ` and ${few.length - 5} more` : "";
  return [
    `${few.length === 1 ? "A class has" : `${few.length} classes have`} fewer than ${fewRows} rows, and what is said about ${few.length === 1 ? "it" : "them"} rests on these few: ${shown.join(", ")}${more}.`,
  ];
}
