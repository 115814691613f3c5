/**
 * The state of an unfinished tuning run: what every method found on the splits that it finished, and
 * the outer loop of the split in progress. It is one JSON text, every number exact, so that a resumed
 * run ends with the result of an uninterrupted one, times apart.
 */
import { fingerprintOfBytes, fingerprintOfText } from "../../bilevel/fingerprint.ts";
import type { Status } from "../../bilevel/rule.ts";
import { DataError, type Table } from "../../data/index.ts";
import type { Hold } from "./hold.ts";
import { defaultRule } from "./rules.ts";
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
    value = JSON.parse(text, (_, item: unknown) =>
      isNumberRecord(item) ? Number(item.number) : item,
    );
  } catch (cause) {
    throw new DataError(
      `${source}: this is not a checkpoint of stackelberg tune (not JSON); start a new run.`,
      {
        cause,
      },
    );
  }
  const { version, fingerprint, splits, outer } = Object(value) as Partial<TuneCheckpoint>;
  const isComplete = Array.isArray(splits) && Array.isArray(outer);
  if (version !== 1 || typeof fingerprint !== "string" || !isComplete) {
    throw new DataError(
      `${source}: a checkpoint of version 1 was required, version ${JSON.stringify(version) ?? "none"} came; start a new run.`,
    );
  }
  return value as TuneCheckpoint;
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

function isNumberRecord(item: unknown): item is { number: string } {
  return (
    typeof item === "object" &&
    item !== null &&
    Object.keys(item).length === 1 &&
    typeof (item as { number?: unknown }).number === "string"
  );
}
