/** A column whose cells are mostly numbers, written this way or that. */
import { quote } from "../../words.ts";
import type { Decimal } from "./cell-format.ts";
import { isLearnedDate } from "./dates.ts";
import {
  refusedFor,
  type ColumnCells,
  type ColumnHints,
  type Interpretation,
} from "./interpretation.ts";
import { judgeWords } from "./judge-words.ts";
import { findNumberFormat, isPlain } from "./number-format.ts";
import { isInfinite, numberIn, type NumberShape } from "./number-shape.ts";

export function interpretNumbers(
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
  const found = findNumberFormat(known, {
    given: hints.decimal,
    learned: hints.learned,
    file: hints.fileDecimal,
    drift: hints.driftDecimals,
    delimiter: hints.delimiter,
  });
  if (found?.kind === "unclear") return refusedFor(numbers, found);
  if (found === undefined) return noFormat(cells, numbers, known, hints);
  if (isLearnedDate(hints.learned)) {
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
    basis: found.basis,
    ...(isPlain(found.format) ? {} : { format: found.format }),
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
