/** Words that stand for a missing number. In a column of text they are text like any other. */
import { canonicalNumber } from "./canonical-number.ts";

/** Words that stand for a missing number unless others are given. */
export const defaultMissing: readonly string[] = ["", "?", "NA", "N/A", "NaN", "null", "None"];

/** What spreadsheets, laboratories and databases write where a number is missing; in lower case. */
const placeholders: ReadonlySet<string> = new Set([
  ...defaultMissing.map((word) => word.toLowerCase()),
  ...["-", "--", "---", "–", "—", ".", "..", "...", "*", "/", "\\n", "#"],
  ...["#n/a", "#n/a n/a", "#na", "#value!", "#div/0!", "#ref!", "#name?", "#num!", "#null!", "#nv"],
  ...["#wert!", "#bezug!", "#zahl!", "#error!", "#fehler!", "#nombre!", "#valeur!"],
  ...["<na>", "<null>", "(null)", "(none)", "(empty)", "(blank)", "nil", "-nan", "1.#qnan"],
  ...["nat", "n.a.", "n.a", "n.d.", "nd", "n/d", "n/v", "n.v.", "k.a.", "k. a.", "s.o.", "s/d"],
  ...["missing", "unknown", "undefined", "not available", "not applicable", "no data", "empty"],
  ...["tbd", "tba", "unbekannt", "fehlt", "inconnu", "0000-00-00", "0000-00-00 00:00:00"],
]);

/** Whether the word is one of those, in any case. */
export function isPlaceholder(cell: string): boolean {
  return cell.length <= 20 && (placeholders.has(cell) || placeholders.has(cell.toLowerCase()));
}

/** Whether a cell says only that a number is below or above a limit, such as <0.5. */
export function isCensored(cell: string): boolean {
  return /^[<>≤≥~≈]=?\s*[+-]?\d+([.,]\d+)?\s*[%\p{L}]{0,5}$/u.test(cell);
}

/**
 * The set of words for a missing cell, as a test; case and surrounding blanks do not matter, and a number stands for all
 * its spellings: -999 for -999.0, but 0 not for the code 000.
 */
export function missingTest(words: readonly string[]): (cell: string) => boolean {
  const known = new Set(words.map((word) => word.trim().toLowerCase()));
  const longest = Math.max(0, ...[...known].map((word) => word.length));
  const isWord = (cell: string): boolean =>
    cell.length <= longest && (known.has(cell) || known.has(cell.toLowerCase()));
  const numbers = new Set([...known].map(canonicalNumber).filter((word) => word !== undefined));
  if (numbers.size === 0) return isWord;
  return (cell) => {
    if (isWord(cell)) return true;
    const number = cell.length <= 40 ? canonicalNumber(cell) : undefined;
    return number !== undefined && numbers.has(number);
  };
}
