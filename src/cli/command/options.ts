// The values behind the command-line options: each parser takes what was typed and returns a
// checked value or throws a UsageError that names the option, what it needs and what came.

import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { commandText, fileWord, freshFolder, optionWords } from "./command-text.ts";
import { UsageError } from "./errors.ts";
import { readingWords, type ReadingSettings } from "./reading-settings.ts";

/** Where programs run. */
export type Device = "cpu" | "webgpu" | "cuda" | "wasm";
/** The devices in the order that `doctor` lists them. */
export const devices: readonly Device[] = ["cpu", "webgpu", "cuda", "wasm"];

/** The kinds of target that `--task` can force. */
export type TaskName = "regression" | "binary" | "multiclass";
export const tasks: readonly TaskName[] = ["regression", "binary", "multiclass"];

/** What a tuning run is made of: everything that its result depends on, and nothing else. */
export interface TuneSettings extends ReadingSettings {
  target: string;
  task?: TaskName;
  holdout: number;
  /** Parts on which coefficients are judged; absent with `validation`. */
  folds?: number;
  /** One part in place of folds. */
  validation?: number;
  seed: number;
  repeats: number;
  steps: number;
  /** A hypergradient rule's name or "auto"; default: the library's. */
  rule?: string;
  budgetSeconds?: number;
  threads?: number;
  device: Device;
  categorical: readonly string[];
  numeric: readonly string[];
  /** Columns that are not used. */
  exclude?: readonly string[];
  /** Rows of classes with fewer rows than this are left out. */
  minClass?: number;
}

/** A fraction strictly between 0 and 1. */
export function parseFraction(option: string, text: string): number {
  const value = parseDecimal(text);
  if (value === undefined || !(value > 0 && value < 1)) {
    throw new UsageError(
      `${option} must be a fraction between 0 and 1, such as 0.2, not "${text}"`,
    );
  }
  return value;
}

/** A whole number of at least `least`. */
export function parseWhole(option: string, text: string, least: number): number {
  const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
  if (value === undefined || value < least) {
    throw new UsageError(`${option} must be a whole number of at least ${least}, not "${text}"`);
  }
  return value;
}

/** A 32-bit seed, so that every platform draws the same numbers. */
export function parseSeed(option: string, text: string): number {
  const value = parseWhole(option, text, 0);
  if (value > 0xffffffff) {
    throw new UsageError(`${option} must be at most 4294967295, not "${text}"`);
  }
  return value;
}

/** A number of threads: more than four for each core only cost memory, and thousands all of it. */
export function parseThreads(option: string, text: string): number {
  const value = parseWhole(option, text, 1);
  const cores = availableParallelism();
  if (value > 4 * cores) {
    throw new UsageError(
      `${option} ${value} is too many: this machine has ${cores} cores, at most ${4 * cores} threads are allowed`,
    );
  }
  return value;
}

const unitSeconds: Record<string, number> = { ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 };

/** A duration with its unit, `500ms`, `60s`, `2m` or `1.5h`, in seconds. */
export function parseDuration(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|min|h)$/.exec(text.trim());
  const seconds = match === null ? 0 : Number(match[1]) * unitSeconds[match[2]!]!;
  if (!(seconds > 0)) {
    throw new UsageError(
      `${option} must be a time above 0 with its unit, such as 500ms, 60s, 2m or 1h, not "${text}"`,
    );
  }
  return seconds;
}

const unitBytes: Record<string, number> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** A number of bytes, `2GB`, `500MB` or `1000000`, in powers of ten. */
export function parseBytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(text.trim());
  const bytes =
    match === null ? 0 : Math.round(Number(match[1]) * unitBytes[match[2]!.toLowerCase()]!);
  if (!(bytes > 0)) {
    throw new UsageError(
      `${option} must be a size above 0 with its unit, such as 500MB or 2GB, not "${text}"`,
    );
  }
  return bytes;
}

/** One of a few words. */
export function parseChoice<T extends string>(
  option: string,
  text: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) {
    throw new UsageError(`${option} must be one of ${choices.join(", ")}, not "${text}"`);
  }
  return found;
}

/** Column names separated by commas; a name that itself holds a comma is given as `a\,b`. */
export function parseNames(option: string, text: string): string[] {
  const names = text
    .split(/(?<!\\),/)
    .map((name) => name.replaceAll("\\,", ",").trim())
    .filter((name) => name !== "");
  if (names.length === 0) {
    throw new UsageError(`${option} must be column names separated by commas, not "${text}"`);
  }
  return names;
}

/** A single character that separates cells; `tab` and `\t` stand for the tab. */
export function parseDelimiter(option: string, text: string): string {
  const character = text === "tab" || text === "\\t" ? "\t" : text;
  if (character.length !== 1 || /["\r\n]/.test(character)) {
    throw new UsageError(`${option} must be one character, such as ";" or tab, not "${text}"`);
  }
  return character;
}

/** The checks that concern several options at once. */
export function checkSettings(settings: TuneSettings): void {
  if (settings.folds !== undefined && settings.validation !== undefined) {
    throw new UsageError(
      "--folds and --validation exclude each other: either each row is held out once, or one part is; choose one",
    );
  }
  if (settings.validation !== undefined && settings.holdout + settings.validation >= 1) {
    throw new UsageError(
      `--holdout ${settings.holdout} and --validation ${settings.validation} leave nothing to train on: their sum must be below 1`,
    );
  }
  const both = settings.categorical.find((name) => settings.numeric.includes(name));
  if (both !== undefined) {
    throw new UsageError(
      `column "${both}" is named by both --categorical and --numeric; choose one`,
    );
  }
  if (settings.exclude?.includes(settings.target) === true) {
    throw new UsageError(
      `column "${settings.target}" is the target and named by --exclude too; choose another target or leave it out of --exclude`,
    );
  }
  for (const name of [...settings.categorical, ...settings.numeric]) {
    if (name === settings.target) {
      throw new UsageError(
        `column "${name}" is the target: force its kind with --task, not with --categorical or --numeric`,
      );
    }
  }
}

/** The default output folder of a data file: `./stackelberg-adult` for `data/adult.csv.gz`. */
export function defaultOutputFolder(file: string): string {
  const stem = basename(file)
    .replace(/\.gz$/i, "")
    .replace(/\.[A-Za-z0-9]+$/, "");
  return `stackelberg-${stem === "" ? "data" : stem}`;
}

/**
 * The command that repeats a run, into a folder that is not there yet.
 *
 * @param exclude - columns to leave out besides.
 */
export function reproduceCommand(
  file: string,
  settings: TuneSettings,
  exclude: readonly string[] = [],
): string {
  const words = ["tune", fileWord(file)];
  const add = (option: string, value: string | number | readonly string[] | undefined): void => {
    words.push(...optionWords(option, value));
  };
  add("--target", settings.target);
  add("--task", settings.task);
  add("--holdout", settings.holdout);
  add("--folds", settings.folds);
  add("--validation", settings.validation);
  add("--seed", settings.seed);
  add("--repeats", settings.repeats);
  add("--steps", settings.steps);
  add("--rule", settings.rule);
  add("--budget", settings.budgetSeconds === undefined ? undefined : `${settings.budgetSeconds}s`);
  add("--threads", settings.threads);
  add("--device", settings.device);
  words.push(...readingWords(settings));
  add("--exclude", [...(settings.exclude ?? []), ...exclude]);
  add("--min-class", settings.minClass);
  const suffix = exclude.length === 0 ? "again" : "without";
  add("--out", freshFolder(defaultOutputFolder(file), suffix));
  return commandText(words);
}

function parseDecimal(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined;
}
