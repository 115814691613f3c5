// `stackelberg predict`: the rows of a new table through a tuned model, one line per row, in order.

import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readRegularFile } from "../../files/regular-file.ts";
import { checkModel } from "../../automl/tabular/model-schema.ts";
import type { TabularModel } from "../../automl/tabular/types.ts";
import { alignTable } from "../../data/tables/align-table.ts";
import type { Encoder } from "../../data/tables/encoded-input.ts";
import { readingOf } from "../../data/tables/encoder.ts";
import { readTable } from "../../data/tables/reading/read-table.ts";
import type { ReadTableOptions } from "../../data/tables/reading/options.ts";
import { findColumn, type Column, type Table } from "../../data/tables/table.ts";
import type { Target } from "../../data/tables/target.ts";
import { formatTable } from "../../data/tables/write-table.ts";
import { replaceFile } from "../../files/replace-file.ts";
import { openSealedJson, unsealedNote } from "../../files/sealed-json.ts";
import { previousName } from "../../files/set-aside.ts";
import { exitCodes, oneLine, UsageError } from "../command/errors.ts";
import { predictAligned, predictionTable } from "./output.ts";
import { ignoredColumns, missingTable, unseenTable } from "./remarks.ts";
import { scoreLines } from "./score.ts";
import { readerOptions, type ReadingSettings } from "../command/reading-settings.ts";

/** The options of `predict` as typed. */
export interface PredictFlags extends ReadingSettings {
  out?: string;
  /** Column that is carried to the output. */
  id?: string;
  force?: boolean;
}

/** Runs the command; the result is the exit code. */
export async function runPredict(
  folder: string,
  file: string,
  flags: PredictFlags,
): Promise<number> {
  if (flags.out !== undefined) await checkOut(flags.out, file, flags.force === true);
  const model = await readModel(folder);
  const { encoder, target } = model;
  const reading = readingFor(encoder, flags);
  const { table, remarks } = await readTable(file, reading);
  const id = flags.id === undefined ? undefined : idOf(table, flags.id, target);
  const written = await asWritten(file, reading, table, target, id);
  const inputs = new Set(encoder.inputs.map(({ name }) => name));
  const columns = table.columns.filter(({ name }) => inputs.has(name));
  const { table: aligned, notes, unseen } = alignTable(encoder, { ...table, columns });
  const prediction = predictAligned(model, aligned);
  const output = predictionTable(model, prediction, id === undefined ? [] : [written.get(id)!]);
  const width = process.stderr.isTTY ? process.stderr.columns - 1 : Infinity;
  const answers =
    written.get(target.name) ?? table.columns.find(({ name }) => name === target.name);
  const known = [target.name, ...(id === undefined ? [] : [id])];
  const lines = [
    ...remarks,
    ...notes,
    ...ignoredColumns(encoder, table, known),
    ...unseenTable(unseen, table.rowCount, width),
    ...missingTable(encoder, aligned, width),
    ...(answers === undefined ? [] : scoreLines(model, prediction, answers, width)),
  ];
  // A reader of this process's output must not be steered by a file's text.
  for (const line of lines) process.stderr.write(`${oneLine(line)}\n`);
  const text = formatTable(output);
  if (flags.out === undefined) process.stdout.write(text);
  else await replaceFile(flags.out, text);
  return exitCodes.ok;
}

/** The name of the column that `--id` means; the output must be able to carry it. */
function idOf(table: Table, wanted: string, target: Target): string {
  const { name } = table.columns[findColumn(table, wanted)]!;
  const classes = target.task === "regression" ? [] : target.classes;
  if (name === "prediction" || classes.some((label) => name === `probability_${label}`)) {
    throw new UsageError(
      `--id ${name}: the output has a column of that name already; rename it in ${table.source}`,
    );
  }
  return name;
}

/** The id, and the target's classes, as the file has them: not as numbers. */
async function asWritten(
  file: string,
  reading: ReadTableOptions,
  table: Table,
  target: Target,
  id: string | undefined,
): Promise<Map<string, Column>> {
  const hasClasses =
    target.task !== "regression" && table.columns.some(({ name }) => name === target.name);
  const wanted = new Set([...(id === undefined ? [] : [id]), ...(hasClasses ? [target.name] : [])]);
  if (wanted.size === 0) return new Map();
  const { types } = reading;
  const { table: again } = await readTable(file, {
    ...reading,
    types: (name) => {
      if (wanted.has(name)) return "categorical";
      return typeof types === "function" ? types(name) : types?.[name];
    },
  });
  return new Map(
    again.columns.flatMap((column) => (wanted.has(column.name) ? [[column.name, column]] : [])),
  );
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

/** Reads model.json of an output folder. */
async function readModel(folder: string): Promise<TabularModel> {
  const path = join(folder, "model.json");
  const bytes = await readRegularFile(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    const earlier = join(folder, previousName);
    const hasEarlier = await stat(join(earlier, "model.json")).then(
      () => true,
      () => false,
    );
    throw new UsageError(
      hasEarlier
        ? `${folder} holds no model.json yet; the earlier run's is in ${earlier}`
        : `${folder} holds no model.json: give the output folder of \`stackelberg tune\` first, then the data file`,
    );
  });
  const { value, sealed } = openSealedJson(bytes, path, "put a copy of it back, or tune again");
  const model = checkModel(value, path);
  if (!sealed) process.stderr.write(`${unsealedNote(path)}\n`);
  return model;
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
