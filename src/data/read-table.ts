/**
 * CSV files to tables: readTable finds out how a file is written, reads it, decides which columns are
 * numbers, and says in sentences what it decided. Bad input ends in a DataError of one sentence.
 */
import { ColumnBuilder, checkKind, missingTest } from "./column-builder.ts";
import { delimiters, looksLikeHeader, sampleRecords, type Sample } from "./detect-format.ts";
import { almostNumber, parseNumber } from "./numbers.ts";
import { cellLimit, lineOfPlace, lineOfRecord, parseRecords } from "./parse-records.ts";
import { checkText, countLineBreaks, readBytes } from "./read-bytes.ts";
import { describeTable, type ReadingFacts } from "./reading-notes.ts";
import {
  DataError,
  findColumn,
  plural,
  quote,
  type Column,
  type CategoricalColumn,
  type ColumnKind,
  type Table,
} from "./table.ts";

export interface ReadTableOptions {
  /** Whether the first record names the columns. Default: found out. Without one they are c1, c2, … */
  readonly header?: boolean;
  /**
   * Names the caller will ask for, such as the target's. A first record that holds one of them is a
   * header; so is one that holds a key of `types`. Ignored when `header` is given.
   */
  readonly expectedNames?: readonly string[];
  /** One character. Default: found out among comma, semicolon, tab and vertical bar. */
  readonly delimiter?: string;
  /** Words for a missing cell, in any case. Default: {@link defaultMissing}. Replaces the default. */
  readonly missing?: readonly string[];
  /**
   * Types to use instead of the inferred ones. A record must name existing columns; a function is asked
   * for each column and may decline with undefined.
   */
  readonly types?:
    Readonly<Record<string, ColumnKind>> | ((name: string) => ColumnKind | undefined);
}

export const defaultMissing: readonly string[] = ["", "?", "NA", "N/A", "NaN", "null", "None"];

/** A table and what was inferred while reading it, one sentence each. */
export interface ReadTableResult {
  readonly table: Table;
  readonly notes: string[];
}

/**
 * Reads a CSV file, plain or gzip, in UTF-8 with or without a byte order mark.
 *
 * A column is numeric when every cell that is not missing is a number, also when the numbers are few
 * whole ones; otherwise it is categorical. Blanks around unquoted cells do not count.
 *
 * @throws {@link DataError} when the file cannot be read as a table; the message names file and line.
 * @example
 * const { table, notes } = await readTable("adult.data.gz", { header: false });
 */
export async function readTable(
  path: string,
  options: ReadTableOptions = {},
): Promise<ReadTableResult> {
  return parseTable(await readBytes(path), path, options);
}

/**
 * The same for bytes already in memory (not gzip).
 *
 * @param source - what messages call the data.
 */
