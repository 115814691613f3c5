/**
 * The one place that calls csv-parse: records out, its errors turned into sentences. Lines are counted
 * from byte offsets, because csv-parse counts a \r\n inside quotes twice.
 */
import { CsvError, parse, type Options } from "csv-parse/sync";
import { lineAt } from "../../packed/read-bytes.ts";
import { DataError } from "../../data-error.ts";

/** Where a record lies: bytes [start, end), `start` at the end of the previous record. */
export interface RecordPlace {
  readonly index: number;
  readonly start: number;
}

/**
 * What quotes mean: `strict` is RFC 4180, `relaxed` takes a quote inside a cell as it is written, `none` takes all
 * of them so.
 */
export type Quotes = "strict" | "relaxed" | "none";

/** How records are found in a text. */
export interface RecordFormat {
  readonly delimiter: string;
  /** Byte at which the first record begins. Default 0. */
  readonly start?: number;
  /** Default "strict". */
  readonly quotes?: Quotes;
}

/** Cells longer than this are refused: a stray quote has usually swallowed the rest of the file. */
export const cellLimit: number = 1_000_000;

/** Records longer than this are refused, as lines are before anything is parsed: a hundred thousand cells of eighty bytes. */
export const recordLimit: number = 8_000_000;

/**
 * Calls `visit` for each record. Blanks around unquoted cells are removed; blank lines are skipped.
 *
 * @param options.limit - stop after this many records; default: all.
 * @throws {@link DataError} for quotes that do not match, and whatever `visit` throws.
 */
export function parseRecords(
  text: Uint8Array,
  source: string,
  options: RecordFormat & { limit?: number },
  visit: (cells: string[], place: RecordPlace) => void,
): void {
  const { quotes = "strict", start: from = 0 } = options;
  let index = 0;
  let start = from;
  const settings: Options = {
    delimiter: options.delimiter,
    // csv-parse tries each of these at every byte.
    record_delimiter: text.includes(0x0d) ? ["\r\n", "\n", "\r"] : "\n",
    quote: quotes !== "none" && text.includes(0x22) ? '"' : null,
    relax_quotes: quotes === "relaxed",
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: recordLimit,
    to: options.limit ?? -1,
    on_record: (cells: string[], context) => {
      visit(cells, { index, start });
      index++;
      start = from + context.bytes;
      return null;
    },
  };
  try {
    parse(text.subarray(from), settings);
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw quoteError(cause, text, source, from);
  }
}

/** 1-based line on which a record begins. */
export function lineOfPlace(text: Uint8Array, start: number): number {
  let at = start;
  while (at < text.length && (text[at] === 0x0a || text[at] === 0x0d || text[at] === 0x20)) at++;
  return lineAt(text, at);
}

/** Whether an error says that a record is longer than {@link recordLimit}. */
export function isTooLong(error: unknown): boolean {
  const cause = error instanceof DataError ? error.cause : undefined;
  return cause instanceof CsvError && cause.code === "CSV_MAX_RECORD_SIZE";
}

function quoteError(error: CsvError, text: Uint8Array, source: string, from: number): DataError {
  // csv-parse reports the bytes up to the last finished cell; the quote at fault comes after it.
  const opening = text.indexOf(0x22, from + Number(error.bytes));
  const line = lineAt(text, opening);
  switch (error.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return new DataError(
        `${source}, line ${line}: the quote that opens here is never closed; close it, or double it if it belongs to the cell.`,
        { cause: error },
      );
    case "INVALID_OPENING_QUOTE":
      return new DataError(
        `${source}, line ${line}: a quote stands in the middle of a cell; put the whole cell in quotes and double the quotes inside it.`,
        { cause: error },
      );
    case "CSV_INVALID_CLOSING_QUOTE":
    case "CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE": {
      const closing = lineAt(text, closingQuote(text, opening));
      return new DataError(
        `${source}, line ${closing}: text follows the closing quote of the cell that opens on line ${line}; put the delimiter after the quote, or double the quotes inside the cell.`,
        { cause: error },
      );
    }
    case "CSV_MAX_RECORD_SIZE":
      return new DataError(
        `${source}, line ${line}: the quote that opens here goes on for more than ${recordLimit} characters; close it, or double it if it belongs to the cell.`,
        { cause: error },
      );
    default:
      return new DataError(`${source}: the file is not valid CSV (${error.message}); correct it.`, {
        cause: error,
      });
  }
}

/** The first quote after `opening` that is not doubled. */
function closingQuote(text: Uint8Array, opening: number): number {
  let at = text.indexOf(0x22, opening + 1);
  while (at >= 0 && text[at + 1] === 0x22) at = text.indexOf(0x22, at + 2);
  return at < 0 ? text.length : at;
}
