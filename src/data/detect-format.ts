/**
 * Guesses how a CSV file is written from its first records: the delimiter, the number of cells in a
 * record, and whether the first record is a header.
 */
import { almostNumber, parseNumber } from "./numbers.ts";
import { parseRecords } from "./parse-records.ts";

/** Records looked at. */
export const sampleSize = 200;

export const delimiters: readonly string[] = [",", ";", "\t", "|"];

export interface Sample {
  readonly delimiter: string;
  readonly records: readonly string[][];
  /** The commonest number of cells in a record. */
  readonly width: number;
}

/**
 * The sample for the delimiter that cuts the first records most evenly: first by the share of records of
 * the commonest width, then by the share of cells free of other delimiters (so that decimal commas lose
 * to semicolons), then by the width. A comma when nothing cuts.
 */
export function sampleRecords(text: Uint8Array, candidates: readonly string[]): Sample {
  const trials = candidates.map((delimiter) => {
    const records: string[][] = [];
    let broken = false;
    try {
      parseRecords(text, "", { delimiter, limit: sampleSize }, (cells) => void records.push(cells));
    } catch {
      // Quotes that do not fit: either the wrong delimiter or an error the full reading reports.
      broken = true;
    }
    const { width, share } = commonestWidth(records);
    const clean = cleanShare(records, delimiter);
    return {
      delimiter,
      records,
      width,
      score: [width > 1 ? 1 : 0, broken ? 0 : 1, share, clean, width],
    };
  });
  return trials.reduce((best, trial) => (isHigher(trial.score, best.score) ? trial : best));
}

/**
 * Whether the first record names the columns. It does when it holds a name the caller expects. Otherwise
 * numbers in it speak against, a column that is all numbers below it speaks for, and among text columns a
 * first cell that comes again below speaks against.
 */
export function looksLikeHeader(
  records: readonly string[][],
  isMissing: (cell: string) => boolean,
  expectedNames: readonly string[] = [],
): boolean {
  const [first, ...rest] = records;
  if (first === undefined) return false;
  // "3" or "last" can mean a position, and "3" can be a data cell.
  const expected = expectedNames.filter((name) => !/^\d+$|^last$/.test(name));
  if (expected.some((name) => first.includes(name))) return true;
  if (first.some(isNumeric)) return false;
  if (rest.length === 0) return true;
  let votes = 0;
  for (const [j, name] of first.entries()) {
    const below = rest.map((cells) => cells[j] ?? "").filter((cell) => !isMissing(cell));
    if (below.length > 0 && below.every(isNumeric)) {
      // A missing cell above numbers is data; an empty name is how pandas writes its index.
      return name === "" || !isMissing(name);
    }
    const distinct = new Set(below);
    if (distinct.has(name)) votes--;
    else if (distinct.size <= below.length / 2) votes++;
  }
  return votes > 0;
}

function isNumeric(cell: string): boolean {
  return cell !== "" && (!Number.isNaN(parseNumber(cell)) || almostNumber(cell) !== undefined);
}

function commonestWidth(records: readonly string[][]): { width: number; share: number } {
  const counts = new Map<number, number>();
  for (const cells of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  let width = 0;
  for (const [length, count] of counts) if (count > (counts.get(width) ?? 0)) width = length;
  return { width, share: records.length === 0 ? 0 : counts.get(width)! / records.length };
}

function cleanShare(records: readonly string[][], delimiter: string): number {
  const others = delimiters.filter((other) => other !== delimiter);
  let clean = 0;
  let total = 0;
  for (const cell of records.flat()) {
    total++;
    if (almostNumber(cell) !== undefined || !others.some((other) => cell.includes(other))) clean++;
  }
  return total === 0 ? 0 : clean / total;
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && a[at]! > b[at]!;
}
