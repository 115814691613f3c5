/**
 * How a text is laid out as a table: what separates cells, which lines stand above the table, what names the
 * columns. Says what it decided; bad layouts end in a DataError of one sentence.
 */
import { cutBlanks } from "./blank-separated.ts";
import {
  countTitles,
  delimiters,
  holdsName,
  looksLikeHeader,
  sampleRecords,
  type Sample,
} from "./detect-format.ts";
import { lineOfPlace } from "./parse-records.ts";
import { DataError } from "../../data-error.ts";
import { listNames, plural, quote } from "../../words.ts";

/** What the caller knows about the layout. */
export interface LayoutOptions {
  /** Names of columns that will be asked for: a first record that holds one is a header. */
  readonly expectedNames: readonly string[];
  readonly header?: boolean | undefined;
  /** Whether these names are places, so that a first record without one of them is data. */
  readonly placesAsNames?: boolean | undefined;
  readonly delimiter?: string | undefined;
  /** Lines above the table. */
  readonly skip?: number | undefined;
}

/** Where the table is in the text, and the first of its rows. */
export interface TableLayout {
  /** The text, with tabs for the blanks of a file whose columns are padded. */
  readonly text: Uint8Array;
  /** Byte at which the first record of the table begins. */
  readonly start: number;
  readonly delimiter: string;
  readonly width: number;
  readonly header: boolean;
  /** [width] */
  readonly names: readonly string[];
  /** [width], whether a column has no name of its own. */
  readonly isUnnamed: readonly boolean[];
  /** The first rows, without the header. */
  readonly rows: readonly (readonly string[])[];
  /** What separates cells, in words. */
  readonly delimiterNote: string;
  /** What else was decided, one sentence each. */
  readonly notes: readonly string[];
}

/** @throws {@link DataError} for a header of another width than the rows, or more lines to skip than there are. */
export function layOut(text: Uint8Array, source: string, options: LayoutOptions): TableLayout {
  const { expectedNames } = options;
  const notes: string[] = [];
  let start = 0;
  if (options.skip !== undefined && options.skip > 0) {
    start = afterLines(text, options.skip, source);
    notes.push(
      `The first ${plural(options.skip, "line")} ${options.skip === 1 ? "is" : "are"} skipped (given).`,
    );
  }
  const declared = separatorLine(text, start);
  if (declared !== undefined) {
    start = declared.end;
    notes.push(
      `A line "sep=${declared.delimiter === "\t" ? "tab" : declared.delimiter}" stands above the table.`,
    );
  }
  const cut = cutText(text, start, options.delimiter ?? declared?.delimiter);
  let { sample } = cut;
  if (options.skip === undefined && options.header !== false) {
    const titles = countTitles(sample, expectedNames);
    if (titles > 0) {
      notes.push(titleNote(sample, titles));
      start = sample.places[titles]!;
      sample = {
        ...sample,
        records: sample.records.slice(titles),
        places: sample.places.slice(titles),
      };
    }
  }
  if (sample.width === 1) {
    notes.push("Every row is one cell; --delimiter says what separates cells, if something does.");
  }
  const header =
    options.header ??
    (options.placesAsNames === true
      ? holdsName(sample.records[0] ?? [], expectedNames)
      : looksLikeHeader(sample.records, expectedNames));
  const rows = sample.records.slice(header ? 1 : 0);
  const first = header ? (sample.records[0] ?? []) : [];
  const cells = headerCells(first, rows, header, sample, {
    source,
    line: lineOfPlace(cut.text, sample.places[0] ?? start),
    notes,
  });
  const how =
    options.delimiter !== undefined
      ? "given"
      : declared !== undefined
        ? "as its line says"
        : "detected";
  return {
    text: cut.text,
    start,
    delimiter: sample.delimiter,
    width: sample.width,
    header,
    names: uniqueNames(cells, notes),
    isUnnamed: cells.map((name) => name === ""),
    rows,
    delimiterNote: `The delimiter is ${cut.isBlank ? "a run of blanks" : delimiterName(sample.delimiter)} (${how}).`,
    notes,
  };
}

/** A first line such as sep=; by which spreadsheets are told the delimiter. */
function separatorLine(
  text: Uint8Array,
  start: number,
): { delimiter: string; end: number } | undefined {
  const line = new TextDecoder().decode(text.subarray(start, start + 16));
  const match = /^"?sep=(.)"?[,;\t]*(\r\n|\n|\r)/i.exec(line);
  if (match === null) return undefined;
  return { delimiter: match[1]!, end: start + new TextEncoder().encode(match[0]).length };
}

