/**
 * Tables to matrices: numbers are standardized, categories become 0/1 columns. An encoder is fitted on
 * training rows only, is plain data, and encodes any later table with the same input columns.
 */
import { checkEncoder, checkNumbers, checkTable } from "../check-given.ts";
import { alignTable } from "./align-table.ts";
import type { LearnedFormat } from "./cells/cell-format.ts";
import type { CategoricalInput, EncodedInput, Encoder, NumericInput } from "./encoded-input.ts";
import { isOneNumber, moments } from "../moments.ts";
import type { ReadTableOptions } from "./reading/options.ts";
import { DataError } from "../data-error.ts";
import type { CategoricalColumn, Column, NumericColumn, Table } from "./table.ts";
import { plural, quote } from "../words.ts";

/** When a level of a categorical column gets a column of its own. */
export interface EncoderOptions {
  /** Levels of a categorical column that may get a column of their own, the most frequent ones. Default 50. */
  readonly maxLevels?: number;
  /** Training rows a level needs for a column of its own. Default 10. */
  readonly minLevelCount?: number;
}

/**
 * Fits an encoder to the given rows of a table.
 *
 * @param targetName - the column to leave out.
 * @param rows - training rows; nothing else is looked at.
 * @throws {@link DataError} when no column carries information.
 */
export function fitEncoder(
  table: Table,
  targetName: string,
  rows: Int32Array,
  options: EncoderOptions = {},
): Encoder {
  checkTable("fitEncoder", table);
  checkNumbers("fitEncoder", "rows", rows);
  const { maxLevels = 50, minLevelCount = 10 } = options;
  const inputs: EncodedInput[] = [];
  const dropped: { name: string; reason: string }[] = [...(table.leftOut ?? [])];
  for (const column of table.columns) {
    if (column.name === targetName) continue;
    const fitted =
      column.kind === "numeric"
        ? fitNumeric(column, rows)
        : fitCategorical(column, rows, maxLevels, minLevelCount);
    if (typeof fitted === "string") dropped.push({ name: column.name, reason: fitted });
    else inputs.push(fitted);
  }
  if (inputs.length === 0) {
    throw nothingLeft(table.source, targetName, dropped);
  }
  const columnNames = inputs.map(encodedNames);
  return {
    version: 1,
    inputs,
    width: columnNames.flat().length,
    group: columnNames.flatMap((names, i) => names.map(() => i)),
    columnNames: columnNames.flat(),
    ...(table.missing === undefined ? {} : { missing: table.missing }),
    dropped,
  };
}

/**
 * Encodes rows of a table.
 *
 * A number x becomes (x − mean)/scale, a missing one (fill − mean)/scale and a 1 in the missing column.
 * A category becomes a 1 in the column of its level, of other levels, or of missing ones; if that column
 * does not exist, all its columns are 0. Columns are found by name, so their order in the table is free.
 *
 * @param type - of the matrix. Everything is computed in float64 and rounded once. Default "float32".
 * @returns [rows, width], row-major.
 * @throws {@link DataError} as {@link alignTable}.
 */
export function encode(
  encoder: Encoder,
  table: Table,
  rows: Int32Array,
  type?: "float32",
): Float32Array;
export function encode(
  encoder: Encoder,
  table: Table,
  rows: Int32Array,
  type: "float64",
): Float64Array;
export function encode(
  encoder: Encoder,
  table: Table,
  rows: Int32Array,
  type: "float32" | "float64" = "float32",
): Float32Array | Float64Array {
  checkEncoder("encode", encoder);
  checkTable("encode", table);
  checkNumbers("encode", "rows", rows);
  const { width, inputs } = encoder;
  const { columns } = alignTable(encoder, table).table;
  const size = rows.length * width;
  const matrix = type === "float64" ? new Float64Array(size) : new Float32Array(size);
  let offset = 0;
  for (const [i, input] of inputs.entries()) {
    const column = columns[i]!;
    if (input.kind === "numeric")
      encodeNumeric(input, column as NumericColumn, rows, matrix, width, offset);
    else encodeCategorical(input, column as CategoricalColumn, rows, matrix, width, offset);
    offset += encodedNames(input).length;
  }
  return matrix;
}

/** The columns that an input becomes, in order. */
export function encodedNames(input: EncodedInput): string[] {
  const { name } = input;
  if (input.kind === "numeric")
    return input.missingIndicator ? [name, `${name}=(missing)`] : [name];
  const names = input.levels.map((level) => `${name}=${level}`);
  if (input.other) names.push(`${name}=(other)`);
  if (input.missing) names.push(`${name}=(missing)`);
  return names;
}

/** Columns that are named in the sentence about a table without a usable one. */
const shownDropped = 8;

function nothingLeft(source: string, target: string, dropped: Encoder["dropped"]): DataError {
  const where = `${source}: no input column is left beside the target ${quote(target)}`;
  if (dropped.length === 0) {
    return new DataError(
      `${where}, because it is the only column; add columns to predict it from.`,
    );
  }
  const shown = dropped
    .slice(0, shownDropped)
    .map(({ name, reason }) => `${quote(name)} (${reason})`);
  const more = dropped.length > shownDropped ? ` and ${dropped.length - shownDropped} more` : "";
  const isRare = dropped.some(({ reason }) => /levels, none of them/.test(reason));
  const isAsked = dropped.some(({ reason }) => reason.includes("--"));
  const advice = [
    "add columns that vary",
    ...(isRare ? ["add rows, or join rare levels into fewer"] : []),
    ...(isAsked ? ["keep a column that an option left out"] : []),
  ];
  return new DataError(`${where}: ${shown.join(", ")}${more}; ${advice.join(", or ")}.`);
}

