/** How the numbers of a column are written: found from all its distinct cells, because one cell can mean two things. */
import type {
  Basis,
  Decimal,
  LearnedFormat,
  NumberFormat,
  Thousands,
  Unclear,
} from "./cell-format.ts";
import { numberIn, type NumberShape, type ReadNumber } from "./number-shape.ts";

/** How a column's numbers are written. */
export interface FoundNumbers {
  readonly kind: "found";
  readonly format: NumberFormat;
  /** [cells] */
  readonly values: readonly number[];
  /** What decided the decimal sign. */
  readonly basis: Basis;
}

/** What decides where the cells fit both decimal signs, the first that is given. */
export interface NumberHints {
  /** Asked for by the user. */
  readonly given?: Decimal | undefined;
  /** Of the same column in the file that a model was trained on. Absent without a model. */
  readonly learned?: LearnedFormat | undefined;
  /** What other columns of the file say. */
  readonly file?: Decimal | undefined;
  /** Decimal signs of columns of the file that the model did not learn for them. */
  readonly drift?: ReadonlySet<Decimal> | undefined;
  /** Of the file. */
  readonly delimiter: string;
}

/**
 * The format under which all cells are numbers, or undefined when there is none: no decimal sign fits every
 * cell, groups are cut by different characters, or units differ. A currency may be left out in some cells, a
 * percent sign or another unit may not, because "5" beside "5%" may mean 500 %.
 */
export function findNumberFormat(
  shapes: readonly NumberShape[],
  hints: NumberHints,
): FoundNumbers | Unclear | undefined {
  const unit = commonUnit(shapes);
  const minus = minusPlace(shapes, hints.learned);
  if (unit === undefined || minus === undefined || looksLikeCodes(shapes)) return undefined;
  const readings = { ".": readAll(shapes, "."), ",": readAll(shapes, ",") };
  if (readings["."] === undefined && readings[","] === undefined) return undefined;
  const chosen = chooseDecimal(shapes, readings, hints);
  if ("kind" in chosen) return chosen;
  const { decimal, basis } = chosen;
  const { values, thousands } = readings[decimal]!;
  const format: NumberFormat = {
    kind: "number",
    decimal,
    ...(thousands === undefined ? {} : { thousands }),
    ...(unit === "" ? {} : { unit }),
    ...(minus === "behind" ? { minus } : {}),
    ...(basis === "file" || basis === "usual" ? { isAssumed: true } : {}),
  };
  return { kind: "found", format, values, basis };
}

/** The numbers of a column under one decimal sign. */
interface Reading {
  readonly values: readonly number[];
  readonly thousands: Thousands | undefined;
}

function chooseDecimal(
  shapes: readonly NumberShape[],
  readings: Readonly<Record<Decimal, Reading | undefined>>,
  { given, learned, file, drift, delimiter }: NumberHints,
): { decimal: Decimal; basis: Basis } | Unclear {
  const open = shapes.findIndex(({ digits }) => /[.,]/.test(digits));
  if (readings["."] === undefined) return { decimal: ",", basis: "cells" };
  if (readings[","] === undefined || open < 0) return { decimal: ".", basis: "cells" };
  if (given !== undefined) return { decimal: given, basis: "given" };
  const shown = learned === undefined ? undefined : shownFormat(learned);
  const comma = shapes.findIndex(({ digits }) => digits.includes(","));
  if (
    shown?.thousands === undefined &&
    comma >= 0 &&
    shapes.some(({ digits }) => digits.includes("."))
  ) {
    const why = `has a comma where other cells of the column have a point, and either may be the decimal sign; write them alike, or say which it is (--decimal)`;
    return { kind: "unclear", cell: comma, why };
  }
  if (learned === undefined) {
    return file === undefined
      ? { decimal: assumedDecimal(shapes, delimiter), basis: "usual" }
      : { decimal: file, basis: "file" };
  }
  if (shown === undefined) {
    if (file !== undefined) return { decimal: file, basis: "file" };
    return unclear(open, "the training file does not show which");
  }
  const { decimal } = shown;
  const isFitting = [undefined, shown.thousands].includes(readings[decimal]!.thousands);
  const others = [...(drift ?? [])].filter((sign) => sign !== decimal);
  if (others.length > 0) {
    return unclear(open, "this file's other columns are not written as in the training file");
  }
  if (isFitting || file === decimal) return { decimal, basis: "learned" };
  return unclear(open, "the training file has no such numbers");
}

