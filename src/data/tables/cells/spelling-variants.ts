/** Levels that a reader would take for the same. */
import { canonicalNumber } from "./canonical-number.ts";

/** Columns with more levels than this hold free text, where variants mean nothing. */
const levelLimit = 1000;

/** Groups of levels that differ only in case, in blanks, or in the way a number is written. */
export function spellingVariants(levels: readonly string[]): string[][] {
  if (levels.length > levelLimit) return [];
  const groups = new Map<string, string[]>();
  for (const level of levels) {
    const key = canonicalNumber(level) ?? folded(level);
    groups.set(key, [...(groups.get(key) ?? []), level]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function folded(level: string): string {
  return level.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
}
