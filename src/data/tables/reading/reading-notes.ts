/** What a reader of the file should know about how it was understood: one sentence for each decision. */
import { isPlaceholder } from "../cells/missing-words.ts";
import { spellingVariants } from "../cells/spelling-variants.ts";
import { farNotes } from "./far-notes.ts";
import { formatNotes } from "./format-notes.ts";
import { nearlyNumbersNote } from "./nearly-numbers.ts";
import type { ColumnNotes, ReadingFacts } from "./reading-facts.ts";
import { listNames, plural, quote } from "../../words.ts";
import type { Column, Table } from "../table.ts";
import type { TableLayout } from "./table-layout.ts";

/** Whole numbers with at most this many values are pointed out as possible codes. */
const codeLimit = 10;

/** @returns all notes, and those of them that tell something unusual. */
export function describeTable(
  table: Table,
  facts: ReadingFacts,
): { notes: string[]; remarks: string[] } {
  const { columns, rowCount, source } = table;
  const { layout } = facts;
  const names = (wanted: (notes: ColumnNotes, column: Column) => boolean): string[] =>
    columns.filter((column, j) => wanted(facts.columns[j]!, column)).map(({ name }) => name);
  const usual = [
    `${source} has ${plural(rowCount, "row")} and ${plural(columns.length, "column")}.`,
    layout.delimiterNote,
    headerNote(layout, facts),
    typesNote(columns),
  ];
  const notes = [
    ...facts.encodingNotes,
    ...layout.notes,
    ...layoutNotes(facts),
    ...facts.totalNotes,
  ];
  const forced = names(({ isForced, learned }) => isForced && learned === undefined);
  if (forced.length > 0) notes.push(`The types of ${listNames(forced)} were given, not inferred.`);
  notes.push(...formatNotes(table.columns, facts.columns, layout.delimiter));
  const missing = facts.columns.flatMap((column) =>
    column.missing > 0 && column.missing < rowCount
      ? [`${quote(column.name)} ${column.missing}`]
      : [],
  );
  if (missing.length > 0) notes.push(`Missing cells: ${someOf(missing)}.`);
  const words = facts.columns.flatMap((column) => wordsOf(column));
  if (words.length > 0) {
    notes.push(
      `Cells that are no numbers are taken as missing in ${someOf(words)}; --categorical reads such a column as text.`,
    );
  }
  const blank = names(({ missing: count, learned }) => count === rowCount && learned !== undefined);
  if (blank.length > 0) {
    notes.push(
      `${blank.length === 1 ? "Column" : "Columns"} ${listNames(blank)} ${blank.length === 1 ? "holds" : "hold"} nothing but missing cells, and the model uses ${blank.length === 1 ? "it" : "them"}: every row is predicted as one whose cell is missing.`,
    );
  }
  const empty = names(({ missing: count, learned }) => count === rowCount && learned === undefined);
  if (empty.length > 0) {
    notes.push(
      `${empty.length === 1 ? "Column" : "Columns"} ${listNames(empty)} ${empty.length === 1 ? "holds" : "hold"} nothing but missing cells and will not be used.`,
    );
  }
  const codes = names(({ isForced }, column) => !isForced && isCoded(column));
  if (codes.length > 0) {
    notes.push(
      `${listNames(codes)}: whole numbers with at most ${codeLimit} values are kept numeric; if they are codes, read them as categorical (--categorical).`,
    );
  }
  notes.push(...textNotes(table, facts), ...farNotes(columns, facts.columns));
  return { notes: [...usual, ...notes], remarks: notes };
}

function headerNote({ header, width }: TableLayout, facts: ReadingFacts): string {
  const how = facts.headerGiven ? "given" : "detected";
  if (header) return `The first line names the columns (${how}).`;
  const range = width === 1 ? "c1" : `c1 to c${width}`;
  return `There is no header (${how}), so the columns are called ${range}.`;
}

function layoutNotes({ quotes, ragged, emptyRows, emptyColumns }: ReadingFacts): string[] {
  const notes: string[] = [];
  if (quotes !== undefined) notes.push(quotes);
  if (emptyColumns > 0) {
    notes.push(
      `${plural(emptyColumns, "column")} without a name and without a cell ${emptyColumns === 1 ? "is" : "are"} left out.`,
    );
  }
  if (emptyRows > 0) {
    notes.push(
      `${plural(emptyRows, "row")} without a cell at the end ${emptyRows === 1 ? "is" : "are"} left out.`,
    );
  }
  if (ragged !== undefined) {
    const { count, firstLine, isFooter } = ragged;
    const are = count === 1 ? "is" : "are";
    notes.push(
      isFooter
        ? `${plural(count, "line")} below the table, from line ${firstLine} on, ${are} left out.`
        : `${plural(count, "row")} with another number of cells ${are} left out, first on line ${firstLine}.`,
    );
  }
  return notes;
}

function typesNote(columns: readonly Column[]): string {
  const of = (kind: Column["kind"]): string => {
    const names = columns.filter((column) => column.kind === kind).map(({ name }) => name);
    return names.length === 0
      ? `no column is ${kind}`
      : `${plural(names.length, "column")} ${names.length === 1 ? "is" : "are"} ${kind} (${listNames(names, 20)})`;
  };
  const sentence = `${of("numeric")}, ${of("categorical")}.`;
  return sentence[0]!.toUpperCase() + sentence.slice(1);
}

function wordsOf({ name, words }: ColumnNotes): string[] {
  if (words.length === 0) return [];
  const count = words.reduce((sum, word) => sum + word.count, 0);
  return [
    `${quote(name)} ${count} (${listNames(
      words.map(({ word }) => word),
      3,
    )})`,
  ];
}

/** What is remarkable about columns of text: words for missing cells, numbers among them, spellings that almost agree. */
function textNotes(table: Table, facts: ReadingFacts): string[] {
  const notes: string[] = [];
  const placeholders: string[] = [];
  for (const [j, column] of table.columns.entries()) {
    const { isForced, whyText, firstLine } = facts.columns[j]!;
    if (column.kind !== "categorical") continue;
    if (whyText !== undefined) {
      notes.push(`Column ${quote(column.name)} is categorical because ${whyText}.`);
    } else if (!isForced) {
      const note = nearlyNumbersNote(column, firstLine);
      if (note !== undefined) notes.push(note);
    }
    const held = column.levels.filter(isPlaceholder);
    if (held.length > 0) placeholders.push(`${quote(column.name)} (${listNames(held, 3)})`);
    const variants = spellingVariants(column.levels);
    if (variants.length > 0) {
      notes.push(
        `Column ${quote(column.name)}: ${variants
          .slice(0, 3)
          .map((group) => listNames(group, 4))
          .join(
            "; ",
          )} ${variants.length > 3 ? `and ${variants.length - 3} more groups ` : ""}differ only in case, blanks or the way a number is written, and are kept apart; write them alike if they mean the same.`,
      );
    }
  }
  if (placeholders.length > 0) {
    notes.push(
      `Words that often mean a missing cell are kept as text in ${someOf(placeholders)}; --missing names those that are missing.`,
    );
  }
  return notes;
}

function isCoded(column: Column): boolean {
  if (column.kind !== "numeric" || column.format?.kind === "date") return false;
  const seen = new Set<number>();
  for (const value of column.values) {
    if (value !== value) continue;
    if (!Number.isInteger(value)) return false;
    if (seen.add(value).size > codeLimit) return false;
  }
  return seen.size > 2;
}

/** A list that stays short: the first five and how many more. */
function someOf(items: readonly string[]): string {
  const shown = items.slice(0, 5).join(", ");
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown;
}
