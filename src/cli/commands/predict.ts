// `stackelberg predict`: the rows of a new table through a tuned model, one line per row, in order.

import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { predictEncoded } from "../../automl/tabular/predict.ts";
import type { TabularModel } from "../../automl/tabular/types.ts";
import { alignTable } from "../../data/align-table.ts";
import type { Encoder } from "../../data/encoded-input.ts";
import { encode, readingOf } from "../../data/encoder.ts";
import { readTable, type ReadTableOptions } from "../../data/read-table.ts";
import type { Column, Table } from "../../data/table.ts";
import { formatTable } from "../../data/write-table.ts";
import { replaceFile } from "../../files/replace-file.ts";
import { exitCodes, UsageError } from "../errors.ts";
import { readerOptions, type ReadingSettings } from "../reading-settings.ts";

/** The options of `predict` as typed. */
export interface PredictFlags extends ReadingSettings {
  out?: string;
  force?: boolean;
}

/** Rows that are encoded at a time, so that a long table needs no wide copy of itself. */
const chunkRows = 8192;

/** Runs the command; the result is the exit code. */
export async function runPredict(
  folder: string,
  file: string,
  flags: PredictFlags,
): Promise<number> {
  if (flags.out !== undefined) await checkOut(flags.out, file, flags.force === true);
  const model = await readModel(folder);
  const { table, remarks } = await readTable(file, readingFor(model.encoder, flags));
  const { table: aligned, notes } = alignTable(model.encoder, table);
  const text = formatTable(predictionTable(model, aligned));
  for (const note of [...remarks, ...notes]) process.stderr.write(`${note}\n`);
  if (flags.out === undefined) process.stdout.write(text);
  else await replaceFile(flags.out, text);
  return exitCodes.ok;
}

/** What the options say, over what the model knows of its training file. */
function readingFor(encoder: Encoder, flags: ReadingSettings): ReadTableOptions {
  const learned = readingOf(encoder);
  const missing = [...(learned.missing ?? []), ...(flags.missing ?? [])];
  return {
    ...learned,
    ...readerOptions(flags),
    ...(missing.length === 0 ? {} : { missing }),
  };
}

/**
 * The predictions as a table: a column `prediction`, and for classes a column of probabilities each.
 * Probabilities have nine significant digits, predictions as many as resolve 1e-9 of the target's spread.
 */
export function predictionTable(model: TabularModel, aligned: Table): Table {
  const rowCount = aligned.rowCount;
  const { target } = model;
  const classes = target.task === "regression" ? [] : target.classes;
  const values = new Float64Array(target.task === "regression" ? rowCount : 0);
  const codes = new Int32Array(target.task === "regression" ? 0 : rowCount);
  const probabilities = classes.map(() => new Float64Array(rowCount));
  for (let start = 0; start < rowCount; start += chunkRows) {
    const count = Math.min(chunkRows, rowCount - start);
    const rows = Int32Array.from({ length: count }, (_, i) => start + i);
    const part = predictEncoded(model, encode(model.encoder, aligned, rows, "float64"), count);
    if (part.task === "regression") values.set(part.values, start);
    else {
      codes.set(part.classIndices, start);
      classes.forEach((_, k) => {
        for (let i = 0; i < count; i++) {
          const probability = part.probabilities[i * classes.length + k]!;
          probabilities[k]![start + i] = Number(probability.toPrecision(9));
        }
      });
    }
  }
  const columns: Column[] =
    target.task === "regression"
      ? [
          {
            kind: "numeric",
            name: "prediction",
            values: values.map((v) => rounded(v, target)),
          },
        ]
      : [
          { kind: "categorical", name: "prediction", codes, levels: classes },
          ...classes.map((name, k): Column => {
            return { kind: "numeric", name: `probability_${name}`, values: probabilities[k]! };
          }),
        ];
  return { source: "predictions", rowCount, columns };
}

/** The target may be small differences beside a large offset, such as seconds since 1970: nine digits of these. */
function rounded(value: number, target: TabularModel["target"]): number {
  if (target.task !== "regression" || !Number.isFinite(value)) return value;
  const leading = value === 0 ? 0 : Math.log10(Math.abs(value / target.scale));
  return Number(value.toPrecision(Math.min(17, 9 + Math.max(0, Math.ceil(leading)))));
}

/** Reads model.json of an output folder. */
async function readModel(folder: string): Promise<TabularModel> {
  const path = join(folder, "model.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new UsageError(
      `${folder} holds no model.json: give the output folder of \`stackelberg tune\` first, then the data file`,
    );
  });
  let model: Partial<TabularModel> | null;
  try {
    model = JSON.parse(text) as Partial<TabularModel> | null;
  } catch {
    throw new UsageError(`${path} is damaged: it is not JSON; tune again`);
  }
  const isModel =
    typeof model === "object" &&
    model?.version === 1 &&
    model.target !== undefined &&
    Array.isArray(model.encoder?.inputs) &&
    Array.isArray(model.weights) &&
    model.weights.length === model.encoder.width &&
    Array.isArray(model.bias);
  if (!isModel)
    throw new UsageError(`${path} is not a model of this version of stackelberg; tune again`);
  return model as TabularModel;
}

async function checkOut(out: string, file: string, force: boolean): Promise<void> {
  if (resolve(out) === resolve(file)) {
    throw new UsageError(`--out ${out} is the input file itself; choose another name`);
  }
  const existing = await stat(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (existing?.isDirectory() === true)
    throw new UsageError(`--out ${out} is a folder; give a file name`);
  if (existing !== undefined && !force) {
    throw new UsageError(`--out ${out} exists already; use --force to overwrite it`);
  }
}
