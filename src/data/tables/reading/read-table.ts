/**
 * CSV files to tables: readTable finds out how a file is written, reads it, decides which columns are
 * numbers, and says in sentences what it decided. Bad input ends in a DataError of one sentence.
 */
import { checkArgument } from "../../../program/internal.ts";
import type { ColumnKind, LearnedFormat } from "../cells/cell-format.ts";
import { defaultMissing, missingTest } from "../cells/missing-words.ts";
import { checkLines, lineWatch } from "./check-lines.ts";
import { decodeText } from "./decode-text.ts";
import { parseNumber } from "../numbers.ts";
import { readFileBytes, unpackBytes } from "../../packed/read-bytes.ts";
import { sha256 } from "../../../files/index.ts";
import { readColumns, type CsvFile } from "./read-columns.ts";
import { leaveOutTotals, totalNotes } from "./leave-out-totals.ts";
import { lineOfPlace } from "./parse-records.ts";
import { totalLimit } from "./total-rows.ts";
import { readWithFittingQuotes } from "./fitting-quotes.ts";
import { describeTable } from "./reading-notes.ts";
import { DataError } from "../../data-error.ts";
import { placeOf, type Table, unknownColumn } from "../table.ts";
import { quote } from "../../words.ts";
import { startsWithModelNames, withModelNames } from "./model-names.ts";
import { layOut, type TableLayout } from "./table-layout.ts";
import type { ReadTableOptions } from "./options.ts";
import { understandColumns } from "./understand-columns.ts";

export { defaultMissing };

/** A table and what was inferred while reading it, one sentence each. */
export interface ReadTableResult {
  readonly table: Table;
  readonly notes: string[];
  /** Those of the notes that tell something unusual. */
  readonly remarks: string[];
  /** Rows at the end that are left out, such as totals. */
  readonly footer: number;
  /** Hexadecimal SHA-256 of the very bytes that were read; of a gzip file as it is packed. */
  readonly sha256: string;
}

/** A table's file in memory: what is found in it, however often it is read, is found in the same bytes. */
export interface TableFile {
  /** As {@link ReadTableResult.sha256}. */
  readonly sha256: string;
  /** As {@link readTable}. */
  parse(options: ReadTableOptions): ReadTableResult;
}

/**
 * Reads a CSV file, plain or gzip, in UTF-8, UTF-16 or Windows-1252.
 *
 * A column is numeric when its cells are numbers, dates or few placeholders among them; otherwise it is categorical.
 * Numbers may have decimal commas, grouped thousands, a currency, a percent sign or a unit, where all cells of the
 * column agree on it; dates are read as days since 1970-01-01. Blanks and invisible characters around cells do not
 * count. Titles above the header, empty columns without a name and totals below the table are left out with a note.
 *
 * @throws {@link DataError} when the file cannot be read as a table; the message names file and line.
 * @example
 * const { table, notes } = await readTable("adult.data.gz", { header: false });
 */
export async function readTable(
  path: string,
  options: ReadTableOptions = {},
): Promise<ReadTableResult> {
  checkArgument("readTable", "path", path, "text");
  checkArgument("readTable", "options", options, "object");
  return (await openTable(path, options.maxUnpacked)).parse(options);
}

/**
 * Reads a table's file, once.
 *
 * @param maxUnpacked - as in {@link ReadTableOptions}.
 * @throws {@link DataError} when it cannot be read or unpacked.
 */
export async function openTable(path: string, maxUnpacked?: number): Promise<TableFile> {
  const packed = await readFileBytes(path);
  const sum = sha256(packed);
  const bytes = await unpackBytes(packed, path, maxUnpacked, lineWatch(path));
  return { sha256: sum, parse: (options) => ({ ...parse(bytes, path, options), sha256: sum }) };
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
  checkArgument("parseTable", "bytes", bytes, "bytes");
  checkArgument("parseTable", "source", source, "text");
  checkArgument("parseTable", "options", options, "object");
  return { ...parse(bytes, source, options), sha256: sha256(bytes) };
}

