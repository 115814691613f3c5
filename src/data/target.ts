/**
 * What is to be predicted: a column of a table, read as a number (regression) or as a class. The task
 * follows from the column unless it is forced.
 */
import { isOneNumber, moments } from "./moments.ts";
import { DataError, findColumn, plural, quote, type Column, type Table } from "./table.ts";

/** What kind of prediction the target asks for. */
export type Task = "regression" | "binary" | "multiclass";

/** Plain data: it serializes with a model. Standardized target = (y − mean) / scale. */
export type Target =
  | {
      readonly task: "regression";
      readonly name: string;
      readonly mean: number;
      readonly scale: number;
    }
  | {
      readonly task: "binary" | "multiclass";
      readonly name: string;
      readonly classes: readonly string[];
    };

/** A target, its value in each row, and how it was understood. */
export interface InferredTarget {
  readonly target: Target;
  /** [table rows], the number or the class index (into `target.classes`); NaN where it is missing. */
  readonly values: Float64Array;
  /** Rows of the table whose target is present, ascending. */
  readonly rows: Int32Array;
  /** What was inferred, one sentence each. */
  readonly notes: string[];
}

/** Numbers with more distinct values than this are measured, not classes. */
const classLimit = 20;

/** Text with more distinct values than this is refused as classes. */
const textClassLimit = 100;

/** Rows a class needs, so that training, validation and test can each have some. */
export const minClassRows: number = 5;

/**
 * Reads a column as the target.
 *
 * Numbers with more than 20 distinct values, or not whole, make a regression; two classes are binary;
 * other whole numbers, and text with at most 100 distinct values, are multiclass. Classes are sorted by
 * code unit, and the second of two counts as positive. Rows without a target are left out.
 *
 * `mean` and `scale` of a regression are over all rows; see {@link standardizeTarget}.
 *
 * @param name - the column's name, its 1-based position, or "last".
 * @param force - the task to use instead of the inferred one.
 * @throws {@link DataError} for an unknown column, no rows with a target, a single value or class, more
 *   than 100 classes, a class with fewer than 5 rows, or a forced task that the column cannot serve.
 */
export function inferTarget(table: Table, name: string, force?: Task): InferredTarget {
  const column = table.columns[findColumn(table, name)]!;
  const rows = presentRows(column);
  const where = `${table.source}, target ${quote(column.name)}`;
  if (rows.length === 0) {
    throw new DataError(
      `${where}: no row has a value; choose another target, or check the words for missing cells.`,
    );
  }
  const notes = [];
  if (rows.length < table.rowCount) {
    const lost = table.rowCount - rows.length;
    notes.push(
      `${plural(lost, "row")} without a target ${lost === 1 ? "is" : "are"} left out, ${rows.length} remain.`,
    );
  }
  const task = force ?? inferTask(column, rows);
  checkTask(task, column, where);
  const inferred =
    task === "regression"
      ? regression(column, rows, where)
      : classification(column, rows, task, where);
  notes.push(taskNote(inferred.target, column, force !== undefined));
  return { ...inferred, rows, notes };
}

/**
 * The same target with mean and scale (population standard deviation) of the given rows, usually the
 * training rows. Classes are unchanged. A scale of 0 becomes 1.
 *
 * @param values - as from {@link inferTarget}.
 */
export function standardizeTarget(target: Target, values: Float64Array, rows: Int32Array): Target {
  if (target.task !== "regression") return target;
  const { mean, sd } = moments(Float64Array.from(rows, (row) => values[row]!));
  return { ...target, mean, scale: sd || 1 };
}

function inferTask(column: Column, rows: Int32Array): Task {
  if (column.kind === "categorical") return column.levels.length === 2 ? "binary" : "multiclass";
  const distinct = new Set<number>();
  for (const row of rows) {
    const value = column.values[row]!;
    if (!Number.isInteger(value) || distinct.add(value).size > classLimit) return "regression";
  }
  return distinct.size === 2 ? "binary" : "multiclass";
}

