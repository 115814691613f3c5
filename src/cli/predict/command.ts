// `stackelberg predict`: the rows of a new table through a tuned model, one line per row, in order.

import { join } from "node:path";
import {
  alignTable,
  type Column,
  type Encoder,
  findColumn,
  formatTable,
  readingOf,
  type ReadTableOptions,
  type Table,
  type Target,
} from "../../data/index.ts";
import { openTable, type TableFile } from "../../data/internal.ts";
import { replaceFile } from "../../files/index.ts";
import { exitCodes, UsageError } from "../command/errors.ts";
import { checkNewFile } from "../command/new-file.ts";
import { modelNames, openModel } from "./model.ts";
import { predictAligned, predictionTable } from "./output.ts";
import { ignoredColumns, missingTable, outsideTable, unseenTable } from "./remarks.ts";
import { scoreLines } from "./score.ts";
import { readerOptions, type ReadingSettings } from "../command/reading-settings.ts";
import { withDefaults } from "../../program/internal.ts";
import { sayAside } from "../terminal/say-aside.ts";

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
  if (flags.out !== undefined) {
    const inputs = [file, ...modelNames.map((name) => join(folder, name))];
    await checkNewFile(flags.out, { force: flags.force === true, inputs });
  }
  const model = await openModel(folder, sayAside);
  const { encoder, target } = model;
  const reading = readingFor(encoder, flags);
  const read = await openTable(file, reading.maxUnpacked);
  const { table, remarks, footer } = read.parse(reading);
  const id = flags.id === undefined ? undefined : idOf(table, flags.id, target);
  const written = asWritten(read, { ...reading, footer }, table, target, id);
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
    ...outsideTable(encoder, aligned, width),
    ...(answers === undefined ? [] : scoreLines(model, prediction, answers, width)),
  ];
  // A reader of this process's output must not be steered by a file's text.
  lines.forEach(sayAside);
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
function asWritten(
  file: TableFile,
  reading: ReadTableOptions,
  table: Table,
  target: Target,
  id: string | undefined,
): Map<string, Column> {
  const hasClasses =
    target.task !== "regression" && table.columns.some(({ name }) => name === target.name);
  const wanted = new Set([...(id === undefined ? [] : [id]), ...(hasClasses ? [target.name] : [])]);
  if (wanted.size === 0) return new Map();
  const { types } = reading;
  const { table: again } = file.parse({
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
  const options = { ...readerOptions(flags), missing: missing.length === 0 ? undefined : missing };
  return withDefaults(learned, options);
}
