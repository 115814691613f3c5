/**
 * What a column with cells that are not plain numbers is: numbers written another way, dates, numbers with a few
 * placeholders among them, or text. All distinct cells are looked at, and where they leave a choice, it says so.
 */
import { quote } from "../../words.ts";
import type { CellFormat, ColumnKind, DateOrder, Decimal } from "./cell-format.ts";
import { compactDate, dateIn, findDateFormat } from "./dates.ts";
import { defaultMissing, isCensored, isPlaceholder, missingTest } from "./missing-words.ts";
import { findNumberFormat, isPlain } from "./number-format.ts";
import { isInfinite, numberIn, shapeOf, type NumberShape } from "./number-shape.ts";

/** The distinct cells of a column that are not empty, and how often each comes. */
export interface ColumnCells {
  readonly levels: readonly string[];
  /** [levels] */
  readonly counts: ArrayLike<number>;
}

/** What is known about a column beside its cells. */
export interface ColumnHints {
  /** The kind that was asked for; anything that is no number is then an error. */
  readonly wanted?: ColumnKind | undefined;
  /** How a model learned the column: its format, or "plain". Absent when there is no model. */
  readonly learned?: CellFormat | "plain" | undefined;
  /** Words that the model's training file had for missing numbers. */
  readonly learnedWords?: readonly string[] | undefined;
  readonly decimal?: Decimal | undefined;
  readonly dateOrder?: DateOrder | undefined;
  readonly fileDecimal?: Decimal | undefined;
  readonly fileOrder?: DateOrder | undefined;
  readonly delimiter: string;
}

/** What the column is. */
export type Interpretation =
  | {
      readonly kind: "categorical";
      /** Why a column that looks like numbers is not one, and what to do, as the end of a sentence. */
      readonly why?: string;
    }
  | {
      readonly kind: "numeric";
      /** [levels], NaN for words. */
      readonly values: Float64Array;
      /** Absent for plain numbers. */
      readonly format?: CellFormat;
      /** Levels that stand for missing numbers. */
      readonly words: readonly number[];
      /** Whether nothing about the format had to be assumed. */
      readonly isClear: boolean;
    }
  | {
      readonly kind: "refused";
      readonly level: number;
      /** What is wrong with the level, and what to do: the rest of a sentence that begins with it. */
      readonly why: string;
    };

/** More distinct whole numbers than this are measured, not codes. */
const codeLimit = 10;

/** Distinct words that are unknown to us and still taken for placeholders, and the share of cells they may have. */
const strangeWords = 3;
const strangeShare = 0.1;

export function interpretColumn(cells: ColumnCells, hints: ColumnHints): Interpretation {
  const { levels } = cells;
  const text: Interpretation = { kind: "categorical" };
  if (hints.wanted === "categorical") return text;
  const shapes = levels.map(shapeOf);
  const isDate = levels.map((cell) => isDateCell(cell, hints));
  const share = (chosen: readonly boolean[]): number =>
    chosen.reduce((sum, is, i) => sum + (is ? cells.counts[i]! : 0), 0);
  const isNumber = shapes.map((shape) => shape !== undefined);
  if (!isNumber.includes(true) && !isDate.includes(true)) {
    return hints.wanted === undefined ? text : onlyWords(cells, hints);
  }
  return share(isDate) >= share(isNumber)
    ? asDates(cells, isDate, hints)
    : asNumbers(cells, shapes, hints);
}

function isDateCell(cell: string, hints: ColumnHints): boolean {
  if (cell.length > 40) return false;
  const learnsDates = typeof hints.learned === "object" && hints.learned.kind === "date";
  return dateIn(cell, hints.dateOrder !== undefined || learnsDates) !== undefined;
}

function asNumbers(
  cells: ColumnCells,
  shapes: readonly (NumberShape | undefined)[],
  hints: ColumnHints,
): Interpretation {
  const { levels } = cells;
  const isHuge = levels.map(isInfinite);
  const isNumber = shapes.map((shape, i) => shape !== undefined && !isHuge[i]!);
  const numbers = levels.flatMap((_, i) => (isNumber[i]! ? [i] : []));
  const others = levels.flatMap((_, i) => (isNumber[i]! ? [] : [i]));
  const infinite = others.find((i) => isHuge[i]!);
  const words = others.filter((i) => !isHuge[i]!);
  if (hints.wanted === undefined && numbers.some((i) => /^0\d+$/.test(levels[i]!))) {
    const isCode = words.length === 0;
    return isCode
      ? { kind: "categorical", why: "its codes begin with zeros; --numeric reads them as numbers" }
      : { kind: "categorical" };
  }
  const refusal = judgeWords(cells, numbers, words, hints);
  if (refusal !== undefined) return refusal;
  if (infinite !== undefined) {
    return {
      kind: "refused",
      level: infinite,
      why: "is infinite, and the column would be numeric without it; take such cells as missing (--missing), or read the column as text (--categorical)",
    };
  }
  const known = numbers.map((i) => shapes[i]!);
  const learned = hints.learned;
  const found = findNumberFormat(known, {
    given: hints.decimal,
    learned: learned === "plain" ? "." : learned?.kind === "number" ? learned.decimal : undefined,
    file: hints.fileDecimal,
    delimiter: hints.delimiter,
  });
  if (found === undefined) return noFormat(cells, numbers, known, hints);
  if (typeof learned === "object" && learned.kind === "date") {
    return {
      kind: "refused",
      level: numbers[0]!,
      why: "is a number, and the model needs dates here; write it as in the training file",
    };
  }
  const values = new Float64Array(levels.length).fill(NaN);
  numbers.forEach((level, i) => (values[level] = found.values[i]!));
  return {
    kind: "numeric",
    values,
    words: others,
    isClear: found.isClear,
    ...(isPlain(found.format) ? {} : { format: found.format }),
  };
}