/** What a model's format says about separators; undefined when its column never had any. */
function shownFormat(
  learned: LearnedFormat,
): { decimal: Decimal; thousands?: Thousands } | undefined {
  if (learned === "plain") return { decimal: "." };
  if (learned === "whole" || learned.kind === "date") return undefined;
  return learned;
}

function unclear(cell: number, because: string): Unclear {
  const why = `can be read with either decimal sign, and ${because}; --decimal , or --decimal . says how it is meant`;
  return { kind: "unclear", cell, why };
}

/** Whether a format is what plain decimal notation is. */
export function isPlain(format: NumberFormat): boolean {
  const { decimal, thousands, unit, minus } = format;
  return decimal === "." && thousands === undefined && unit === undefined && minus === undefined;
}

function readAll(shapes: readonly NumberShape[], decimal: Decimal): Reading | undefined {
  const values: number[] = [];
  let thousands: Thousands | undefined;
  for (const shape of shapes) {
    const read: ReadNumber | undefined = numberIn(shape, decimal);
    if (read === undefined) return undefined;
    if (read.thousands !== undefined) {
      if (thousands !== undefined && thousands !== read.thousands) return undefined;
      thousands = read.thousands;
    }
    values.push(read.value);
  }
  return { values, thousands };
}

/** The unit of all cells, "" for none, undefined when they do not agree. */
function commonUnit(shapes: readonly NumberShape[]): string | undefined {
  const units = new Set(shapes.map(({ unit }) => unit));
  if (units.size === 1) return [...units][0];
  units.delete("");
  const [unit] = units;
  return units.size === 1 && isCurrency.test(unit!) ? unit : undefined;
}

/** Fewer distinct whole numbers than this may be grades, 2 and 2-. */
const gradeLimit = 10;

/**
 * Where minus signs stand, undefined when those behind numbers are not clear: beside signs before numbers, behind every
 * number, as in 65- for 65 and older, or behind a few whole numbers, which may be grades.
 */
function minusPlace(
  shapes: readonly NumberShape[],
  learned: LearnedFormat | undefined,
): "before" | "behind" | undefined {
  const behind = shapes.filter(({ minusBehind }) => minusBehind).length;
  if (behind === 0) return "before";
  if (shapes.some((shape) => shape.negative && !shape.minusBehind)) return undefined;
  if (typeof learned === "object" && learned.kind === "number" && learned.minus === "behind") {
    return "behind";
  }
  if (behind === shapes.length) return undefined;
  const isMeasured = shapes.length > gradeLimit || shapes.some(({ digits }) => /[.,]/.test(digits));
  return isMeasured ? "behind" : undefined;
}

const isCurrency = /\p{Sc}|^[A-Z]{3}$|^Fr\.$|^Rs\.?$|^[Kk]r\.?$/u;

/**
 * Digits in groups of one length are telephone or card numbers, 612 345 678; numbers differ in size. What is
 * always in parentheses is not negative.
 */
function looksLikeCodes(shapes: readonly NumberShape[]): boolean {
  const grouped = shapes.filter(({ digits }) => digits.includes(" "));
  const isPhone =
    grouped.length === shapes.length &&
    grouped.length > 1 &&
    grouped.every(({ digits }) => digits.length === grouped[0]!.digits.length) &&
    grouped[0]!.digits.length >= 11;
  return isPhone || shapes.every(({ parentheses }) => parentheses);
}

/**
 * Cells such as 1,234 or 1.234 alone. A point is the decimal sign. Commas group thousands where the file cuts
 * its cells by commas, or where numbers below a thousand have none and no larger number is without.
 */
function assumedDecimal(shapes: readonly NumberShape[], delimiter: string): Decimal {
  if (shapes.some(({ digits }) => digits.includes("."))) return ".";
  const bare = shapes.filter(({ digits }) => /^\d+$/.test(digits));
  const isGrouping = bare.length > 0 && bare.every(({ digits }) => digits.length <= 3);
  const isMixed = bare.some(({ digits }) => digits.length > 3);
  return !isMixed && (delimiter === "," || isGrouping) ? "." : ",";
}
