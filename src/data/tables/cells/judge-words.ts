/** Cells that are no numbers among numbers: a few stand for missing ones, more make the column text. */
import type { ColumnCells, ColumnHints, Interpretation } from "./interpretation.ts";
import { defaultMissing, isCensored, isPlaceholder, missingTest } from "./missing-words.ts";

/** More distinct whole numbers than this are measured, not codes. */
const codeLimit = 10;

/** Distinct words that are unknown to us and still taken for placeholders, and the share of cells they may have. */
const strangeWords = 3;
const strangeShare = 0.1;

/** Whether the cells that are no numbers may stand for missing ones; what the column is instead if not. */
export function judgeWords(
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
