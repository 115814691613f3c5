/** A column whose cells are mostly dates. */
import { isLearnedDate, findDateFormat } from "./dates.ts";
import { interpretNumbers } from "./interpret-numbers.ts";
import {
  refusedFor,
  type ColumnCells,
  type ColumnHints,
  type Interpretation,
} from "./interpretation.ts";
import { judgeWords } from "./judge-words.ts";
import { shapeOf } from "./number-shape.ts";
import { compactDate } from "./written-dates.ts";

export function interpretDates(
  cells: ColumnCells,
  isDate: readonly boolean[],
  hints: ColumnHints,
): Interpretation {
  const { levels } = cells;
  const dates = levels.flatMap((_, i) => (isDate[i]! ? [i] : []));
  const words = levels.flatMap((_, i) => (isDate[i]! ? [] : [i]));
  const { learned } = hints;
  const isLearned = isLearnedDate(learned);
  // A few numbers of eight digits may be dates by chance.
  const compact = dates.filter((i) => compactDate(levels[i]!) !== undefined);
  if (compact.length > 0 && !isLearned && hints.date?.startsWith("ymd") !== true) {
    if (compact.length < Math.max(5, dates.length) || hints.wanted === "numeric") {
      return interpretNumbers(cells, levels.map(shapeOf), hints);
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
      given: hints.date,
      learned,
      file: hints.fileOrder,
      drift: hints.driftOrders,
      usual: hints.fileDecimal === "," || hints.delimiter === ";" ? "dmy" : "mdy",
    },
  );
  if (found.kind === "unclear") return refusedFor(dates, found);
  if (found.kind === "none") {
    const { why } = found;
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
  return { kind: "numeric", values, format: found.format, words, basis: found.basis };
}