function asDates(
  cells: ColumnCells,
  isDate: readonly boolean[],
  hints: ColumnHints,
): Interpretation {
  const { levels } = cells;
  const dates = levels.flatMap((_, i) => (isDate[i]! ? [i] : []));
  const words = levels.flatMap((_, i) => (isDate[i]! ? [] : [i]));
  const { learned } = hints;
  const isLearned = typeof learned === "object" && learned.kind === "date";
  // A few numbers of eight digits may be dates by chance.
  const compact = dates.filter((i) => compactDate(levels[i]!) !== undefined);
  if (compact.length > 0 && !isLearned && hints.dateOrder !== "ymd") {
    if (compact.length < Math.max(5, dates.length) || hints.wanted === "numeric") {
      return asNumbers(cells, levels.map(shapeOf), hints);
    }
  }
  if (learned !== undefined && !isLearned) {
    return {
      kind: "refused",
      level: dates[0]!,
      why: "is a date, and the model needs numbers here; write it as in the training file",
    };
  }
  const refusal = judgeWords(cells, dates, words, hints);
  if (refusal !== undefined) return refusal;
  const found = findDateFormat(
    dates.map((i) => levels[i]!),
    {
      given: hints.dateOrder,
      learned: isLearned ? learned.order : undefined,
      file: hints.fileOrder,
      usual: hints.fileDecimal === "," || hints.delimiter === ";" ? "dmy" : "mdy",
    },
  );
  if (found === undefined) {
    const why = "no order of day and month fits all of its dates; write them alike to have dates";
    return hints.wanted === undefined
      ? { kind: "categorical", why }
      : {
          kind: "refused",
          level: dates[0]!,
          why: `is a date, the column must be numeric, and ${why}`,
        };
  }
  const values = new Float64Array(levels.length).fill(NaN);
  dates.forEach((level, i) => (values[level] = found.values[i]!));
  return { kind: "numeric", values, format: found.format, words, isClear: found.isClear };
}

/** Whether the cells that are no numbers may stand for missing ones; what the column is instead if not. */
function judgeWords(
  cells: ColumnCells,
  numbers: readonly number[],
  words: readonly number[],
  hints: ColumnHints,
): Interpretation | undefined {
  const { levels, counts } = cells;
  const count = (chosen: readonly number[]): number =>
    chosen.reduce((sum, i) => sum + counts[i]!, 0);
  const isLearned = missingTest(hints.learnedWords ?? []);
  const isDefault = missingTest(defaultMissing);
  const unknown = words.filter((i) => !isDefault(levels[i]!) && !isLearned(levels[i]!));
  const strange = unknown.filter((i) => !isPlaceholder(levels[i]!) && !isCensored(levels[i]!));
  if (hints.wanted === "numeric") {
    if (strange.length === 0) return undefined;
    const why =
      "is not a number, and the column must be numeric; correct the cell, add the word to the missing ones (--missing), or read the column as text (--categorical)";
    return { kind: "refused", level: strange[0]!, why };
  }
  const present = count(numbers) + count(words);
  const isCoded =
    numbers.length <= codeLimit && numbers.every((i) => /^[+-]?\d+$/.test(levels[i]!));
  if (isCoded && count(unknown) > strangeShare * present) return { kind: "categorical" };
  if (strange.length === 0) return undefined;
  const isFew =
    !isCoded && strange.length <= strangeWords && count(strange) <= strangeShare * present;
  return isFew ? undefined : { kind: "categorical" };
}

/** Numbers were asked for and there are none. */
function onlyWords(cells: ColumnCells, hints: ColumnHints): Interpretation {
  const words = cells.levels.map((_, i) => i);
  const refusal = judgeWords(cells, [], words, hints);
  if (refusal !== undefined) return refusal;
  return {
    kind: "numeric",
    values: new Float64Array(words.length).fill(NaN),
    words,
    isClear: true,
  };
}

function noFormat(
  cells: ColumnCells,
  numbers: readonly number[],
  shapes: readonly NumberShape[],
  hints: ColumnHints,
): Interpretation {
  const only = (decimal: Decimal): number =>
    shapes.findIndex(
      (shape) =>
        numberIn(shape, decimal) !== undefined &&
        numberIn(shape, decimal === "." ? "," : ".") === undefined,
    );
  const isNumber = shapes.every(
    (shape) => numberIn(shape, ".") !== undefined || numberIn(shape, ",") !== undefined,
  );
  const [point, comma] = [only("."), only(",")];
  const units = new Set(shapes.map(({ unit }) => unit));
  if (isNumber && units.size === 1 && point >= 0 && comma >= 0) {
    return {
      kind: "refused",
      level: numbers[comma]!,
      why: `has a decimal comma, and ${quote(cells.levels[numbers[point]!]!)} in the same column a decimal point; write them alike, or read the column as text (--categorical)`,
    };
  }
  if (hints.wanted === "numeric") {
    const why = "is not written like the other numbers of the column; write them alike";
    return { kind: "refused", level: numbers.at(-1)!, why };
  }
  return isNumber && units.size > 1
    ? {
        kind: "categorical",
        why: `its units differ, ${[...units].slice(0, 3).map(unitName).join(" and ")}; write them alike to have numbers`,
      }
    : { kind: "categorical" };
}

function unitName(unit: string): string {
  return unit === "" ? "none" : quote(unit);
}
