/** What a reader of the file should know about how it was understood: one sentence for each decision. */
import { parseNumber } from "./numbers.ts";
import { listNames, plural, quote, type Column, type Table } from "./table.ts";

/** What the reading decided, per column where it is an array. */
export interface ReadingFacts {
  readonly delimiter: string;
  readonly delimiterGiven: boolean;
  readonly header: boolean;
  readonly headerGiven: boolean;
  readonly missing: readonly number[];
  readonly forced: readonly boolean[];
  /** Line on which a level of a categorical column first appears. */
  readonly firstLine: (column: number, level: number) => number;
}

/** Whole numbers with at most this many values are pointed out as possible codes. */
const codeLimit = 10;

/** Share of numbers from which the words in a text column are pointed out. */
const mostlyNumbers = 0.8;

export function describeTable(table: Table, facts: ReadingFacts): string[] {
  const { columns, rowCount, source } = table;
  const names = (wanted: (column: Column, j: number) => boolean): string[] =>
    columns.filter(wanted).map(({ name }) => name);
  const notes = [
    `${source} has ${plural(rowCount, "row")} and ${plural(columns.length, "column")}.`,
    `The delimiter is ${delimiterName(facts.delimiter)} (${facts.delimiterGiven ? "given" : "detected"}).`,
    headerNote(columns, facts),
    typesNote(columns),
  ];
  const forced = names((_, j) => facts.forced[j]!);
  if (forced.length > 0) notes.push(`The types of ${listNames(forced)} were given, not inferred.`);
  const missing = columns.flatMap(({ name }, j) =>
    facts.missing[j]! > 0 && facts.missing[j]! < rowCount
      ? [`${quote(name)} ${facts.missing[j]}`]
      : [],
  );
  if (missing.length > 0) notes.push(`Missing cells: ${missing.join(", ")}.`);
  const empty = names((_, j) => facts.missing[j] === rowCount);
  if (empty.length > 0) {
    notes.push(
      `${empty.length === 1 ? "Column" : "Columns"} ${listNames(empty)} ${empty.length === 1 ? "holds" : "hold"} nothing but missing cells and will not be used.`,
    );
  }
  const codes = names((column, j) => !facts.forced[j] && isCoded(column));
  if (codes.length > 0) {
    notes.push(
      `${listNames(codes)}: whole numbers with at most ${codeLimit} values are kept numeric; if they are codes, read them as categorical.`,
    );
  }
  for (const [j, column] of columns.entries()) {
    const note = facts.forced[j]
      ? undefined
      : mostlyNumbersNote(column, (level) => facts.firstLine(j, level));
    if (note !== undefined) notes.push(note);
  }
  return notes;
}

function headerNote(columns: readonly Column[], facts: ReadingFacts): string {
  const how = facts.headerGiven ? "given" : "detected";
  if (facts.header) return `The first line names the columns (${how}).`;
  const range = columns.length === 1 ? "c1" : `c1 to c${columns.length}`;
  return `There is no header (${how}), so the columns are called ${range}.`;
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

function mostlyNumbersNote(
  column: Column,
  firstLine: (level: number) => number,
): string | undefined {
  if (column.kind !== "categorical") return undefined;
  const isNumber = column.levels.map((level) => !Number.isNaN(parseNumber(level)));
  const example = isNumber.indexOf(false);
  if (example < 0) return undefined;
  let numbers = 0;
  let present = 0;
  for (const code of column.codes) {
    if (code < 0) continue;
    present++;
    if (isNumber[code]) numbers++;
  }
  if (numbers < mostlyNumbers * present) return undefined;
  return `Column ${quote(column.name)} is categorical because ${present - numbers} of ${plural(present, "cell")} are not numbers, such as ${quote(column.levels[example]!)} on line ${firstLine(example)}; add such words to the missing ones if that is what they mean.`;
}

function isCoded(column: Column): boolean {
  if (column.kind !== "numeric") return false;
  const seen = new Set<number>();
  for (const value of column.values) {
    if (value !== value) continue;
    if (!Number.isInteger(value)) return false;
    if (seen.add(value).size > codeLimit) return false;
  }
  return seen.size > 2;
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
