/**
 * Guesses how a CSV file is written from its first records: the delimiter, the number of cells in a
 * record, titles above the header, and whether the first record is a header.
 */
import { isDate } from "../cells/dates.ts";
import { isCensored, isPlaceholder } from "../cells/missing-words.ts";
import { isInfinite, shapeOf } from "../cells/number-shape.ts";
import { cleanCell } from "./clean-cell.ts";
import { parseNumber } from "../numbers.ts";
import { isTooLong, parseRecords, type Quotes } from "./parse-records.ts";

/** Records looked at. */
export const sampleSize = 200;

export const delimiters: readonly string[] = [",", ";", "\t", "|"];

/** Share of numbers and dates from which a column of the sample counts as one of them. */
const mostly = 0.8;

/** The first records, cut by one delimiter. */
export interface Sample {
  readonly delimiter: string;
  /** Cells without blanks and invisible characters at their ends. */
  readonly records: readonly string[][];
  /** [records], the byte at which each begins. */
  readonly places: readonly number[];
  /** The commonest number of cells in a record; of equally common ones the largest. */
  readonly width: number;
}

/**
 * The sample for the delimiter that cuts the first records most evenly: first by the share of records of
 * the commonest width, then by the share of cells free of other delimiters (so that decimal commas lose
 * to semicolons), then by the width. A comma when nothing cuts.
 *
 * @param start - byte at which the first record begins.
 */
export function sampleRecords(
  text: Uint8Array,
  candidates: readonly string[],
  start: number,
): Sample {
  const trials = candidates.map((delimiter) => {
    let cut = cutRecords(text, { delimiter, start, quotes: "strict" });
    const broken = cut.isBroken;
    // Quotes that do not fit: either the wrong delimiter or an error the full reading reports. An endless one is as long
    // whatever else quotes may mean.
    if (broken && !cut.isEndless) {
      const relaxed = cutRecords(text, { delimiter, start, quotes: "relaxed" });
      if (relaxed.records.length > cut.records.length) cut = relaxed;
    }
    const { records, places } = cut;
    const { width, share } = commonestWidth(records);
    const clean = cleanShare(records, delimiter);
    return {
      delimiter,
      records,
      places,
      width,
      score: [width > 1 ? 1 : 0, broken ? 0 : 1, share, clean, width],
    };
  });
  return trials.reduce((best, trial) => (isHigher(trial.score, best.score) ? trial : best));
}

/**
 * How many records stand above the table: comments, and titles, which fill one cell or have another number of cells
 * than the rows, and after which a header follows. 0 when no header follows them.
 */
export function countTitles({ records, width }: Sample, expectedNames: readonly string[]): number {
  const isTitle = (cells: readonly string[]): boolean =>
    !holdsName(cells, expectedNames) &&
    (cells[0]?.startsWith("#") === true ||
      cells.length !== width ||
      (width > 1 && cells.filter((cell) => cell !== "").length <= 1));
  let titles = 0;
  while (titles < records.length && titles < 50 && isTitle(records[titles]!)) titles++;
  if (titles === 0 || titles >= records.length - 1) return 0;
  return looksLikeHeader(records.slice(titles), expectedNames) ? titles : 0;
}

/**
 * Whether the first record names the columns. It does when it holds a name the caller expects. Otherwise
 * numbers in it speak against, a column that is all numbers below it speaks for, and among text columns a
 * first cell that comes again below speaks against.
 */
export function looksLikeHeader(
  records: readonly (readonly string[])[],
  expectedNames: readonly string[] = [],
): boolean {
  const [first, ...rest] = records;
  if (first === undefined) return false;
  if (holdsName(first, expectedNames)) return true;
  if (first.some(isValue)) return false;
  if (rest.length === 0) return true;
  let votes = 0;
  for (const [j, name] of first.entries()) {
    const below = rest.map((cells) => cells[j] ?? "").filter((cell) => !isPlaceholder(cell));
    if (below.length > 0 && below.filter(mayBeValue).length >= mostly * below.length) {
      // A placeholder above numbers is data; an empty name is how pandas writes its index.
      return name === "" || !isPlaceholder(name);
    }
    const distinct = new Set(below);
    if (distinct.has(name)) votes--;
    else if (distinct.size <= below.length / 2) votes++;
  }
  return votes > 0;
}

/**
 * Whether a record names a column that was asked for. "3" can be a position or a cell: it is a name in a record
 * whose cells all differ, as names do.
 */
export function holdsName(cells: readonly string[], names: readonly string[]): boolean {
  return names.some(
    (name) =>
      name !== "last" &&
      cells.includes(name) &&
      (!/^\d+$/.test(name) || new Set(cells).size === cells.length),
  );
}

/** Whether a cell is a date or a number, also one with separators, as a name hardly is. */
function isValue(cell: string): boolean {
  if (cell === "") return false;
  if (!Number.isNaN(parseNumber(cell))) return true;
  if (cell.length > 40) return false;
  return (/^[^\p{L}]*$/u.test(cell) && shapeOf(cell) !== undefined) || isDate(cell);
}

/** The same for cells of rows, where a unit, a limit or an infinite value is no name either. */
function mayBeValue(cell: string): boolean {
  return (
    isValue(cell) ||
    (cell.length <= 40 && shapeOf(cell) !== undefined) ||
    isCensored(cell) ||
    isInfinite(cell)
  );
}

function cutRecords(
  text: Uint8Array,
  format: { delimiter: string; start: number; quotes: Quotes },
): { records: string[][]; places: number[]; isBroken: boolean; isEndless: boolean } {
  const records: string[][] = [];
  const places: number[] = [];
  try {
    parseRecords(text, "", { ...format, limit: sampleSize }, (cells, place) => {
      records.push(cells.map(cleanCell));
      places.push(place.start);
    });
  } catch (error) {
    return { records, places, isBroken: true, isEndless: isTooLong(error) };
  }
  return { records, places, isBroken: false, isEndless: false };
}

function commonestWidth(records: readonly string[][]): { width: number; share: number } {
  const counts = new Map<number, number>();
  for (const cells of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  let width = 0;
  for (const [length, count] of counts) {
    const most = counts.get(width) ?? 0;
    if (count > most || (count === most && length > width)) width = length;
  }
  return { width, share: records.length === 0 ? 0 : counts.get(width)! / records.length };
}

function cleanShare(records: readonly string[][], delimiter: string): number {
  const others = delimiters.filter((other) => other !== delimiter);
  let clean = 0;
  let total = 0;
  for (const cell of records.flat()) {
    total++;
    if (!others.some((other) => cell.includes(other)) || shapeOf(cell) !== undefined) clean++;
  }
  return total === 0 ? 0 : clean / total;
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && a[at]! > b[at]!;
}
