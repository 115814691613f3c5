/** What a checkpoint belongs to: the table and the options that the result depends on, as one short text. */
import { fingerprintOfBytes, fingerprintOfText } from "../../program/internal.ts";
import type { Table } from "../../data/index.ts";
import { families } from "../families/index.ts";
import { defaultRule } from "../families/search-record.ts";
import { tuneDefaults } from "./defaults.ts";
import type { FullTuneOptions } from "./types.ts";

/** Fingerprint of the table and of the options that the result depends on. */
export function fingerprintOfRun(table: Table, options: FullTuneOptions): string {
  const { target, task = null, minClass, holdout, validation, seed, repeats, steps } = options;
  const { rule = defaultRule, folds = tuneDefaults.folds, family = families[0]! } = options;
  const parts = validation === undefined ? { folds } : { validation };
  const settings = {
    target,
    task,
    minClass,
    holdout,
    ...parts,
    seed,
    repeats,
    steps,
    rule,
    family: family.name,
  };
  const columns = table.columns.map((column) =>
    column.kind === "numeric"
      ? [column.name, fingerprintOfBytes(bytesOf(column.values))]
      : [column.name, fingerprintOfBytes(bytesOf(column.codes)), column.levels],
  );
  return fingerprintOfText(JSON.stringify({ settings, rows: table.rowCount, columns }));
}

function bytesOf(array: Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
