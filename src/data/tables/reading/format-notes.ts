/** How numbers and dates are written that are not plain, what was assumed about them, and what differs from training. */
import {
  describeFormat,
  orderWords,
  type CellFormat,
  type LearnedFormat,
} from "../cells/cell-format.ts";
import { listNames, quote } from "../../words.ts";
import type { Column } from "../table.ts";
import type { ColumnNotes } from "./reading-facts.ts";

/** One sentence for each way of writing, and for each column that a model learned another way. */
export function formatNotes(
  columns: readonly Column[],
  facts: readonly ColumnNotes[],
  delimiter: string,
): string[] {
  const byFormat = new Map<string, string[]>();
  const drift: string[] = [];
  const either: string[] = [];
  for (const [j, column] of columns.entries()) {
    if (column.kind !== "numeric") continue;
    const { isEither, learned } = facts[j]!;
    const { format, name } = column;
    if (isEither && delimiter === ";") either.push(name);
    if (format !== undefined) {
      const how = describeFormat(format) + assumption(format);
      byFormat.set(how, [...(byFormat.get(how) ?? []), name]);
    }
    if (learned !== undefined) drift.push(...driftNotes(name, format, learned));
  }
  const formats = [...byFormat].map(([how, names]) => `${listNames(names, 5)}: ${how}.`);
  if (either.length > 0) {
    formats.push(
      `${listNames(either, 5)}: points are taken as decimal signs, assumed, because they may also stand between thousands; --decimal , reads them so.`,
    );
  }
  return [...formats, ...drift];
}

function assumption(format: CellFormat): string {
  if (format.isAssumed !== true) return "";
  const option =
    format.kind === "number"
      ? "--decimal sets it"
      : format.firstYear === undefined
        ? "--date sets it"
        : `--date sets it, as in --date ${format.order ?? "dmy"}@1950 for years from 1950 to 2049`;
  return `, assumed, because the cells allow another reading too; ${option}`;
}

/** A unit or an order of dates that is not that of the training file. */
function driftNotes(
  name: string,
  format: CellFormat | undefined,
  learned: LearnedFormat,
): string[] {
  const notes: string[] = [];
  const [unit, learnedUnit] = [unitOf(format), unitOf(learned)];
  if (unit !== learnedUnit) {
    const words = (one: string | undefined): string => (one === undefined ? "none" : quote(one));
    notes.push(
      `Column ${quote(name)}: the unit is ${words(unit)} here and was ${words(learnedUnit)} in training; the numbers are used as they are.`,
    );
  }
  const [order, learnedOrder] = [orderOf(format), orderOf(learned)];
  if (order !== undefined && learnedOrder !== undefined && order !== learnedOrder) {
    const doubt =
      typeof learned === "object" && learned.isAssumed === true
        ? ` as was assumed there; if that was wrong, tune again with --date ${order}`
        : "";
    notes.push(
      `Column ${quote(name)}: dates have the ${orderWords[order]} here and had the ${orderWords[learnedOrder]} in training${doubt}.`,
    );
  }
  return notes;
}

function unitOf(format: LearnedFormat | undefined): string | undefined {
  return typeof format === "object" && format.kind === "number" ? format.unit : undefined;
}

/** The order of day and month; a year in front is clear in any file. */
function orderOf(format: LearnedFormat | undefined): "dmy" | "mdy" | undefined {
  if (typeof format !== "object" || format.kind !== "date") return undefined;
  return format.order === "ymd" ? undefined : format.order;
}