/** The sample by the best delimiter; by runs of blanks when nothing else cuts. */
function cutText(
  text: Uint8Array,
  start: number,
  delimiter: string | undefined,
): { text: Uint8Array; sample: Sample; isBlank: boolean } {
  if (delimiter !== " ") {
    const sample = sampleRecords(text, delimiter === undefined ? delimiters : [delimiter], start);
    if (sample.width > 1 || delimiter !== undefined) return { text, sample, isBlank: false };
    const found = evenBlanks(text, start);
    return found ?? { text, sample, isBlank: false };
  }
  const blank = cutBlanks(text, 1, start);
  return { text: blank, sample: sampleRecords(blank, ["\t"], start), isBlank: true };
}

/** Columns padded by two or more blanks, or else by one, when that cuts every row alike. */
function evenBlanks(
  text: Uint8Array,
  start: number,
): { text: Uint8Array; sample: Sample; isBlank: boolean } | undefined {
  for (const least of [1, 2]) {
    const blank = cutBlanks(text, least, start);
    const sample = sampleRecords(blank, ["\t"], start);
    const { records, width } = sample;
    const isEven = records.slice(1).every((cells) => cells.length === width);
    const first = records[0]?.length;
    if (width > 1 && records.length > 2 && isEven && (first === width || first === width - 1)) {
      return { text: blank, sample, isBlank: true };
    }
  }
  return undefined;
}

/** Byte after the first `count` lines. */
function afterLines(text: Uint8Array, count: number, source: string): number {
  let at = 0;
  for (let line = 0; line < count; line++) {
    while (at < text.length && text[at] !== 0x0a && text[at] !== 0x0d) at++;
    at += text[at] === 0x0d && text[at + 1] === 0x0a ? 2 : 1;
  }
  if (at >= text.length) {
    throw new DataError(
      `${source}: ${plural(count, "line")} shall be skipped, and nothing stands after them; skip fewer (--skip).`,
    );
  }
  return at;
}

/**
 * The names as written, one for each column. A header may be shorter by the columns that are empty at the end of the
 * rows, longer by empty names, or shorter by a first column of row names.
 */
function headerCells(
  first: readonly string[],
  rows: readonly (readonly string[])[],
  header: boolean,
  { width }: Sample,
  where: { source: string; line: number; notes: string[] },
): string[] {
  if (!header) return new Array<string>(width).fill("");
  const extra = first.slice(width);
  if (extra.every((name) => name === "")) {
    const missing = width - first.length;
    const own = first.slice(0, width);
    if (missing <= 0) return own;
    const isEmpty = rows.every((cells) => cells.slice(first.length).every((cell) => cell === ""));
    if (isEmpty && rows.length > 0) return [...own, ...new Array<string>(missing).fill("")];
    const rowNames = rows.map((cells) => cells[0]);
    if (missing === 1 && rows.length > 2 && new Set(rowNames).size === rows.length) {
      where.notes.push(
        `The header has one name less than the rows have cells, so the first cell of a row is taken as its own name.`,
      );
      return ["", ...own];
    }
  }
  throw new DataError(
    `${where.source}, line ${where.line}: the header has ${plural(first.length, "name")} above rows of ${plural(width, "cell")}; complete it, or skip the lines above the table (--skip).`,
  );
}

/** Names for the nameless, c1, c2, … by their place, and for what has the name of another column. */
function uniqueNames(cells: readonly string[], notes: string[]): string[] {
  const taken = new Set(cells);
  const seen = new Set<string>();
  const renamed: string[] = [];
  const names = cells.map((cell, j) => {
    let name = cell === "" ? `c${j + 1}` : cell;
    if (seen.has(name) || (cell === "" && taken.has(name))) {
      const base = name;
      for (let i = 2; seen.has(name) || taken.has(name); i++) name = `${base}_${i}`;
      if (cell !== "") renamed.push(`${quote(base)} of column ${j + 1} is called ${quote(name)}`);
    }
    seen.add(name);
    return name;
  });
  if (renamed.length > 0) {
    const shown = renamed.slice(0, 5).join(", ");
    const more = renamed.length > 5 ? ` and ${renamed.length - 5} more` : "";
    notes.push(`A name stands above more than one column: ${shown}${more}.`);
  }
  return names;
}

function titleNote({ records }: Sample, titles: number): string {
  const texts = records
    .slice(0, titles)
    .map((cells) => cells.join(" ").trim())
    .filter((text) => text !== "");
  return `${plural(titles, "line")} above the header ${titles === 1 ? "is" : "are"} skipped: ${listNames(texts, 3)} (detected; --skip sets their number).`;
}

function delimiterName(delimiter: string): string {
  const names: Record<string, string> = {
    ",": "a comma",
    ";": "a semicolon",
    "\t": "a tab",
    "|": "a vertical bar",
  };
  return names[delimiter] ?? quote(delimiter);
}
