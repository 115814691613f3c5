/**
 * The state of an unfinished tuning run: what every method found on the splits that it finished, and
 * the outer loop of the split in progress. It is one JSON text, every number exact, so that a resumed
 * run ends with the result of an uninterrupted one, times apart.
 */
import { DataError, type Encoder } from "../../data/index.ts";
import { checkSchema, DamagedFileError } from "../../files/index.ts";
import type { ModelFamily } from "../families/family.ts";
import { checkpointSchema } from "./checkpoint-schema.ts";
import type { MethodRecord, TuneCheckpoint } from "./record.ts";

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
 * @throws DataError when the text is no such checkpoint.
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
 * @throws DataError when it is none, saying what does not fit.
 */
export function checkpointOf(value: unknown, source: string): TuneCheckpoint {
  const { version } = Object(value) as Partial<TuneCheckpoint>;
  if (version !== 2) {
    throw new DataError(
      `${source}: a checkpoint of version 2 was required, version ${JSON.stringify(version) ?? "none"} came; start a new run.`,
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
 * @param encoders - of each split.
 * @param metrics - the names of the test metrics.
 */
export function checkRecords(
  { splits, outer }: TuneCheckpoint,
  family: ModelFamily,
  encoders: readonly Encoder[],
  metrics: readonly string[],
): void {
  const isDistinct = (list: readonly unknown[]): boolean => new Set(list).size === list.length;
  const expected = [...metrics].sort().join();
  const fits = (record: MethodRecord, repeat: number): boolean => {
    const method = family.methods.find(({ name }) => name === record.method);
    return (
      method !== undefined &&
      family.checkConfig(record.config, encoders[repeat]!) !== undefined &&
      Object.keys(record.test).sort().join() === expected &&
      (method.role === "search") === (record.outer !== undefined)
    );
  };
  const isOurs =
    splits.length <= encoders.length &&
    splits.every((records) => isDistinct(records.map(({ method }) => method))) &&
    splits.every((records, repeat) => records.every((record) => fits(record, repeat))) &&
    isDistinct(outer.map(({ repeat }) => repeat)) &&
    outer.every(({ repeat }) => repeat < encoders.length);
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
