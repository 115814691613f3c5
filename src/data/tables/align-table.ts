/** Brings a new table into the columns, order and types that an encoder was fitted on. */
import { checkEncoder, checkTable } from "../check-given.ts";
import { canonicalNumber } from "./cells/canonical-number.ts";
import type { EncodedInput, Encoder, NumericInput } from "./encoded-input.ts";
import { parseNumber } from "./numbers.ts";
import {
  type CategoricalColumn,
  cellText,
  type Column,
  type NumericColumn,
  type Table,
} from "./table.ts";
import { listNames, plural, quote } from "../words.ts";
import { DataError } from "../data-error.ts";

/** Cells whose level the model has not seen in training, or too rarely to keep. */
export interface UnseenLevels {
  readonly column: string;
  /** Rows with such a level. */
  readonly cells: number;
  /** Distinct ones, in order of first appearance. */
  readonly levels: readonly string[];
}

/** A table as a model wants it, and what was done for that. */
export interface AlignedTable {
  readonly table: Table;
  /** One sentence for each decision. */
  readonly notes: string[];
  /** By column, only those that have any. */
  readonly unseen: readonly UnseenLevels[];
}

/**
 * The table's columns in the order of the encoder's inputs and with their types. Other columns are left
 * out, with a note. Numbers become text where categories are expected, and text that is a number becomes
 * one where numbers are expected; read the file with `readingOf(encoder)` to keep codes such as
 * "007" as they are written. A level that the model does not know is taken for the one that is the same number,
 * 1.0 for 1, if there is exactly one.
 *
 * @throws {@link DataError} when columns are missing, or text stands where numbers are expected.
 */
export function alignTable(encoder: Encoder, table: Table): AlignedTable {
  checkEncoder("alignTable", encoder);
  checkTable("alignTable", table);
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const absent = encoder.inputs.filter(({ name }) => !byName.has(name)).map(({ name }) => name);
  if (absent.length > 0) {
    throw new DataError(
      `${table.source}: ${plural(absent.length, "column")} that the model needs ${absent.length === 1 ? "is" : "are"} missing, ${listNames(absent)}; add ${absent.length === 1 ? "it" : "them"}, or check whether the file has a header.`,
    );
  }
  const notes: string[] = [];
  const unseen: UnseenLevels[] = [];
  const columns = encoder.inputs.map((input) => {
    const column = withKind(byName.get(input.name)!, input, table.source);
    if (column.kind !== "categorical" || input.kind !== "categorical") return column;
    const matched = matchLevels(column, input.levels);
    if (matched.renamed.length > 0) {
      const shown = matched.renamed
        .slice(0, 3)
        .map(([from, to]) => `${quote(from)} for ${quote(to)}`);
      const more = matched.renamed.length > 3 ? ` and ${matched.renamed.length - 3} more` : "";
      notes.push(
        `Column ${quote(input.name)}: numbers are written differently than in training and taken for the same, ${shown.join(", ")}${more}.`,
      );
    }
    const found = unseenLevels(matched.column, input.levels);
    if (found !== undefined) unseen.push(found);
    return matched.column;
  });
  const known = new Set([...encoder.inputs, ...encoder.dropped].map(({ name }) => name));
  const extra = table.columns.map(({ name }) => name).filter((name) => !known.has(name));
  if (extra.length > 0) {
    notes.unshift(
      `The model does not use ${plural(extra.length, "column")} of ${table.source}: ${listNames(extra)}.`,
    );
  }
  return { table: { ...table, columns }, notes, unseen };
}

/**
 * The column with the levels of `known` in place of others that are the same number, where exactly one is.
 *
 * @returns `renamed`, pairs of the level as written and the known one.
 */
export function matchLevels(
  column: CategoricalColumn,
  known: readonly string[],
): { column: CategoricalColumn; renamed: [string, string][] } {
  const exact = new Set(known);
  const byNumber = new Map<string, string | undefined>();
  for (const level of known) {
    const number = canonicalNumber(level);
    if (number !== undefined) byNumber.set(number, byNumber.has(number) ? undefined : level);
  }
  const renamed: [string, string][] = [];
  const names = column.levels.map((level) => {
    if (exact.has(level)) return level;
    const number = canonicalNumber(level);
    const same = number === undefined ? undefined : byNumber.get(number);
    if (same === undefined) return level;
    renamed.push([level, same]);
    return same;
  });
  if (renamed.length === 0) return { column, renamed };
  const levels = [...new Set(names)];
  const place = new Map(levels.map((level, code) => [level, code]));
  const codes = column.codes.map((code) => (code < 0 ? -1 : place.get(names[code]!)!));
  return { column: { ...column, codes, levels }, renamed };
}

function unseenLevels(
  column: CategoricalColumn,
  known: readonly string[],
): UnseenLevels | undefined {
  const exact = new Set(known);
  const isUnseen = column.levels.map((level) => !exact.has(level));
  const cells = column.codes.reduce((sum, code) => sum + (code >= 0 && isUnseen[code]! ? 1 : 0), 0);
  if (cells === 0) return undefined;
  const levels = column.levels.filter((_, code) => isUnseen[code]!);
  return { column: column.name, cells, levels };
}

function withKind(column: Column, input: EncodedInput, source: string): Column {
  const { name } = column;
  if (column.kind === "numeric" && input.kind === "numeric") checkDates(column, input, source);
  if (column.kind === input.kind) return column;
  if (column.kind === "numeric") {
    const textOf = cellText(column);
    const codeOf = new Map<string, number>();
    const codes = Int32Array.from(column.values, (value, row) => {
      if (value !== value) return -1;
      const text = textOf(row);
      const code = codeOf.get(text) ?? codeOf.size;
      codeOf.set(text, code);
      return code;
    });
    return { kind: "categorical", name, codes, levels: [...codeOf.keys()] };
  }
  const numbers = column.levels.map(parseNumber);
  const text = numbers.findIndex(Number.isNaN);
  if (text >= 0) {
    throw new DataError(
      `${source}, column ${quote(name)}: the model needs numbers, the column holds text such as ${quote(column.levels[text]!)}; correct it or leave the cell empty.`,
    );
  }
  const values = Float64Array.from(column.codes, (code) => (code < 0 ? NaN : numbers[code]!));
  return { kind: "numeric", name, values };
}

/** Days since 1970 are no measurements, and measurements are no dates. */
function checkDates(column: NumericColumn, input: NumericInput, source: string): void {
  const isDate = column.format?.kind === "date";
  if (isDate === (input.format?.kind === "date")) return;
  if (column.values.every((value) => value !== value)) return;
  const [needed, held] = isDate ? ["numbers", "dates"] : ["dates", "numbers"];
  throw new DataError(
    `${source}, column ${quote(column.name)}: the model needs ${needed}, the column holds ${held}; write it as in the training file.`,
  );
}
