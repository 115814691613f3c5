// What `tune` is going to do, worked out from the options: a new run on a file or on the generated
// data, or the rest of an interrupted one. Everything wrong with the options is found here.

import { basename, join, relative } from "node:path";
import { tuneDefaults } from "../../automl/internal.ts";
import { stat } from "node:fs/promises";
import { type InterruptedRun, readInterruptedRun } from "./saved-run.ts";
import { commandText, optionWords } from "../command/command-text.ts";
import { UsageError } from "../command/errors.ts";
import { checkResuming } from "../command/resuming.ts";
import {
  checkSettings,
  defaultOutputFolder,
  type Device,
  type TaskName,
  type TuneSettings,
} from "../command/options.ts";
import { checkOutputFolder, type RunFolder } from "../../study/index.ts";
import { readingSettings, type ReadingSettings } from "../command/reading-settings.ts";

/** The options of `tune` as typed; what is absent takes its default or the resumed run's value. */
export interface TuneFlags extends ReadingSettings {
  target?: string;
  task?: TaskName;
  holdout?: number;
  folds?: number;
  validation?: number;
  seed?: number;
  repeats?: number;
  steps?: number;
  rule?: string;
  budget?: number;
  threads?: number;
  device?: Device;
  out?: string;
  json?: boolean;
  force?: boolean;
  exclude?: string[];
  minClass?: number;
  demo?: boolean;
  resume?: string;
  quiet?: boolean;
}

/** What is going to be run, after all checks of the options. */
export interface TunePlan {
  file: string;
  folder: string;
  settings: TuneSettings;
  /** Text of the demonstration's table, still to be written to `file`. */
  demo?: string;
  resume?: InterruptedRun;
  /** What the reading of the interrupted run has to say. */
  notes?: readonly string[];
}

/**
 * Checks the options, the data file's presence and the output folder; nothing is written.
 *
 * @param run - opened when the plan is to go on with a run, whose files then stay as they were read.
 */
export async function planTuning(
  file: string | undefined,
  flags: TuneFlags,
  run: RunFolder,
): Promise<TunePlan> {
  return flags.resume === undefined
    ? planNewRun(file, flags)
    : planResume(flags.resume, file, flags, run);
}

async function planNewRun(file: string | undefined, flags: TuneFlags): Promise<TunePlan> {
  if (flags.demo === true && file !== undefined) {
    throw new UsageError(`--demo brings its own data: leave out ${file} or --demo`);
  }
  if (flags.demo !== true && file === undefined) {
    throw new UsageError(
      "no data file given; try `stackelberg tune data.csv --target column`, or --demo",
    );
  }
  const seed = flags.seed ?? tuneDefaults.seed;
  const demo =
    flags.demo === true
      ? (await import("../../automl/tabular/demo.ts")).demoTable({ seed })
      : undefined;
  const target = flags.target ?? demo?.target;
  if (target === undefined) {
    throw new UsageError(
      "--target is missing: name the column to predict, or give --target last for the last one",
    );
  }
  const settings: TuneSettings = {
    target,
    holdout: flags.holdout ?? tuneDefaults.holdout,
    seed,
    repeats: flags.repeats ?? tuneDefaults.repeats,
    steps: flags.steps ?? tuneDefaults.steps,
    device: flags.device ?? "cpu",
    categorical: flags.categorical ?? [],
    numeric: flags.numeric ?? [],
  };
  if (flags.validation !== undefined) settings.validation = flags.validation;
  if (flags.folds !== undefined || flags.validation === undefined) {
    settings.folds = flags.folds ?? tuneDefaults.folds;
  }
  if (flags.task !== undefined) settings.task = flags.task;
  if (flags.rule !== undefined) {
    const { refusalOf } = await import("../../automl/families/linear/rules.ts");
    const refusal = refusalOf(flags.rule);
    if (refusal !== undefined) throw new UsageError(`--rule: ${refusal}`);
    settings.rule = flags.rule;
  }
  if (flags.budget !== undefined) settings.budgetSeconds = flags.budget;
  if (flags.threads !== undefined) settings.threads = flags.threads;
  Object.assign(settings, readingSettings(flags));
  if (flags.exclude !== undefined) settings.exclude = flags.exclude;
  if (flags.minClass !== undefined) settings.minClass = flags.minClass;
  checkSettings(settings);
  const folder = flags.out ?? (file === undefined ? "stackelberg-demo" : defaultOutputFolder(file));
  await checkOutputFolder(folder, flags.force === true);
  if (demo === undefined) return { file: file!, folder, settings };
  return { file: join(folder, "demo.csv"), folder, settings, demo: demo.csv };
}

async function planResume(
  folder: string,
  file: string | undefined,
  flags: TuneFlags,
  run: RunFolder,
): Promise<TunePlan> {
  checkResuming("tune", flags);
  await run.resume(folder);
  const notes: string[] = [];
  const saved = await readInterruptedRun(folder, (note) => notes.push(note));
  if (saved.completed) {
    throw new UsageError(
      `--resume ${folder}: that run was completed, there is nothing to go on with`,
    );
  }
  await checkOutputFolder(folder, true);
  const path = file ?? shortPath(saved.data.path);
  await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new UsageError(
      `--resume ${folder}: the data file ${path} is gone; if it moved, give its new place, as in \`${commandText(["tune", basename(path), ...optionWords("--resume", folder)])}\``,
    );
  });
  const settings = { ...saved.settings };
  if (flags.threads !== undefined) settings.threads = flags.threads;
  // The old budget was for the whole run and may be used up: going on needs a new one or none.
  delete settings.budgetSeconds;
  if (flags.budget !== undefined) settings.budgetSeconds = flags.budget;
  return { file: path, folder, settings, resume: saved, notes };
}

/** The path as a user in the current folder would write it. */
function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}
