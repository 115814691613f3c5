/** How the numbers of a column are written: found from all its distinct cells, because one cell can mean two things. */
import type { Decimal, NumberFormat, Thousands } from "./cell-format.ts";
import { numberIn, type NumberShape, type ReadNumber } from "./number-shape.ts";

/** What a column's cells say about how its numbers are written. */
export interface FoundNumbers {
  readonly format: NumberFormat;
  /** [cells] */
  readonly values: readonly number[];
  /** Whether the cells rule out the other decimal sign, or mean the same under it, or the sign was given or learned. */
  readonly isClear: boolean;
}

/** What decides where the cells fit both decimal signs, the first that is given. */
export interface NumberHints {
  /** Asked for by the user. */
  readonly given?: Decimal | undefined;
  /** Of the same column in the file that a model was trained on. */
  readonly learned?: Decimal | undefined;
  /** What other columns of the file say. */
  readonly file?: Decimal | undefined;
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
): FoundNumbers | undefined {
  const unit = commonUnit(shapes);
  if (unit === undefined || looksLikeCodes(shapes)) return undefined;
  const point = readAll(shapes, ".");
  const comma = readAll(shapes, ",");
  if (point === undefined && comma === undefined) return undefined;
  const isOpen =
    point !== undefined && comma !== undefined && shapes.some(({ digits }) => /[.,]/.test(digits));
  const known = hints.given ?? hints.learned;
  let decimal: Decimal = point === undefined ? "," : ".";
  if (isOpen) decimal = known ?? hints.file ?? assumedDecimal(shapes, hints.delimiter);
  const { values, thousands } = (decimal === "." ? point : comma)!;
  const format: NumberFormat = {
    kind: "number",
    decimal,
    ...(thousands === undefined ? {} : { thousands }),
    ...(unit === "" ? {} : { unit }),
  };
  return { format, values, isClear: !isOpen || known !== undefined };
}

/** Whether a format is what plain decimal notation is. */
export function isPlain(format: NumberFormat): boolean {
  return format.decimal === "." && format.thousands === undefined && format.unit === undefined;
}

function readAll(
  shapes: readonly NumberShape[],
  decimal: Decimal,
): { values: number[]; thousands: Thousands | undefined } | undefined {
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
