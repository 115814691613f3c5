/**
 * Columns that a model should not be trusted with before a person has looked: row indices, ids, and columns that (nearly) give
 * the target away. They are named, and only row indices without a name are meant to be left out.
 */
import { predictsAlone } from "./predicts-alone.ts";
import { randomKey, randomStream } from "../../random/index.ts";
import type { CategoricalColumn, Column, NumericColumn, Table } from "./table.ts";
import type { InferredTarget } from "./target.ts";

/** Something about a column that can make a model look better than it is. */
export interface ColumnFinding {
  readonly name: string;
  readonly kind: "row index" | "id" | "answer";
  /** What was seen, without the column's name. */
  readonly sign: string;
}

/** Share of the error that a column alone must remove, or its R², to be named. */
const nearlyAll = 0.95;
const nearlyAllOfNumbers = 0.98;

/** Unrelated columns of this share of tables may be named by chance. */
const falseAlarms = 1e-3;

/** Rows that are looked at for what a column gives away; of more, this many at random. */
const mostRows = 20_000;

/** Rows from which different values in every row are no accident. */
const fewestRows = 20;

/**
 * Looks at every column but the target.
 *
 * @returns the findings in the order of the columns; a column may have several.
 */
export function inspectColumns(
  table: Table,
  inferred: Pick<InferredTarget, "target" | "values" | "rows">,
): ColumnFinding[] {
  const { target, values } = inferred;
  const columns = table.columns.filter(({ name }) => name !== target.name);
  const rows = sampleOf(inferred.rows);
  const plainIds = new Set<string>();
  const findings = columns.flatMap((column): ColumnFinding[] => {
    const { name } = column;
    if (column.kind === "numeric" && isNameless(column) && isRowIndex(column)) {
      return [{ name, kind: "row index", sign: "row numbers without a name" }];
    }
    const found: ColumnFinding[] = [];
    const id = column.kind === "numeric" ? numericId(column) : textId(column);
    if (id !== undefined) {
      found.push({ name, kind: "id", sign: id.sign });
      if (!id.certain) plainIds.add(name);
    }
    const alone = predictsAlone(column, target, values, rows);
    const enough = target.task === "regression" ? nearlyAllOfNumbers : nearlyAll;
    if (
      alone !== undefined &&
      alone.skill >= enough &&
      alone.logChance <= Math.log(falseAlarms / columns.length)
    ) {
      found.push({
        name,
        kind: "answer",
        sign: answerSign(alone.score, target.task === "regression"),
      });
    }
    return found;
  });
  // A table of counts has many columns of whole numbers that never repeat; then that alone says nothing.
  const isUsual = plainIds.size > Math.max(3, columns.length / 5);
  return findings.filter(({ name, kind }) => kind !== "id" || !isUsual || !plainIds.has(name));
}

/** Without a name in the file, or with the one that pandas gives to such a column. */
function isNameless({ isUnnamed, name }: Column): boolean {
  return isUnnamed === true || /^Unnamed: \d/.test(name);
}

function answerSign(score: number, isNumber: boolean): string {
  // Never rounded up to a perfect score.
  const shown = Math.floor(score * 1e4) / 1e4;
  return isNumber
    ? `alone predicts the target with R² ${shown}`
    : `alone gives ${Number((100 * shown).toFixed(2))} % of the classes right`;
}

/** Whole numbers that are all different, or that count on from row to row. */
function isRowIndex({ values }: NumericColumn): boolean {
  if (!values.every((value) => Number.isInteger(value) && value >= 0)) return false;
  if (new Set(values).size === values.length) return true;
  let steps = 0;
  for (let i = 1; i < values.length; i++) steps += Number(values[i] === values[i - 1]! + 1);
  return steps >= 0.9 * (values.length - 1);
}

interface IdSign {
  readonly sign: string;
  /** False for numbers that may as well be measured. */
  readonly certain: boolean;
}

function numericId({ name, values, format }: NumericColumn): IdSign | undefined {
  if (format?.kind === "date") return undefined;
  const distinct = new Set<number>();
  let present = 0;
  let ascends = true;
  let last = -Infinity;
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return undefined;
    present++;
    distinct.add(value);
    ascends &&= value > last;
    last = value;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (present < fewestRows) return undefined;
  if (distinct.size < present) {
    if (!isIdName(name) || distinct.size <= 10) return undefined;
    return { sign: "is called an id and holds whole numbers", certain: true };
  }
  const sign = `has a different whole number in every row${ascends ? ", in ascending order" : ""}`;
  return { sign, certain: ascends || high - low === present - 1 || isIdName(name) };
}

function isIdName(name: string): boolean {
  return (
    /(^|[^\p{L}])(id|ids|uuid|guid|key)($|[^\p{L}])/iu.test(name) || /[a-z](Id|ID)$/.test(name)
  );
}

const uuid = /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i;

function textId({ codes, levels }: CategoricalColumn): IdSign | undefined {
  const present = codes.reduce((sum, code) => sum + Number(code >= 0), 0);
  if (present < fewestRows) return undefined;
  const shown = levels.slice(0, 100);
  if (shown.filter((level) => uuid.test(level)).length >= 0.95 * shown.length) {
    return { sign: "holds UUIDs", certain: true };
  }
  if (levels.length === present)
    return { sign: "has a different text in every row", certain: true };
  if (levels.length < 0.95 * present) return undefined;
  return { sign: "has a different text in almost every row", certain: true };
}

/** The rows themselves, or many of them at random, ascending. */
function sampleOf(rows: Int32Array): number[] {
  if (rows.length <= mostRows) return [...rows];
  const stream = randomStream(randomKey(0, "inspect columns"));
  return [...stream.shuffle(rows.slice()).subarray(0, mostRows).sort()];
}