function parse(
  bytes: Uint8Array,
  source: string,
  options: ReadTableOptions,
): Omit<ReadTableResult, "sha256"> {
  if (options.delimiter !== undefined && !/^[^"\r\n]$/.test(options.delimiter)) {
    throw new DataError(
      `${source}: a delimiter is one character and no quote or line break, not ${quote(options.delimiter)}; use for example ";".`,
    );
  }
  const decoded = decodeText(bytes, source, options.encoding);
  checkLines(decoded.text, source, options.delimiter);
  const typed = typeof options.types === "object" ? Object.keys(options.types) : [];
  const layout = layOutFor(decoded.text, source, options, typed);
  const { names } = layout;
  // Columns cost memory before they have rows, and a header can name very many.
  if (layout.header && layout.rows.length === 0 && isOneLine(layout)) throw withoutRows(source);
  const forced = forcedKinds(names, options.types, source);
  if (options.labels !== undefined) {
    const place = placeOf(names.slice(0, filledWidth(layout)), options.labels);
    if (place !== undefined) forced[place] = "categorical";
  }
  if (typeof options.dates === "object") {
    const unknown = Object.keys(options.dates).find((name) => !names.includes(name));
    if (unknown !== undefined) throw unknownColumn(source, unknown, names);
  }
  const file: CsvFile = {
    ...layout,
    source,
    isMissing: missingTest(["", ...(options.missing ?? [])]),
    dropRagged: options.dropRagged ?? false,
    lastRows: Math.max(totalLimit, options.footer ?? 0),
  };
  const starts = names.map((name, j) =>
    startOf(layout, j, forced[j], options.learned?.formats.get(name)),
  );
  const read = readWithFittingQuotes(file, (fitting) => readColumns(fitting, starts));
  const understand = (rowLimit?: number): ReturnType<typeof understandColumns> => {
    const part = { ...read.file, isUnnamed: layout.isUnnamed, rowLimit };
    const { builders } = rowLimit === undefined ? read.result : readColumns(part, starts);
    return understandColumns(part, builders, forced, options);
  };
  const { last } = read.result;
  const { facts, ...end } = leaveOutTotals(last, names, options.footer, understand);
  checkContent(source, facts.table);
  const table: Table = {
    ...facts.table,
    ...(options.missing === undefined ? {} : { missing: options.missing }),
  };
  const described = describeTable(table, {
    layout,
    encodingNotes: decoded.notes,
    headerGiven: options.header !== undefined,
    quotes: read.quotesNote,
    ragged: read.result.ragged,
    emptyRows: read.result.emptyRows,
    totalNotes: totalNotes(end, options.footer !== undefined, ({ place }) =>
      lineOfPlace(read.file.text, place),
    ),
    ...facts.notes,
  });
  return { table, ...described, footer: end.totals.length };
}

/** The layout, with the names of a model where the file is to be read for one. */
function layOutFor(
  text: Uint8Array,
  source: string,
  options: ReadTableOptions,
  typed: readonly string[],
): TableLayout {
  const asked = {
    expectedNames: [...(options.expectedNames ?? []), ...typed],
    header: options.header,
    placesAsNames: options.placesAsNames,
    delimiter: options.delimiter,
    skip: options.skip,
  };
  const layout = layOut(text, source, asked);
  if (options.learned === undefined || options.placesAsNames === true) return layout;
  const wanted = [...options.learned.formats.keys()];
  const isNamed =
    !layout.header && options.header === undefined && startsWithModelNames(layout, wanted);
  const named = isNamed ? layOut(text, source, { ...asked, header: true }) : layout;
  return withModelNames(named, wanted, source, options.header === false);
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

/** Columns without those at the end that have neither a name nor a cell. */
function filledWidth({ isUnnamed, rows }: TableLayout): number {
  let width = isUnnamed.length;
  const isEmpty = (j: number): boolean => rows.every((cells) => (cells[j] ?? "") === "");
  while (width > 1 && isUnnamed[width - 1]! && isEmpty(width - 1)) width--;
  return width;
}

/**
 * What a column is read as at first: plain numbers, or text when the first rows or a model's dates say so. Text found
 * later among plain numbers has the column read again.
 */
function startOf(
  { rows }: TableLayout,
  column: number,
  forced: ColumnKind | undefined,
  learned: LearnedFormat | undefined,
): ColumnKind {
  if (forced === "categorical" || typeof learned === "object") return "categorical";
  const hasText = rows.some((cells) => {
    const cell = cells[column] ?? "";
    return Number.isNaN(parseNumber(cell)) && !isMissingNumber(cell);
  });
  return hasText ? "categorical" : "numeric";
}

const isMissingNumber = missingTest(defaultMissing);

function checkContent(source: string, table: Table): void {
  if (table.rowCount === 0) {
    throw withoutRows(source);
  }
  const isPresent = table.columns.some((column) =>
    column.kind === "numeric"
      ? column.values.some((value) => value === value)
      : column.codes.some((code) => code >= 0),
  );
  if (!isPresent) {
    throw new DataError(
      `${source}: every cell is missing; check the delimiter (--delimiter) and the words for missing cells (--missing).`,
    );
  }
}

/** Whether nothing but blanks follows the first line: without rows in the sample, there may also be a fault in one. */
function isOneLine({ text, start }: TableLayout): boolean {
  const end = text.subarray(start).findIndex((byte) => byte === 0x0a || byte === 0x0d);
  return end < 0 || text.subarray(start + end).every((byte) => byte <= 0x20);
}

function withoutRows(source: string): DataError {
  return new DataError(
    `${source}: the file has a header but no rows; add rows, or say that there is no header (--no-header).`,
  );
}
