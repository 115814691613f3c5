/** The cells of a CSV file whose layout is known, as columns, and what can be wrong with them. */
import { ColumnBuilder } from "./column-builder.ts";
import { almostNumber, parseNumber } from "./numbers.ts";
import { cellLimit, lineOfPlace, lineOfRecord, parseRecords } from "./parse-records.ts";
import { countLineBreaks } from "./read-bytes.ts";
import { DataError, plural, quote, type ColumnKind } from "./table.ts";

/** A checked text and how it is written. */
export interface CsvFile {
  readonly text: Uint8Array;
  readonly source: string;
  readonly delimiter: string;
  /** Cells in every record. */
  readonly width: number;
  readonly header: boolean;
  /** [width] */
  readonly names: readonly string[];
  readonly isMissing: (cell: string) => boolean;
}

/**
 * Reads every cell once.
 *
 * @param kinds - [width]; text in a column of numbers is counted, not kept.
 * @throws {@link DataError} for a record of another width or a huge cell.
 */
export function readColumns(file: CsvFile, kinds: readonly ColumnKind[]): ColumnBuilder[] {
  const { text, source, header, names, isMissing } = file;
  const capacity = countLineBreaks(text) + 1;
  const builders = names.map((name, j) => new ColumnBuilder(name, kinds[j]!, capacity));
  parseRecords(text, source, file, (cells, place) => {
    const isHeader = header && place.index === 0;
    if (cells.length !== file.width) {
      throw raggedRow(file, lineOfPlace(text, place), cells.length, isHeader);
    }
    for (let j = 0; j < cells.length; j++) {
      const cell = cells[j]!;
      if (cell.length > cellLimit) {
        throw new DataError(
          `${source}, line ${lineOfPlace(text, place)}, column ${quote(names[j]!)}: a cell of ${cell.length} characters is too long (limit ${cellLimit}); look for a quote that is not closed, or remove the column.`,
        );
      }
      if (isHeader) continue;
      const bare = trimmed(cell);
      if (isMissing(bare)) builders[j]!.addMissing();
      else builders[j]!.add(bare);
    }
  });
  return builders;
}

/**
 * @param forced - [width], the kinds that were asked for.
 * @throws {@link DataError} when there are no rows or no values, when text stands in a column that must
 *   be numeric, or when a column is text only because of how its numbers are written.
 */
export function checkColumns(
  file: CsvFile,
  builders: readonly ColumnBuilder[],
  forced: readonly (ColumnKind | undefined)[],
): void {
  const { source } = file;
  if (builders.every(({ rowCount }) => rowCount === 0)) {
    throw new DataError(
      `${source}: the file has a header but no rows; add rows, or say that there is no header.`,
    );
  }
  if (builders.every(({ missing, rowCount }) => missing === rowCount)) {
    throw new DataError(
      `${source}: every cell is missing; check the delimiter and the words for missing cells.`,
    );
  }
  for (const [j, builder] of builders.entries()) {
    if (forced[j] === undefined) checkAlmostNumeric(file, builder);
    else if (builder.textCells > 0) throw notNumeric(file, j);
  }
}

/** 1-based line on which a row begins; reads the file again, for messages only. */
export function lineOfRow(file: CsvFile, row: number): number {
  return lineOfRecord(file.text, file.delimiter, row + (file.header ? 1 : 0));
}

/** csv-parse trims only outside quotes; blanks at the ends of a quoted cell count no more. */
function trimmed(cell: string): string {
  return cell.charCodeAt(0) <= 32 || cell.charCodeAt(cell.length - 1) <= 32 ? cell.trim() : cell;
}

function raggedRow(file: CsvFile, line: number, found: number, isHeader: boolean): DataError {
  const expected = plural(file.width, "cell");
  const what = isHeader
    ? `the header has ${plural(found, "name")} above rows of ${expected}`
    : `${plural(found, "cell")} where ${expected} are expected`;
  const remedy =
    found > file.width
      ? `put quotes around cells that hold a ${quote(file.delimiter)}, or remove what is too much`
      : `complete the line or remove it`;
  return new DataError(`${file.source}, line ${line}: ${what}; ${remedy}.`);
}

function notNumeric(file: CsvFile, column: number): DataError {
  const { text, source, header, names, isMissing } = file;
  let error: DataError | undefined;
  parseRecords(text, source, file, (cells, place) => {
    const cell = trimmed(cells[column]!);
    if (error !== undefined || (header && place.index === 0) || isMissing(cell)) return;
    if (!Number.isNaN(parseNumber(cell))) return;
    error = new DataError(
      `${source}, line ${lineOfPlace(text, place)}, column ${quote(names[column]!)}: ${quote(cell)} is not a number, and the column must be numeric; correct the cell, add the word to the missing ones, or read the column as categorical.`,
    );
  });
  return error!;
}

function checkAlmostNumeric(file: CsvFile, builder: ColumnBuilder): void {
  const levels = builder.levels();
  const words = levels.filter((level) => Number.isNaN(parseNumber(level)));
  const meaning = words.map(almostNumber);
  if (words.length === 0 || meaning.includes(undefined)) return;
  const line = lineOfRow(file, builder.firstRow[levels.indexOf(words[0]!)]!);
  throw new DataError(
    `${file.source}, line ${line}, column ${quote(builder.name)}: the column would be numeric but for ${meaning[0]} such as ${quote(words[0]!)}; write plain numbers like 1234.5, or read the column as categorical.`,
  );
}
