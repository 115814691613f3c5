/**
 * Limits on the lines of a table, looked at before the first one is parsed: a line of gigabytes or with a million cells is no table,
 * and parsing it takes many times its size.
 */
import { delimiters } from "./detect-format.ts";
import { recordLimit } from "./parse-records.ts";
import { lineAt } from "../../packed/read-bytes.ts";
import { DataError } from "../../data-error.ts";

/** Most columns of a table. */
export const columnLimit = 100_000;

/**
 * @param delimiter - what separates cells; default: any of the {@link delimiters}.
 * @throws {@link DataError} for a line that is too long or has too many cells, whatever separates them.
 */
export function checkLines(text: Uint8Array, source: string, delimiter?: string): void {
  const candidates = delimiter === undefined ? delimiters : [delimiter];
  // Only a line with more bytes than columns are allowed can have too many of either: the ends of others are not looked for.
  for (let start = 0; text.length - start > columnLimit;) {
    const last = lastBreak(text, start, start + columnLimit);
    if (last >= start) start = last + 1;
    else start = checkLongLine(text, start, source, candidates);
  }
}

/**
 * Watches a text that arrives in pieces, so that one without line ends is refused before it fills the memory.
 *
 * @returns what takes the pieces; it throws {@link DataError} for a line that is too long.
 */
export function lineWatch(source: string): (piece: Uint8Array) => void {
  let length = 0;
  return (piece) => {
    const last = lastBreak(piece, 0, piece.length);
    length = last < 0 ? length + piece.length : piece.length - 1 - last;
    if (length > recordLimit) throw longLine(source);
  };
}

function longLine(where: string): DataError {
  return new DataError(
    `${where}: a line of more than ${recordLimit} bytes is too long; give a table with one line a row.`,
  );
}

/** Where the next line begins. */
function checkLongLine(
  text: Uint8Array,
  start: number,
  source: string,
  candidates: readonly string[],
): number {
  const end = nextBreak(text, start);
  const line = text.subarray(start, end);
  if (line.length > recordLimit) throw longLine(`${source}, line ${lineAt(text, start)}`);
  for (const delimiter of candidates) {
    const cells = 1 + count(line, delimiter.charCodeAt(0));
    if (cells > columnLimit) {
      throw new DataError(
        `${source}, line ${lineAt(text, start)}: ${cells} cells are too many (limit ${columnLimit}); give fewer columns, or write columns as rows.`,
      );
    }
  }
  return end + 1;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

function lastBreak(text: Uint8Array, start: number, end: number): number {
  const part = text.subarray(start, end);
  const at = Math.max(part.lastIndexOf(newline), part.lastIndexOf(carriageReturn));
  return at < 0 ? -1 : start + at;
}

/** The end of the line, or of the text. */
function nextBreak(text: Uint8Array, start: number): number {
  const most = text.subarray(start, start + recordLimit + 1);
  const found = [most.indexOf(newline), most.indexOf(carriageReturn)].filter((at) => at >= 0);
  if (found.length > 0) return start + Math.min(...found);
  const at = text.indexOf(newline, start);
  return at < 0 ? text.length : at;
}

function count(bytes: Uint8Array, byte: number): number {
  let found = 0;
  for (const each of bytes) if (each === byte) found++;
  return found;
}
