/**
 * What is to be predicted: a column of a table, read as a number (regression) or as a class. The task
 * follows from the column unless it is forced.
 */
import { checkTable } from "../check-given.ts";
import { checkArgument } from "../../program/internal.ts";
import { spellingVariants } from "./cells/spelling-variants.ts";
import { isOneNumber, moments } from "../moments.ts";
import {
  checkClasses,
  classIndices,
  countClasses,
  fewRowsNote,
  rareClasses,
  textClassLimit,
  type LeftOutRows,
} from "./target-classes.ts";
import { cellText, type Column, findColumn, type Table } from "./table.ts";
import { listNames, plural, quote } from "../words.ts";
import { DataError } from "../data-error.ts";

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
  /** Rows of the table that are used, ascending: their target is present and of no class that is left out. */
  readonly rows: Int32Array;
  /** Rows of the table that are not used, by reason; none when all are. */
  readonly leftOut: readonly LeftOutRows[];
  /** What was inferred, one sentence each. */
  readonly notes: string[];
  /** The notes among them that ask for care. */
  readonly cautions: readonly string[];
}

/** What {@link inferTarget} may do about rare classes. */
export interface TargetOptions {
  /** Rows of classes that have fewer rows than this are left out. Default: none are. */
  readonly minClass?: number;
  /** Rows that every class needs. Default 3, so that training, validation and test have one each. */
  readonly classRows?: number;
  /**
   * Whether only classes make sense: whole numbers are then classes up to 100 distinct values, with 5 rows each on average,
   * and not only up to 20. Default false.
   */
  readonly wantClasses?: boolean;
}

/** Numbers with more distinct values than this are measured, not classes. */
const classLimit = 20;

/** Rows a class has on average where more numbers than that are taken for classes. */
const rowsPerClass = 5;

/**
 * Reads a column as the target.
 *
 * Numbers with more than 20 distinct values, or not whole, make a regression; two classes are binary;
 * other whole numbers, and text with at most 100 distinct values, are multiclass. Classes are sorted by
 * code unit, and the second of two counts as positive. Rows without a target are left out, and those of
 * classes with fewer rows than `minClass`.
 *
 * `mean` and `scale` of a regression are over all rows; see {@link standardizeTarget}.
 *
 * @param name - the column's name, its 1-based position, or "last".
 * @param force - the task to use instead of the inferred one.
 * @throws {@link DataError} for an unknown column, no rows with a target, a single value or class, more
 *   than 100 classes, a class with fewer than `classRows` rows, or a forced task that the column cannot serve.
 */
export function inferTarget(
  table: Table,
  name: string,
  force?: Task,
  options: TargetOptions = {},
): InferredTarget {
  checkTable("inferTarget", table);
  checkArgument("inferTarget", "name", name, "text");
  const column = table.columns[findColumn(table, name)]!;
  const present = presentRows(column);
  const where = `${table.source}, target ${quote(column.name)}`;
  if (present.length === 0) {
    throw new DataError(
      `${where}: no row has a value; choose another target, or check the words for missing cells.`,
    );
  }
  const leftOut: LeftOutRows[] = [];
  if (present.length < table.rowCount) {
    leftOut.push({
      reason: `no value in the target ${quote(column.name)}`,
      count: table.rowCount - present.length,
    });
  }
  const { minClass = 1, classRows = 3, wantClasses = false } = options;
  const limit = wantClasses ? Math.min(textClassLimit, present.length / rowsPerClass) : 0;
  let task = force ?? inferTask(column, present, Math.max(classLimit, limit));
  checkTask(task, column, where);
  if (task === "regression") {
    const found = regression(column, present, where);
    const cautions: string[] = [];
    if (column.kind === "numeric" && column.format?.kind === "date") {
      cautions.push(
        `The target ${quote(column.name)} holds dates and is predicted in days since 1970-01-01.`,
      );
    }
    if (minClass > 1) {
      cautions.push("The target has no classes, so --min-class leaves nothing out.");
    }
    const notes = [...leftOut.map(leftOutNote), taskNote(found.target, column, force), ...cautions];
    return { ...found, rows: present, leftOut, notes, cautions };
  }
  const labelOf = cellText(column);
  const rare = countClasses(present, labelOf).filter(([, count]) => count < minClass);
  const isRare = new Set(rare.map(([label]) => label));
  const rows = rare.length === 0 ? present : present.filter((row) => !isRare.has(labelOf(row)));
  if (rare.length > 0) leftOut.push(rareClasses(rare, minClass));
  const counts = countClasses(rows, labelOf);
  if (force === undefined) task = counts.length === 2 ? "binary" : "multiclass";
  checkClasses(column, counts, { task, classRows, minClass, where });
  const target: Target = { task, name: column.name, classes: counts.map(([label]) => label) };
  const cautions = [...variantNotes(column, target.classes), ...fewRowsNote(counts)];
  const notes = [
    ...leftOut.map(leftOutNote),
    taskNote(target, column, force, wantClasses),
    ...cautions,
  ];
  return {
    target,
    values: classIndices(target.classes, rows, labelOf, table),
    rows,
    leftOut,
    notes,
    cautions,
  };
}

/**
 * The same target with mean and scale (population standard deviation) of the given rows, usually the
 * training rows. Classes are unchanged. A scale of 0 becomes 1.
 *
 * @param values - as from {@link inferTarget}.
 */
export function standardizeTarget(target: Target, values: Float64Array, rows: Int32Array): Target {
  checkArgument("standardizeTarget", "target", target, "object");
  if (target.task !== "regression") return target;
  const { mean, sd } = moments(Float64Array.from(rows, (row) => values[row]!));
  return { ...target, mean, scale: sd || 1 };
}

function inferTask(column: Column, rows: Int32Array, limit: number): Task {
  if (column.kind === "categorical") return column.levels.length === 2 ? "binary" : "multiclass";
  if (column.format?.kind === "date") return "regression";
  const distinct = new Set<string>();
  const labelOf = cellText(column);
  for (const row of rows) {
    if (!Number.isInteger(column.values[row]!)) return "regression";
    if (distinct.add(labelOf(row)).size > limit) return "regression";
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

function taskNote(
  target: Target,
  column: Column,
  force: Task | undefined,
  wantClasses = false,
): string {
  const how = force === undefined ? "inferred" : "given";
  const name = quote(target.name);
  if (target.task === "regression")
    return `The target ${name} is a number, the task is regression (${how}).`;
  const classes = target.classes.length > 10 ? "" : ` ${target.classes.map(quote).join(", ")}`;
  const advice =
    column.kind === "numeric" && force === undefined && !wantClasses
      ? `; they are whole numbers, so force regression if they measure something`
      : "";
  return `The target ${name} has ${target.classes.length} classes${classes}, the task is ${target.task} (${how})${advice}.`;
}

/** Classes that are the same number; those of text have been pointed out when the file was read. */
function variantNotes(column: Column, classes: readonly string[]): string[] {
  const groups = column.kind === "numeric" ? spellingVariants(classes) : [];
  return groups.map(
    (group) =>
      `The classes ${listNames(group)} are the same number written differently and are kept apart; write them alike if they mean the same.`,
  );
}

function leftOutNote({ reason, count }: LeftOutRows): string {
  return `${plural(count, "row")} ${count === 1 ? "is" : "are"} left out: ${reason}.`;
}
