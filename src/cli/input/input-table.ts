// From a file and the reading options to a table: the last checks before work begins.

import { basename } from "node:path";
import { openTable } from "../../data/internal.ts";
import { findColumn, parseTable, type Table } from "../../data/index.ts";
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
 * @param given.text - the table's text when the file is not written yet (the demonstration).
 * @param given.resumed - the folder of an interrupted run, and the SHA-256 of the file that it has read.
 * @throws DataError or UsageError, before anything was written.
 */
export async function readForTuning(
  file: string,
  settings: TuneSettings,
  given: { text?: string; resumed?: { folder: string; sha256: string } } = {},
): Promise<TuningInput> {
  const options = readerOptions(settings, {
    name: settings.target,
    isLabels: settings.task === "binary" || settings.task === "multiclass",
  });
  const { text, resumed } = given;
  const read = text === undefined ? await openTable(file, options.maxUnpacked) : undefined;
  if (resumed !== undefined && read?.sha256 !== resumed.sha256) {
    throw new UsageError(
      `--resume ${resumed.folder}: ${file} is not the file of the interrupted run, its SHA-256 differs; restore that file or start a new run`,
    );
  }
  const {
    table: whole,
    notes,
    sha256,
  } = read?.parse(options) ?? parseTable(new TextEncoder().encode(text), "demo.csv", options);
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
    minClass,
  });
  // The report must not tell where on this machine the file lies.
  return {
    table,
    target,
    notes: notes.map((note) => note.replaceAll(file, basename(file))),
    summary,
    sha256,
  };
}
