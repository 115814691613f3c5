/** Columns of text that are nearly numbers or dates: which cells hinder, and what helps. */
import { isDate } from "../cells/dates.ts";
import { shapeOf } from "../cells/number-shape.ts";
import { plural, quote } from "../../words.ts";
import type { CategoricalColumn } from "../table.ts";

/** Share of numbers or dates from which the other cells are pointed out. */
const mostly = 0.8;

const shownCells = 3;

/**
 * @param firstLine - the line on which a level first appears.
 * @returns a sentence, or undefined for text.
 */
export function nearlyNumbersNote(
  column: CategoricalColumn,
  firstLine: (level: number) => number,
): string | undefined {
  const { name, codes, levels } = column;
  const counts = new Int32Array(levels.length);
  let present = 0;
  for (const code of codes) {
    if (code < 0) continue;
    present++;
    counts[code]!++;
  }
  const kinds = [
    { what: "numbers", fits: levels.map((level) => shapeOf(level) !== undefined) },
    { what: "dates", fits: levels.map((level) => level.length <= 40 && isDate(level)) },
  ].map(({ what, fits }) => {
    const others = levels.flatMap((_, level) => (fits[level]! ? [] : [level]));
    return { what, others, cells: others.reduce((sum, level) => sum + counts[level]!, 0) };
  });
  const best = kinds.reduce((a, b) => (b.cells < a.cells ? b : a));
  const { what, others, cells } = best;
  if (others.length === 0 || present - cells < mostly * present) return undefined;
  const shown = others
    .slice(0, shownCells)
    .map((level) => `${quote(levels[level]!)} on line ${firstLine(level)}`);
  const more =
    others.length > shownCells ? `, and ${plural(others.length - shownCells, "other text")}` : "";
  return `Column ${quote(name)} is categorical because ${cells} of ${plural(present, "cell")} are not ${what}, ${shown.join(", ")}${more}; correct them, or add such words to the missing ones (--missing) if that is what they mean.`;
}