function checkTask(task: Task, column: Column, where: string): void {
  if (task !== "regression" && task !== "binary" && task !== "multiclass") {
    throw new DataError(
      `${where}: a task is regression, binary or multiclass, not ${quote(String(task))}; use one of them.`,
    );
  }
  if (task === "regression" && column.kind === "categorical") {
    throw new DataError(
      `${where}: regression needs numbers, the column holds text such as ${quote(column.levels[0]!)}; choose classification or another target.`,
    );
  }
}

function regression(
  column: Column,
  rows: Int32Array,
  where: string,
): { target: Target; values: Float64Array } {
  const { values } = column as Extract<Column, { kind: "numeric" }>;
  const ordered = Float64Array.from(rows, (row) => values[row]!).sort();
  const [low, high] = [ordered[0]!, ordered.at(-1)!];
  if (isOneNumber(low, high)) {
    throw new DataError(
      `${where}: every row has the value ${low}${low === high ? "" : ", up to rounding"}, so there is nothing to predict; choose another target.`,
    );
  }
  const target: Target = { task: "regression", name: column.name, mean: 0, scale: 1 };
  return { target: standardizeTarget(target, values, rows), values: values.slice() };
}

function classification(
  column: Column,
  rows: Int32Array,
  task: "binary" | "multiclass",
  where: string,
): { target: Target; values: Float64Array } {
  const labels =
    column.kind === "categorical"
      ? (row: number): string => column.levels[column.codes[row]!]!
      : (row: number): string => String(column.values[row]!);
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(labels(row), (counts.get(labels(row)) ?? 0) + 1);
  // The default sort compares code units, the same everywhere.
  const classes = [...counts.keys()].sort();
  if (classes.length === 1) {
    throw new DataError(
      `${where}: every row has the class ${quote(classes[0]!)}, so there is nothing to predict; choose another target.`,
    );
  }
  if (classes.length > textClassLimit) {
    const advice =
      column.kind === "numeric"
        ? "force regression or choose another target"
        : "choose another target or merge classes";
    throw new DataError(
      `${where}: ${classes.length} classes are too many (limit ${textClassLimit}); ${advice}.`,
    );
  }
  if (task === "binary" && classes.length !== 2) {
    throw new DataError(
      `${where}: a binary task needs two classes, the column has ${classes.length}; use multiclass.`,
    );
  }
  const rare = classes.find((label) => counts.get(label)! < minClassRows);
  if (rare !== undefined) {
    throw new DataError(
      `${where}: class ${quote(rare)} has ${plural(counts.get(rare)!, "row")}, and training, validation and test need at least ${minClassRows}; merge it with another class${column.kind === "numeric" ? ", force regression," : ""} or remove its rows.`,
    );
  }
  const indices = new Map(classes.map((label, i) => [label, i]));
  const values = new Float64Array(
    column.kind === "numeric" ? column.values.length : column.codes.length,
  ).fill(NaN);
  for (const row of rows) values[row] = indices.get(labels(row))!;
  return { target: { task, name: column.name, classes }, values };
}

function presentRows(column: Column): Int32Array {
  const length = column.kind === "numeric" ? column.values.length : column.codes.length;
  const rows = new Int32Array(length);
  let count = 0;
  for (let row = 0; row < length; row++) {
    const isPresent =
      column.kind === "numeric"
        ? column.values[row] === column.values[row]
        : column.codes[row]! >= 0;
    if (isPresent) rows[count++] = row;
  }
  return rows.slice(0, count);
}

function taskNote(target: Target, column: Column, forced: boolean): string {
  const how = forced ? "given" : "inferred";
  const name = quote(target.name);
  if (target.task === "regression")
    return `The target ${name} is a number, the task is regression (${how}).`;
  const classes = target.classes.length > 10 ? "" : ` ${target.classes.map(quote).join(", ")}`;
  const advice =
    column.kind === "numeric" && !forced
      ? `; they are whole numbers, so force regression if they measure something`
      : "";
  return `The target ${name} has ${target.classes.length} classes${classes}, the task is ${target.task} (${how})${advice}.`;
}
