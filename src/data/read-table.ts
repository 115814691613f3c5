/**
 * CSV files to tables: readTable finds out how a file is written, reads it, decides which columns are
 * numbers, and says in sentences what it decided. Bad input ends in a DataError of one sentence.
 */
import { missingTest } from "./column-builder.ts";
import { delimiters, looksLikeHeader, sampleRecords } from "./detect-format.ts";
import { parseNumber } from "./numbers.ts";
import { checkText, readBytes } from "./read-bytes.ts";
import { checkColumns, lineOfRow, readColumns, type CsvFile } from "./read-columns.ts";
import { describeTable } from "./reading-notes.ts";
import { DataError, quote, unknownColumn, type ColumnKind, type Table } from "./table.ts";

/** How a file is written and its columns are meant, where that shall not be found out. */
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

/** Words that stand for a missing cell unless others are given. */
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
  const { delimiter, width, records } = sampleRecords(
    text,
    options.delimiter === undefined ? delimiters : [options.delimiter],
  );
  const typed = typeof options.types === "object" ? Object.keys(options.types) : [];
  const expectedNames = [...(options.expectedNames ?? []), ...typed];
  const header = options.header ?? looksLikeHeader(records, isMissing, expectedNames);
  const names = columnNames(records[0] ?? [], width, header, source);
  const forced = forcedKinds(names, options.types, source);
  const file: CsvFile = { text, source, delimiter, width, header, names, isMissing };

  const kinds = names.map(
    (_, j) => forced[j] ?? kindOf(records.slice(header ? 1 : 0), j, isMissing),
  );
  let builders = readColumns(file, kinds);
  const surprised = builders.map(({ textCells }, j) => forced[j] === undefined && textCells > 0);
  if (surprised.includes(true)) {
    builders = readColumns(
      file,
      kinds.map((kind, j) => (surprised[j] ? "categorical" : kind)),
    );
  }
  checkColumns(file, builders, forced);

  const columns = builders.map((builder) => builder.finish());
  const table: Table = { source, rowCount: builders[0]!.rowCount, columns };
  const notes = describeTable(table, {
    delimiter,
    delimiterGiven: options.delimiter !== undefined,
    header,
    headerGiven: options.header !== undefined,
    missing: builders.map((builder) => builder.missing),
    forced: forced.map((kind) => kind !== undefined),
    firstLine: (j, level) => lineOfRow(file, builders[j]!.firstRow[level]!),
  });
  return { table, notes };
}

function columnNames(
  first: readonly string[],
  width: number,
  header: boolean,
  source: string,
): string[] {
  // A header of another width is reported as a ragged row when the file is read.
  if (!header || first.length !== width)
    return Array.from({ length: width }, (_, j) => `c${j + 1}`);
  const names = first.map((cell, j) => cell.trim() || `c${j + 1}`);
  const places = new Map<string, number[]>();
  for (const [j, name] of names.entries()) places.set(name, [...(places.get(name) ?? []), j + 1]);
  for (const [name, positions] of places) {
    if (positions.length === 1) continue;
    throw new DataError(
      `${source}, line 1: the name ${quote(name)} stands above columns ${positions.slice(0, -1).join(", ")} and ${positions.at(-1)}; rename all but one.`,
    );
  }
  return names;
}

function forcedKinds(
  names: readonly string[],
  types: ReadTableOptions["types"] = {},
  source: string,
): (ColumnKind | undefined)[] {
  if (typeof types === "function") return names.map(types);
  for (const [name, kind] of Object.entries(types)) {
    if (!names.includes(name)) throw unknownColumn(source, name, names);
    if (kind !== "numeric" && kind !== "categorical") {
      throw new DataError(
        `${source}: column ${quote(name)} can be read as numeric or categorical, not as ${quote(String(kind))}; use one of the two.`,
      );
    }
  }
  return names.map((name) => (Object.hasOwn(types, name) ? types[name] : undefined));
}

/** What a column seems to be from its first cells; text found later still makes it categorical. */
function kindOf(
  records: readonly string[][],
  column: number,
  isMissing: (cell: string) => boolean,
): ColumnKind {
  const hasText = records.some((cells) => {
    const cell = (cells[column] ?? "").trim();
    return !isMissing(cell) && Number.isNaN(parseNumber(cell));
  });
  return hasText ? "categorical" : "numeric";
}
