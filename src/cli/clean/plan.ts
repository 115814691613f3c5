// What `clean` is going to do, worked out from the options. Everything wrong with them is found here,
// before the table is read.

import { readdir } from "node:fs/promises";
import { commandText, fileWord, freshFolder, optionWords } from "../command/command-text.ts";
import { UsageError } from "../command/errors.ts";
import { defaultOutputFolder, type TaskName } from "../command/options.ts";
import { checkOutputFolder } from "../../study/index.ts";
import { readingWords, type ReadingSettings } from "../command/reading-settings.ts";

/** The options of `clean` as typed. */
export interface CleanFlags extends ReadingSettings {
  target?: string;
  task?: TaskName;
  top?: number;
  seed?: number;
  folds?: number;
  repeats?: number;
  plant?: number;
  threads?: number;
  out?: string;
  force?: boolean;
  json?: boolean;
  quiet?: boolean;
  exclude?: string[];
  minClass?: number;
}

/** What is going to be run, after all checks of the options. */
export interface CleanPlan {
  file: string;
  folder: string;
  target: string;
  task?: "binary" | "multiclass";
  exclude: string[];
  minClass?: number;
  top: number;
  seed: number;
  folds: number;
  repeats: number;
  plant?: number;
  /** The command that repeats the run, quoted for a POSIX shell. */
  command: string;
}

/** Checks the options and the output folder; nothing is written. */
export async function planCleaning(file: string, flags: CleanFlags): Promise<CleanPlan> {
  const { target, task, top = 20, seed = 0, folds = 5, repeats = 3, plant } = flags;
  const { exclude = [], minClass } = flags;
  if (target === undefined) {
    throw new UsageError(
      "--target is missing: name the column whose labels are doubted, or give --target last for the last one",
    );
  }
  if (task === "regression") {
    throw new UsageError(
      "--task must be binary or multiclass, not regression: cleaning looks for rows with the wrong class",
    );
  }
  if (exclude.includes(target)) {
    throw new UsageError(
      `column "${target}" is the target and named by --exclude too; choose another target or leave it out of --exclude`,
    );
  }
  if (folds > 20) throw new UsageError(`--folds must be at most 20, not ${folds}`);
  if (repeats > 100) throw new UsageError(`--repeats must be at most 100, not ${repeats}`);
  const both = flags.categorical?.find((name) => flags.numeric?.includes(name));
  if (both !== undefined) {
    throw new UsageError(
      `column "${both}" is named by both --categorical and --numeric; choose one`,
    );
  }
  const folder = flags.out ?? `${defaultOutputFolder(file)}-clean`;
  await checkFolder(folder, flags.force === true);
  const settings = { top, seed, folds, repeats };
  return {
    file,
    folder,
    target,
    ...settings,
    exclude,
    task,
    minClass,
    plant,
    command: cleanCommand(file, { ...flags, ...settings }),
  };
}

/** As for `tune`, but without its advice to resume, which this command has no need of. */
async function checkFolder(folder: string, force: boolean): Promise<void> {
  const entries = force ? [] : await readdir(folder).catch(() => []);
  if (entries.length > 0) {
    throw new UsageError(
      `the output folder ${folder} exists and is not empty; use --force to overwrite it or --out for another one`,
    );
  }
  await checkOutputFolder(folder, force);
}

/**
 * The command that repeats a run, into a folder that is not there yet.
 *
 * @param exclude - columns to leave out besides.
 */
export function cleanCommand(
  file: string,
  flags: CleanFlags,
  exclude: readonly string[] = [],
): string {
  const words = ["clean", fileWord(file)];
  for (const name of [
    "target",
    "task",
    "top",
    "seed",
    "folds",
    "repeats",
    "plant",
    "threads",
  ] as const) {
    words.push(...optionWords(`--${name}`, flags[name]));
  }
  words.push(...readingWords(flags));
  words.push(...optionWords("--exclude", [...(flags.exclude ?? []), ...exclude]));
  words.push(...optionWords("--min-class", flags.minClass));
  const suffix = exclude.length === 0 ? "again" : "without";
  words.push("--out", freshFolder(`${defaultOutputFolder(file)}-clean`, suffix));
  return commandText(words);
}
