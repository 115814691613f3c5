// What a run says about its data, as data for result.json and as the words of terminal and report.

import { type ColumnFinding, formatCount, quote } from "../../data/internal.ts";
import type { LeftOutRows, Task, UnusedColumn } from "../../data/index.ts";

/** Entries of a list that are shown on a terminal. */
export const shownEntries = 5;

/** What is used of a table and what is not; part of result.json. */
export interface DataSummary {
  target: string;
  task: Task;
  /** Whether the task follows from the target's cells or was asked for. */
  taskIs: "given" | "inferred";
  /** The classes with their rows; absent for a number. */
  classes?: { name: string; rows: number }[];
  rows: { read: number; used: number; leftOut: LeftOutRows[] };
  /** Rows that repeat an earlier one in every column that is no id. */
  copies: number;
  /** Columns beside the target, and those of them that are not used. */
  columns: { read: number; notUsed: UnusedColumn[] };
  /** Ids and columns that (nearly) give the target away; `used` when the model sees them. */
  possibleLeaks: (ColumnFinding & { used: boolean })[];
  /** What else to keep in mind, one sentence each. */
  cautions: string[];
}

/** The used columns that may be leaks when others are used too, so that they can be left out; none otherwise. */
export function removableLeaks(summary: DataSummary): string[] {
  const names = leakNames(summary);
  const { read, notUsed } = summary.columns;
  return names.length < read - notUsed.length ? names : [];
}

/** The used columns that may be leaks, once each. */
export function leakNames({ possibleLeaks }: DataSummary): string[] {
  return [...new Set(possibleLeaks.filter(({ used }) => used).map(({ name }) => name))];
}

/** Says how many rows repeat others; nothing when none does. */
export function copiesSentence({ copies }: DataSummary): string[] {
  if (copies === 0) return [];
  return [
    `${formatCount(copies, "row repeats", "rows repeat")} an earlier one in every column, ids aside; copies on both sides of a split make errors look smaller than they are.`,
  ];
}

/** A row a column, with all that was found about it. */
export function leakRows({ possibleLeaks }: DataSummary, usedOnly = false): [string, string][] {
  const signs = new Map<string, string[]>();
  const unused = new Set<string>();
  for (const { name, sign, used } of possibleLeaks) {
    if (usedOnly && !used) continue;
    signs.set(name, [...(signs.get(name) ?? []), sign]);
    if (!used) unused.add(name);
  }
  return [...signs].map(([name, list]) => [
    name,
    [...list, ...(unused.has(name) ? ["is not used"] : [])].join(", "),
  ]);
}

/** The task as rows of a table: what it is, the classes, how much is used. */
export function taskRows(summary: DataSummary): [string, string][] {
  const { task, taskIs, classes, rows, columns } = summary;
  const how = taskIs === "given" ? "as --task says" : "inferred; --task sets it";
  const used = columns.read - columns.notUsed.length;
  const result: [string, string][] = [["task", `${task} (${how})`]];
  if (classes !== undefined) {
    const shown = classes
      .slice(0, shownEntries)
      .map(({ name, rows: count }) => `${quote(name)} ${formatCount(count, "row")}`);
    const more = classes.length > shownEntries ? ` and ${classes.length - shownEntries} more` : "";
    result.push(["classes", `${classes.length}: ${shown.join(", ")}${more}`]);
  }
  result.push(
    ["rows used", `${rows.used} of ${rows.read}`],
    ["columns used", `${used} of ${columns.read}`],
  );
  return result;
}
