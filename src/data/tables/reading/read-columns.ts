/** The cells of a CSV file whose layout is known, as columns, and what can be wrong with its rows. */
import { cleanCell } from "./clean-cell.ts";
import { ColumnBuilder } from "./column-builder.ts";
import { cellLimit, lineOfPlace, parseRecords, type RecordFormat } from "./parse-records.ts";
import { isTotalWord, type LastRow } from "./total-rows.ts";
import { DataError } from "../../data-error.ts";
import type { ColumnKind } from "../cells/cell-format.ts";
import { plural, quote } from "../../words.ts";

/** A checked text and how it is written. */
export interface CsvFile extends RecordFormat {
  readonly text: Uint8Array;
  readonly source: string;
  /** Cells in every record. */
  readonly width: number;
  readonly header: boolean;
  /** [width] */
  readonly names: readonly string[];
  /** A cell that is missing in a column of any kind. */
  readonly isMissing: (cell: string) => boolean;
  /** Whether rows of another width are left out. */
  readonly dropRagged: boolean;
  /** Rows that belong to the table; default: all. */
  readonly rowLimit?: number | undefined;
  /** Last rows that are returned as they are written; default 0. */
  readonly lastRows?: number | undefined;
}

/** Rows that were left out because their number of cells is another. */
export interface RaggedRows {
  readonly count: number;
  /** 1-based. */
  readonly firstLine: number;
  /** Whether they stand below the table, such as a total or a source. */
  readonly isFooter: boolean;
}

/** What reading every cell gave. */
export interface ReadCells {
  /** [width], undefined for columns that were not asked for. */
  readonly builders: readonly (ColumnBuilder | undefined)[];
  readonly ragged: RaggedRows | undefined;
  /** Rows at the end without a cell, which are no part of the table. */
  readonly emptyRows: number;
  /** The last rows with a cell, see {@link CsvFile.lastRows}. */
  readonly last: readonly LastRow[];
}

/** A row of another width. */
interface OddRow {
  readonly place: number;
  readonly cells: number;
  readonly filled: number;
  readonly isTotal: boolean;
  /** Rows of the table before it. */
  readonly rowsBefore: number;
}

/** Lines that may stand below a table. */
const footerLimit = 5;

/**
 * Reads every cell once.
 *
 * @param kinds - [width]; text in a column of numbers is counted, not kept. Undefined columns are not read.
 * @throws {@link DataError} for a record of another width or a huge cell.
 */
export function readColumns(file: CsvFile, kinds: readonly (ColumnKind | undefined)[]): ReadCells {
  const { text, source, header, names, isMissing, rowLimit = Infinity, lastRows = 0 } = file;
  const last: LastRow[] = [];
  const builders = names.map((name, j) =>
    kinds[j] === undefined ? undefined : new ColumnBuilder(name, kinds[j]),
  );
  const odd: OddRow[] = [];
  let rows = 0;
  let emptyRows = 0;
  parseRecords(text, source, file, (cells, { index, start }) => {
    if (header && index === 0) return;
    if (cells.length !== file.width && !isPadded(cells, file.width)) {
      const filled = cells.filter((cell) => cell !== "").length;
      const isTotal = cells.some((cell) => isTotalWord(cleanCell(cell)));
      odd.push({ place: start, cells: cells.length, filled, isTotal, rowsBefore: rows });
      return;
    }
    if (file.width > 1 && cells.every((cell) => cell === "")) {
      emptyRows++;
      return;
    }
    if (lastRows > 0) {
      last.push({ cells: cells.map(cleanCell), place: start, before: rows });
      if (last.length > lastRows) last.shift();
    }
    if (rows >= rowLimit) return;
    // Rows without a cell keep their place among others; only at the end of a file they are no rows.
    for (; emptyRows > 0; emptyRows--, rows++) builders.forEach((builder) => builder?.addMissing());
    for (let j = 0; j < file.width; j++) {
      const cell = cells[j]!;
      if (cell.length > cellLimit) {
        throw new DataError(
          `${source}, line ${lineOfPlace(text, start)}, column ${quote(names[j]!)}: a cell of ${cell.length} characters is too long (limit ${cellLimit}); look for a quote that is not closed, or remove the column.`,
        );
      }
      const builder = builders[j];
      if (builder === undefined) continue;
      const bare = cleanCell(cell);
      if (isMissing(bare)) builder.addMissing();
      else builder.add(bare, start);
    }
    rows++;
  });
  // Rows beyond the limit are not looked at again: they were judged when there was none.
  const ragged = rowLimit === Infinity ? judgeOddRows(file, odd, rows) : undefined;
  return { builders, ragged, emptyRows, last };
}

/** Whether a record is wider only by empty cells. */
function isPadded(cells: readonly string[], width: number): boolean {
  if (cells.length <= width) return false;
  for (let j = width; j < cells.length; j++) if (cells[j] !== "") return false;
  return true;
}

/** Rows of another width are left out when that was asked for, or when they are a footer; else they are an error. */
function judgeOddRows(file: CsvFile, odd: readonly OddRow[], rows: number): RaggedRows | undefined {
  const [first] = odd;
  if (first === undefined) return undefined;
  const isFooter =
    rows > 0 &&
    odd.length <= footerLimit &&
    odd.every(
      ({ rowsBefore, cells, filled, isTotal }) =>
        rowsBefore === rows &&
        cells < file.width &&
        (isTotal || filled <= Math.max(1, file.width / 2 - 1)),
    );
  if (!isFooter && !file.dropRagged) throw raggedRow(file, first.place, first.cells);
  return { count: odd.length, firstLine: lineOfPlace(file.text, first.place), isFooter };
}

function raggedRow(file: CsvFile, place: number, found: number): DataError {
  const remedy =
    found > file.width
      ? `put quotes around cells that hold a ${quote(file.delimiter)}, remove what is too much, or leave such rows out (--drop-ragged)`
      : `complete the line, or leave such rows out (--drop-ragged)`;
  return new DataError(
    `${file.source}, line ${lineOfPlace(file.text, place)}: ${plural(found, "cell")} where ${plural(file.width, "cell")} are expected; ${remedy}.`,
  );
}
