/**
 * The state of an unfinished tuning run: what every method found on the splits that it finished, and
 * the outer loop of the split in progress. It is one JSON text, every number exact, so that a resumed
 * run ends with the result of an uninterrupted one, times apart.
 */
import { fingerprintOfBytes, fingerprintOfText } from "../../program/tensors/fingerprint-tree.ts";
import type { Status } from "../../bilevel/rule.ts";
import { DataError, type Table } from "../../data/index.ts";
import { checkSchema } from "../../files/check-schema.ts";
import { DamagedFileError } from "../../files/sealed-json.ts";
import { checkpointSchema } from "./checkpoint-schema.ts";
import type { Hold } from "../families/linear/hold.ts";
import { defaultRule } from "../families/linear/rules.ts";
import { defaultFolds } from "./splits.ts";
import type { HistoryEntry, Method, TuneAdvice, TuneOptions, UsedRule } from "./types.ts";

/** What one method found on one split. */
export interface MethodRecord {
  method: Method;
  seconds: number;
  validationLoss: number;
  /** Test metrics by name. */
  test: Record<string, number>;
  testLoss: number;
  /** ln of the coefficient of each of the encoder's inputs, for as many rows as a follower of the split trains on. */
  logCoefficient: number[];
  /** The largest relative gradient at which the record's fits ended, and whether it is small enough. */
  relativeGradient: number;
  isSolved: boolean;
  /** True when the budget ended the search, so that a resumed run goes on with it. */
  cut: boolean;
  /** The outer loop; absent in methods without. */
  outer?: OuterRecord;
}

/** How an outer loop went. */
export interface OuterRecord {
  /** How the loop ended, and that in words. */
  status: Status;
  sentence: string;
  history: HistoryEntry[];
  /** The step whose coefficients were kept: the smallest outer objective. */
  bestStep: number;
  /** Steps of the follower in each outer step. */
  innerSteps: number;
  /** ‖∇L‖ at the follower's answer of the best step, and at zero weights. */
  innerGradientNorm: number;
  referenceGradientNorm: number;
  rule: UsedRule;
  /** How far the coefficients may leave the single one. */
  hold: Hold;
}

/** The state of a run between two steps. */
export interface TuneCheckpoint {
  version: 1;
  /** Of the table and the options that the result depends on. */
  fingerprint: string;
  /** Time spent so far. */
  seconds: number;
  /** One list for each split that was begun. */
  splits: MethodRecord[][];
  /** The outer loops that can go on. */
  outer: OuterState[];
  /** What the adviser said, when it picked the rule. */
  advice?: TuneAdvice;
}

/** An outer loop between two steps. */
export interface OuterState {
  repeat: number;
  /** The loop's own checkpoint, base64. */
  state: string;
  history: HistoryEntry[];
}

/** The checkpoint as a text for a file. */
export function encodeCheckpoint(checkpoint: TuneCheckpoint): string {
  // JSON has no NaN, no infinities and no −0.
  const isPlain = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);
  return JSON.stringify(checkpoint, (_, value: unknown) =>
    typeof value !== "number" || isPlain(value)
      ? value
      : { number: Object.is(value, -0) ? "-0" : String(value) },
  );
}

/**
 * Reads the text of {@link encodeCheckpoint}.
 *
 * @param source - what the error message calls the text.
 * @throws {@link DataError} when the text is no such checkpoint.
 */
export function decodeCheckpoint(text: string, source = "checkpoint"): TuneCheckpoint {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(
      `${source}: this is not a checkpoint of stackelberg tune (not JSON); start a new run.`,
      {
        cause,
      },
    );
  }
  return checkpointOf(value, source);
}

/**
 * A checkpoint from the JSON value of {@link encodeCheckpoint}.
 *
 * @throws {@link DataError} when it is none, saying what does not fit.
 */
export function checkpointOf(value: unknown, source: string): TuneCheckpoint {
  const { version } = Object(value) as Partial<TuneCheckpoint>;
  if (version !== 1) {
    throw new DataError(
      `${source}: a checkpoint of version 1 was required, version ${JSON.stringify(version) ?? "none"} came; start a new run.`,
    );
  }
  try {
    return checkSchema(checkpointSchema, withNumbers(value), source, "start a new run");
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    throw new DataError(error.message, { cause: error });
  }
}

/**
 * Refuses records that no run on these splits has made, whatever their form.
 *
 * @param inputs - of each split, the columns with a coefficient.
 * @param metrics - the names of the test metrics.
 */
export function checkRecords(
  { splits, outer }: TuneCheckpoint,
  inputs: readonly number[],
  metrics: readonly string[],
): void {
  const isDistinct = (list: readonly unknown[]): boolean => new Set(list).size === list.length;
  const expected = [...metrics].sort().join();
  const fits = (record: MethodRecord, repeat: number): boolean =>
    record.logCoefficient.length === inputs[repeat] &&
    Object.keys(record.test).sort().join() === expected &&
    (record.method === "hypergradient") === (record.outer !== undefined);
  const isOurs =
    splits.length <= inputs.length &&
    splits.every((records) => isDistinct(records.map(({ method }) => method))) &&
    splits.every((records, repeat) => records.every((record) => fits(record, repeat))) &&
    isDistinct(outer.map(({ repeat }) => repeat)) &&
    outer.every(({ repeat }) => repeat < inputs.length);
  if (!isOurs) {
    throw new DataError(
      "resume: the checkpoint holds results that no run on this table can have; it is damaged, or of another version: start a new run.",
    );
  }
}

/** Refuses a checkpoint that belongs to another table or to other options. */
export function checkCheckpoint(checkpoint: TuneCheckpoint, fingerprint: string): void {
  if (checkpoint.fingerprint !== fingerprint) {
    throw new DataError(
      "resume: the checkpoint belongs to another table or to other options; resume with the table, target, task, fractions, folds, seed, repeats, steps and rule of the interrupted run, or start a new one.",
    );
  }
}

/** Fingerprint of the table and of the options that the result depends on. */
export function fingerprintOfRun(table: Table, options: TuneOptions): string {
  const { target, task = null, minClass, holdout, validation, seed, repeats, steps } = options;
  const { rule = defaultRule, folds = defaultFolds } = options;
  const parts = validation === undefined ? { folds } : { validation };
  const settings = { target, task, minClass, holdout, ...parts, seed, repeats, steps, rule };
  const columns = table.columns.map((column) =>
    column.kind === "numeric"
      ? [column.name, fingerprintOfBytes(bytesOf(column.values))]
      : [column.name, fingerprintOfBytes(bytesOf(column.codes)), column.levels],
  );
  return fingerprintOfText(JSON.stringify({ settings, rows: table.rowCount, columns }));
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text);
}

/** The bytes of {@link toBase64}. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function bytesOf(array: Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The value with the numbers that JSON lacks in their places. */
function withNumbers(value: unknown): unknown {
  if (isNumberRecord(value)) return Number(value.number);
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNumbers(item)]));
}

function isNumberRecord(item: unknown): item is { number: string } {
  return (
    typeof item === "object" &&
    item !== null &&
    Object.keys(item).length === 1 &&
    typeof (item as { number?: unknown }).number === "string"
  );
}
