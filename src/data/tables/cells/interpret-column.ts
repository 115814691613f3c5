/**
 * What a column with cells that are not plain numbers is: numbers written another way, dates, numbers with a few
 * placeholders among them, or text. All distinct cells are looked at, and where they leave a choice, it says so.
 */
import { isDate, isLearnedDate } from "./dates.ts";
import { interpretDates } from "./interpret-dates.ts";
import { interpretNumbers } from "./interpret-numbers.ts";
import type { ColumnCells, ColumnHints, Interpretation } from "./interpretation.ts";
import { judgeWords } from "./judge-words.ts";
import { shapeOf } from "./number-shape.ts";

export function interpretColumn(cells: ColumnCells, hints: ColumnHints): Interpretation {
  const { levels } = cells;
  const text: Interpretation = { kind: "categorical" };
  if (hints.wanted === "categorical") return text;
  const shapes = levels.map(shapeOf);
  const isDated = levels.map((cell) => isDateCell(cell, hints));
  const share = (chosen: readonly boolean[]): number =>
    chosen.reduce((sum, is, i) => sum + (is ? cells.counts[i]! : 0), 0);
  const isNumber = shapes.map((shape) => shape !== undefined);
  if (!isNumber.includes(true) && !isDated.includes(true)) {
    return hints.wanted === undefined ? text : onlyWords(cells, hints);
  }
  return share(isDated) >= share(isNumber)
    ? interpretDates(cells, isDated, hints)
    : interpretNumbers(cells, shapes, hints);
}

function isDateCell(cell: string, hints: ColumnHints): boolean {
  if (cell.length > 40) return false;
  return isDate(cell, hints.date !== undefined || isLearnedDate(hints.learned));
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
    basis: "cells",
  };
}