export function parseTable(
  bytes: Uint8Array,
  source: string,
  options: ReadTableOptions = {},
): ReadTableResult {
  if (options.delimiter !== undefined && !/^[^"\r\n]$/.test(options.delimiter)) {
    throw new DataError(
      `${source}: a delimiter is one character and no quote or line break, not ${quote(options.delimiter)}; use for example ";".`,
    );
  }
  const text = checkText(bytes, source);
  const isMissing = missingTest(options.missing ?? defaultMissing);
  const sample = sampleRecords(
    text,
    options.delimiter === undefined ? delimiters : [options.delimiter],
  );
  const typed = typeof options.types === "object" ? Object.keys(options.types) : [];
  const expectedNames = [...(options.expectedNames ?? []), ...typed];
  const header = options.header ?? looksLikeHeader(sample.records, isMissing, expectedNames);
  const names = columnNames(sample, header, source);
  const kinds = startingKinds(sample, header, names, isMissing, options.types, source);

  let builders = readColumns(text, source, sample, {
    header,
    names,
    kinds: kinds.map(({ kind }) => kind),
    isMissing,
  });
  if (builders.some(({ textCells }, j) => textCells > 0 && !kinds[j]!.forced)) {
    const secondKinds = builders.map(({ textCells, kind }, j) =>
      textCells > 0 && !kinds[j]!.forced ? "categorical" : kind,
    );
    builders = readColumns(text, source, sample, { header, names, kinds: secondKinds, isMissing });
  }
  const columns = builders.map((builder) => builder.finish());
  const rowCount = columns[0] === undefined ? 0 : lengthOf(columns[0]);
  const table: Table = { source, rowCount, columns };
  const line = (row: number): number =>
    lineOfRecord(text, sample.delimiter, row + (header ? 1 : 0));
  if (rowCount === 0) {
    throw new DataError(
      `${source}: the file has a header but no rows; add rows, or say that there is no header.`,
    );
  }
  if (builders.every((builder) => builder.missing === rowCount)) {
    throw new DataError(
      `${source}: every cell is missing; check the delimiter and the words for missing cells.`,
    );
  }
  for (const [j, builder] of builders.entries()) {
    if (kinds[j]!.forced && builder.textCells > 0)
      throw notNumeric(text, source, sample, header, j, names[j]!, isMissing);
    if (!kinds[j]!.forced) checkAlmostNumeric(builder, columns[j]!, source, line);
  }
  const facts: ReadingFacts = {
    delimiter: sample.delimiter,
    delimiterGiven: options.delimiter !== undefined,
    header,
    headerGiven: options.header !== undefined,
    missing: builders.map((builder) => builder.missing),
    forced: kinds.map(({ forced }) => forced),
    firstLine: (j, level) => line(builders[j]!.firstRow[level]!),
  };
  return { table, notes: describeTable(table, facts) };
}

interface Layout {
  readonly header: boolean;
  readonly names: readonly string[];
  readonly kinds: readonly ColumnKind[];
  readonly isMissing: (cell: string) => boolean;
}

function readColumns(
  text: Uint8Array,
  source: string,
  sample: Sample,
  layout: Layout,
): ColumnBuilder[] {
  const capacity = countLineBreaks(text) + 1;
  const builders = layout.names.map(
    (name, j) => new ColumnBuilder(name, layout.kinds[j]!, capacity),
  );
  const { isMissing } = layout;
  parseRecords(text, source, sample, (cells, place) => {
    if (cells.length !== sample.width) {
      throw raggedRow(
        source,
        lineOfPlace(text, place),
        cells.length,
        sample,
        layout.header && place.index === 0,
      );
    }
    for (let j = 0; j < cells.length; j++) {
      const cell = cells[j]!;
      if (cell.length > cellLimit) {
        throw new DataError(
          `${source}, line ${lineOfPlace(text, place)}, column ${quote(layout.names[j]!)}: a cell of ${cell.length} characters is too long (limit ${cellLimit}); look for a quote that is not closed, or remove the column.`,
        );
      }
      if (place.index === 0 && layout.header) continue;
      // csv-parse trims only outside quotes; blanks at the ends of a quoted cell count no more.
      const first = cell.charCodeAt(0);
      const bare = first <= 32 || cell.charCodeAt(cell.length - 1) <= 32 ? cell.trim() : cell;
      if (isMissing(bare)) builders[j]!.addMissing();
      else builders[j]!.add(bare);
    }
  });
  return builders;
}

function columnNames(sample: Sample, header: boolean, source: string): string[] {
  const first = sample.records[0] ?? [];
  // A header of another width is reported as a ragged row when the file is read.
  if (!header || first.length !== sample.width)
    return Array.from({ length: sample.width }, (_, j) => `c${j + 1}`);
  const names = first.map((cell, j) => cell.trim() || `c${j + 1}`);
  const places = new Map<string, number[]>();
  for (const [j, name] of names.entries()) places.set(name, [...(places.get(name) ?? []), j + 1]);
  for (const [name, positions] of places) {
    if (positions.length > 1) {
      const [last, ...others] = positions.toReversed();
      throw new DataError(
        `${source}, line 1: the name ${quote(name)} stands above columns ${others.toReversed().join(", ")} and ${last}; rename all but one.`,
      );
    }
  }
  return names;
}

function startingKinds(
  sample: Sample,
  header: boolean,
  names: readonly string[],
  isMissing: (cell: string) => boolean,
  types: ReadTableOptions["types"] = {},
  source: string,
): { kind: ColumnKind; forced: boolean }[] {
  const forcedKind =
    typeof types === "function"
      ? types
      : (name: string) => (Object.hasOwn(types, name) ? types[name] : undefined);
  if (typeof types !== "function") {
    const columns = names.map((name): Column => ({
      kind: "numeric",
      name,
      values: new Float64Array(0),
    }));
    for (const name of Object.keys(types)) {
      if (!names.includes(name))
        findColumn({ source, rowCount: 0, columns }, name === "last" ? "last?" : name);
    }
  }
  const rows = sample.records.slice(header ? 1 : 0);
  return names.map((name, j) => {
    const forced = forcedKind(name);
    if (forced !== undefined) {
      checkKind(forced, name, source);
      return { kind: forced, forced: true };
    }
    const hasText = rows.some((cells) => {
      const cell = (cells[j] ?? "").trim();
      return !isMissing(cell) && Number.isNaN(parseNumber(cell));
    });
    return { kind: hasText ? "categorical" : "numeric", forced: false };
  });
}

function raggedRow(
  source: string,
  line: number,
  found: number,
  sample: Sample,
  isHeader: boolean,
): DataError {
  const expected = `${plural(sample.width, "cell")}`;
  const what = isHeader
    ? `the header has ${plural(found, "name")} above rows of ${expected}`
    : `${plural(found, "cell")} where ${expected} are expected`;
  const remedy =
    found > sample.width
      ? `put quotes around cells that hold a ${quote(sample.delimiter)}, or remove what is too much`
      : `complete the line or remove it`;
  return new DataError(`${source}, line ${line}: ${what}; ${remedy}.`);
}

function notNumeric(
  text: Uint8Array,
  source: string,
  sample: Sample,
  header: boolean,
  column: number,
  name: string,
  isMissing: (cell: string) => boolean,
): DataError {
  let error: DataError | undefined;
  parseRecords(text, source, sample, (cells, place) => {
    const cell = cells[column]!.trim();
    if (
      error ||
      (header && place.index === 0) ||
      isMissing(cell) ||
      !Number.isNaN(parseNumber(cell))
    )
      return;
    error = new DataError(
      `${source}, line ${lineOfPlace(text, place)}, column ${quote(name)}: ${quote(cell)} is not a number, and the column must be numeric; correct the cell, add the word to the missing ones, or read the column as categorical.`,
    );
  });
  return error!;
}

/** Refuses a column that is text only because of how its numbers are written. */
function checkAlmostNumeric(
  builder: ColumnBuilder,
  column: Column,
  source: string,
  line: (row: number) => number,
): void {
  if (column.kind !== "categorical" || column.levels.length === 0) return;
  const level = firstAlmostNumber(column);
  if (level === undefined) return;
  const example = column.levels[level]!;
  throw new DataError(
    `${source}, line ${line(builder.firstRow[level]!)}, column ${quote(column.name)}: the column would be numeric but for ${almostNumber(example)} such as ${quote(example)}; write plain numbers like 1234.5, or read the column as categorical.`,
  );
}

function firstAlmostNumber(column: CategoricalColumn): number | undefined {
  let found: number | undefined;
  for (const [code, level] of column.levels.entries()) {
    if (!Number.isNaN(parseNumber(level))) continue;
    if (almostNumber(level) === undefined) return undefined;
    found ??= code;
  }
  return found;
}

function lengthOf(column: Column): number {
  return column.kind === "numeric" ? column.values.length : column.codes.length;
}
