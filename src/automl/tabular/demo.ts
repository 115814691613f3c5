/**
 * A generated table on which the right answer is known: a few columns carry the target, many are
 * noise. One coefficient for all columns must either let the noise in or shrink the signal; one
 * coefficient per column need not.
 */
import { randomKey, randomStream, type RandomStream } from "../../data/index.ts";
import type { Column, Table } from "../../data/index.ts";

/** The generated table and its answer. */
export interface Demo {
  table: Table;
  /** The same table as a CSV file's text, with header; empty cells are missing. */
  csv: string;
  /** Name of the target column. */
  target: string;
  /** Names of the columns that the target depends on. */
  informative: string[];
  /** Names of the columns that it does not depend on. */
  noise: string[];
}

const informativeEffects = [1, -1, 1, -1, 1];
const noiseCount = 40;
const groupEffects: Readonly<Record<string, number>> = { low: -1.5, medium: 0, high: 1.5 };
const noiseLevels = ["blue", "green", "red"];
const missingShare = 0.02;
const targetNoise = 0.5;

/**
 * target = signal_1 − signal_2 + signal_3 − signal_4 + signal_5 + effect(signal_group) + ½ε
 *
 * with standard normal columns and ε, effects −1.5, 0 and 1.5 of the three levels, 40 normal columns
 * and one categorical that have no effect, and 2 % of the cells outside the target left empty.
 *
 * @param options.rows - default 300.
 * @param options.seed - default 0; the same seed gives the same text everywhere.
 */
export function demoTable(options: { rows?: number; seed?: number } = {}): Demo {
  const { rows = 300, seed = 0 } = options;
  const stream = (name: string): RandomStream => randomStream(randomKey(seed, "demo", name));
  const target = new Float64Array(rows);
  const columns: Column[] = [];
  const informative: string[] = [];
  const noise: string[] = [];

  const numeric = (name: string, effect: number): void => {
    const values = normals(stream(name), rows);
    for (let i = 0; i < rows; i++) target[i]! += effect * values[i]!;
    eraseSome(stream(`${name} missing`), values, NaN);
    columns.push({ kind: "numeric", name, values });
    (effect === 0 ? noise : informative).push(name);
  };
  const categorical = (
    name: string,
    levels: readonly string[],
    effects: readonly number[],
  ): void => {
    const draws = stream(name);
    const codes = Int32Array.from({ length: rows }, () => draws.integer(levels.length));
    for (let i = 0; i < rows; i++) target[i]! += effects[codes[i]!]!;
    eraseSome(stream(`${name} missing`), codes, -1);
    columns.push({ kind: "categorical", name, ...byFirstAppearance(codes, levels) });
    (effects.every((effect) => effect === 0) ? noise : informative).push(name);
  };

  informativeEffects.forEach((effect, j) => numeric(`signal_${j + 1}`, effect));
  categorical("signal_group", Object.keys(groupEffects), Object.values(groupEffects));
  for (let j = 1; j <= noiseCount; j++) numeric(`noise_${String(j).padStart(2, "0")}`, 0);
  categorical("noise_group", noiseLevels, [0, 0, 0]);

  const errors = normals(stream("target"), rows);
  const values = target.map((value, i) => rounded(value + targetNoise * errors[i]!));
  columns.push({ kind: "numeric", name: "target", values });
  const table: Table = { source: "demo.csv", rowCount: rows, columns };
  return { table, csv: writeCsv(table), target: "target", informative, noise };
}

function normals(stream: RandomStream, count: number): Float64Array {
  return Float64Array.from({ length: count }, () => rounded(stream.normal()));
}

/** Four decimals: what a file holds, so that the table and the text are the same data. */
function rounded(value: number): number {
  return Number(value.toFixed(4));
}

function eraseSome(stream: RandomStream, cells: Float64Array | Int32Array, missing: number): void {
  for (let i = 0; i < cells.length; i++) if (stream.uniform() < missingShare) cells[i] = missing;
}

function byFirstAppearance(
  codes: Int32Array,
  levels: readonly string[],
): { codes: Int32Array; levels: string[] } {
  const order = [...new Set(codes)].filter((code) => code >= 0);
  return {
    codes: codes.map((code) => (code < 0 ? -1 : order.indexOf(code))),
    levels: order.map((code) => levels[code]!),
  };
}

/** The names and levels of the demonstration need no quotes. */
function writeCsv(table: Table): string {
  const lines = [table.columns.map(({ name }) => name).join(",")];
  for (let row = 0; row < table.rowCount; row++) {
    lines.push(table.columns.map((column) => cell(column, row)).join(","));
  }
  return `${lines.join("\n")}\n`;
}

function cell(column: Column, row: number): string {
  if (column.kind === "categorical") return column.levels[column.codes[row]!] ?? "";
  const value = column.values[row]!;
  return Number.isNaN(value) ? "" : String(value);
}
