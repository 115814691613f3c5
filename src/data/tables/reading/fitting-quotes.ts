/**
 * Quotes that are not those of RFC 4180. Where a file cannot be read with them, and every row has its cells once
 * quotes inside cells, or all quotes, are taken as they are written, that is how they were meant.
 */
import { lineOfPlace, parseRecords, type Quotes } from "./parse-records.ts";
import type { CsvFile } from "./read-columns.ts";
import { DataError } from "../../data-error.ts";
import { plural } from "../../words.ts";

/** What reading gave, and the file with the quotes that fitted. */
export interface FittingQuotes<Result> {
  readonly result: Result;
  readonly file: CsvFile;
  /** Said when quotes were not read strictly. */
  readonly quotesNote: string | undefined;
}

/** Reads with strict quotes, or else with the other readings that leave every row whole. */
export function readWithFittingQuotes<Result>(
  file: CsvFile,
  read: (file: CsvFile) => Result,
): FittingQuotes<Result> {
  try {
    return { result: read(file), file, quotesNote: undefined };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    for (const quotes of ["relaxed", "none"] as const) {
      const odd = oddQuotes(file, quotes);
      if (odd === undefined) continue;
      const fitting = { ...file, quotes };
      const what = quotes === "relaxed" ? "Quotes inside cells" : "Quotes";
      const note = `${what} are taken as they are written, in ${plural(odd.count, "row")}, first on line ${odd.firstLine}.`;
      return { result: read(fitting), file: fitting, quotesNote: note };
    }
    throw error;
  }
}

/** The rows with quotes that stay; undefined when this reading is no better, or when it would tear a quoted cell. */
function oddQuotes(
  file: CsvFile,
  quotes: Quotes,
): { count: number; firstLine: number } | undefined {
  const { text, source } = file;
  let count = 0;
  let first = 0;
  let fits = true;
  try {
    parseRecords(text, source, { ...file, quotes }, (cells, { start }) => {
      if (cells.length !== file.width) throw new Error("no better");
      if (!cells.some((cell) => cell.includes('"'))) return;
      if (quotes === "none" && cells.some((cell) => /^".*"$/s.test(cell))) fits = false;
      if (count++ === 0) first = start;
    });
  } catch {
    return undefined;
  }
  return fits && count > 0 ? { count, firstLine: lineOfPlace(text, first) } : undefined;
}