function fitNumeric(column: NumericColumn, rows: Int32Array): NumericInput | string {
  const present = Float64Array.from(rows, (row) => column.values[row]!)
    .filter((value) => value === value)
    .sort();
  const count = present.length;
  if (count === 0) return "no value in the training rows";
  const missingIndicator = count < rows.length;
  const low = present[0]!;
  const high = present[count - 1]!;
  const isConstant = isOneNumber(low, high);
  if (isConstant && !missingIndicator) {
    return `the value ${low} in every training row${low === high ? "" : ", up to rounding"}`;
  }
  const { mean, sd } = isConstant ? { mean: low, sd: 1 } : moments(present);
  const fill = present[(count - 1) >> 1]! / 2 + present[count >> 1]! / 2;
  const { name, format, words } = column;
  return {
    kind: "numeric",
    name,
    mean,
    scale: sd || 1,
    fill,
    missingIndicator,
    range: [low, high],
    ...(format === undefined ? {} : { format }),
    ...(format === undefined && present.every(Number.isInteger) ? { isWhole: true } : {}),
    ...(words === undefined ? {} : { words }),
  };
}

function fitCategorical(
  column: CategoricalColumn,
  rows: Int32Array,
  maxLevels: number,
  minLevelCount: number,
): CategoricalInput | string {
  const counts = new Int32Array(column.levels.length);
  let missing = 0;
  for (const row of rows) {
    const code = column.codes[row]!;
    if (code < 0) missing++;
    else counts[code]!++;
  }
  if (missing === rows.length) return "no value in the training rows";
  const seen = column.levels
    .map((level, code) => ({ level, count: counts[code]! }))
    .filter(({ count }) => count > 0);
  if (seen.length === 1 && missing === 0)
    return `the value ${quote(seen[0]!.level)} in every training row`;
  const levels = seen
    .filter(({ count }) => count >= minLevelCount)
    .sort((a, b) => b.count - a.count || (a.level < b.level ? -1 : 1))
    .slice(0, maxLevels)
    .map(({ level }) => level)
    .sort();
  if (levels.length === 0 && missing === 0) {
    return `${seen.length} levels, none of them in ${plural(minLevelCount, "training row")}`;
  }
  return {
    kind: "categorical",
    name: column.name,
    levels,
    other: levels.length < seen.length,
    missing: missing > 0,
  };
}

function encodeNumeric(
  input: NumericInput,
  column: NumericColumn,
  rows: Int32Array,
  matrix: Float32Array | Float64Array,
  width: number,
  offset: number,
): void {
  const { mean, scale, fill, missingIndicator } = input;
  for (let i = 0, at = offset; i < rows.length; i++, at += width) {
    const value = column.values[rows[i]!]!;
    const isMissing = value !== value;
    matrix[at] = ((isMissing ? fill : value) - mean) / scale;
    if (isMissing && missingIndicator) matrix[at + 1] = 1;
  }
}

function encodeCategorical(
  input: CategoricalInput,
  column: CategoricalColumn,
  rows: Int32Array,
  matrix: Float32Array | Float64Array,
  width: number,
  offset: number,
): void {
  const { levels, other, missing } = input;
  const placeOf = new Map(levels.map((level, k) => [level, k]));
  const otherPlace = other ? levels.length : -1;
  const missingPlace = missing ? levels.length + (other ? 1 : 0) : -1;
  const places = column.levels.map((level) => placeOf.get(level) ?? otherPlace);
  for (let i = 0, at = offset; i < rows.length; i++, at += width) {
    const code = column.codes[rows[i]!]!;
    const place = code < 0 ? missingPlace : places[code]!;
    if (place >= 0) matrix[at + place] = 1;
  }
}

/** Kind of each input by name; {@link readingOf} has it with the rest of what a new file is read by. */
export function inputTypes(encoder: Encoder): (name: string) => Column["kind"] | undefined {
  checkEncoder("inputTypes", encoder);
  const kinds = new Map(encoder.inputs.map(({ name, kind }) => [name, kind]));
  return (name) => kinds.get(name);
}

/**
 * How to read a new file the way the training file was read: the names that make a header, the kinds of the columns,
 * how their numbers and dates are written where the new cells leave that open, and the words for missing cells.
 */
export function readingOf(encoder: Encoder): ReadTableOptions {
  checkEncoder("readingOf", encoder);
  const { inputs, missing } = encoder;
  const names = inputs.map(({ name }) => name);
  return {
    expectedNames: names,
    types: inputTypes(encoder),
    learned: {
      formats: new Map(inputs.map((input) => [input.name, formatOf(input)])),
      words: new Map(
        inputs.flatMap((input) =>
          input.kind === "numeric" && input.words !== undefined ? [[input.name, input.words]] : [],
        ),
      ),
    },
    // A model that was trained without a header knows its columns by their places.
    ...(names.every((name) => /^c[1-9]\d*$/.test(name)) ? { placesAsNames: true } : {}),
    ...(missing === undefined ? {} : { missing }),
  };
}

function formatOf(input: EncodedInput): LearnedFormat {
  if (input.kind === "categorical") return "plain";
  return input.format ?? (input.isWhole === true ? "whole" : "plain");
}
