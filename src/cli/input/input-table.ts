// From a file and the reading options to a table: the last checks before work begins.

import { basename } from "node:path";
import { parseTable, readTable } from "../../data/tables/reading/read-table.ts";
import { findColumn, type Table } from "../../data/tables/table.ts";
import { sha256 as sha256Of, sha256OfFile } from "../../files/sha256.ts";
import type { DataSummary } from "./data-summary.ts";
import { UsageError } from "../command/errors.ts";
import type { TuneSettings } from "../command/options.ts";
import { prepareTable } from "./prepare-table.ts";
import { readerOptions } from "../command/reading-settings.ts";

/** A table that can be tuned, with what was inferred about it. */
export interface TuningInput {
  table: Table;
  /** The target's name: "last" or a position may mean another column once some are left out. */
  target: string;
  notes: string[];
  summary: DataSummary;
  sha256: string;
}

/**
 * Reads the table and checks that its target can be learned.
 *
 * @param text - the table's text when the file is not written yet (the demonstration).
 * @throws DataError or UsageError, before anything was written.
 */
export async function readForTuning(
  file: string,
  settings: TuneSettings,
  text?: string,
): Promise<TuningInput> {
  const options = readerOptions(settings, {
    name: settings.target,
    isLabels: settings.task === "binary" || settings.task === "multiclass",
  });
  const { table: whole, notes } =
    text === undefined
      ? await readTable(file, options)
      : parseTable(new TextEncoder().encode(text), "demo.csv", options);
  const target = whole.columns[findColumn(whole, settings.target)]!.name;
  if ([...settings.categorical, ...settings.numeric].includes(target)) {
    throw new UsageError(
      `column "${target}" is the target: force its kind with --task, not with --categorical or --numeric`,
    );
  }
  const { task, exclude, minClass } = settings;
  const { table, summary } = prepareTable(whole, {
    target,
    task,
    exclude,
    keep: [...settings.categorical, ...settings.numeric],
    ...(minClass === undefined ? {} : { minClass }),
  });
  const sha256 = text === undefined ? await sha256OfFile(file) : sha256Of(text);
  // The report must not tell where on this machine the file lies.
  return {
    table,
    target,
    notes: notes.map((note) => note.replaceAll(file, basename(file))),
    summary,
    sha256,
  };
}
