// Between reading a table and working on it: columns that are asked away or are row numbers go, and
// what a person should know about the rest is gathered, to be said before any model is trusted.

import { countCopies, inspectColumns } from "../../data/internal.ts";
import {
  findColumn,
  fitEncoder,
  type InferredTarget,
  inferTarget,
  type Table,
  type TargetOptions,
  type Task,
  type UnusedColumn,
  withoutColumns,
} from "../../data/index.ts";
import type { DataSummary } from "./data-summary.ts";
import { UsageError } from "../command/errors.ts";

/** A table that is ready for work. */
export interface PreparedTable {
  table: Table;
  summary: DataSummary;
  /** What was inferred about the target, one sentence each. */
  notes: string[];
}

/**
 * Takes out the columns of `--exclude` and row numbers without a name, and looks at the rest.
 *
 * @param options.keep - columns that stay although they look like row numbers, because the user named them.
 * @throws UsageError when the target is excluded, DataError for a table that cannot serve.
 */
export function prepareTable(
  whole: Table,
  options: TargetOptions & {
    target: string;
    task?: Task | undefined;
    exclude?: readonly string[] | undefined;
    keep?: readonly string[];
  },
): PreparedTable {
  const { target, task, exclude = [], keep = [] } = options;
  const asked = withoutColumns(whole, excluded(whole, target, exclude));
  const inferred = inferTarget(asked, target, task, options);
  const findings = inspectColumns(asked, inferred);
  const indices = findings.filter(({ name, kind }) => kind === "row index" && !keep.includes(name));
  const table = withoutColumns(
    asked,
    indices.map(({ name, sign }) => ({ name, reason: `${sign}; --numeric keeps them` })),
  );
  const { dropped } = fitEncoder(table, target, inferred.rows);
  const unused = new Set(dropped.map(({ name }) => name));
  const leaks = findings.filter(({ kind }) => kind !== "row index");
  const ids = leaks.filter(({ kind }) => kind === "id").map(({ name }) => name);
  return {
    table,
    notes: inferred.notes,
    summary: {
      target,
      task: inferred.target.task,
      taskIs: task === undefined ? "inferred" : "given",
      ...classesOf(inferred),
      rows: {
        read: table.rowCount,
        used: inferred.rows.length,
        leftOut: [...inferred.leftOut],
      },
      copies: countCopies(table, inferred.rows, ids),
      columns: { read: whole.columns.length - 1, notUsed: [...dropped] },
      possibleLeaks: leaks.map((leak) => ({ ...leak, used: !unused.has(leak.name) })),
      cautions: [...inferred.cautions],
    },
  };
}

function excluded(table: Table, target: string, exclude: readonly string[]): UnusedColumn[] {
  const unused = exclude.map((name) => ({
    name: table.columns[findColumn(table, name)]!.name,
    reason: "left out by --exclude",
  }));
  if (unused.some(({ name }) => name === target)) {
    throw new UsageError(
      `column "${target}" is the target and named by --exclude too; choose another target or leave it out of --exclude`,
    );
  }
  return unused;
}

function classesOf({ target, values, rows }: InferredTarget): Pick<DataSummary, "classes"> {
  if (target.task === "regression") return {};
  const counts = target.classes.map((name) => ({ name, rows: 0 }));
  for (const row of rows) counts[values[row]!]!.rows++;
  return { classes: counts };
}
