// `stackelberg tune`: checks everything, then reads the table, tunes, and writes the output folder.

import { basename, join, resolve } from "node:path";
import type { TuneCheckpoint, TuneResult } from "../../automl/index.ts";
import { replaceFile, replaceFiles } from "../../files/index.ts";
import {
  createRunFolder,
  describeEnvironment,
  eventLogName,
  settingsName,
  type RunFolder,
  runJob,
} from "../../study/index.ts";
import { announce } from "../input/announcement.ts";
import { checkpointName, encodeSavedRun, savedRunOf, type SavedRun } from "./saved-run.ts";
import { checkDevice } from "../doctor/device-probe.ts";
import { commandText, optionWords } from "../command/command-text.ts";
import { removableLeaks } from "../input/data-summary.ts";
import { exitCodes } from "../command/errors.ts";
import { readForTuning, type TuningInput } from "../input/input-table.ts";
import { listenForInterrupts, waitingSentence } from "../terminal/interrupt.ts";
import { reproduceCommand } from "../command/options.ts";
import { stderrLine, type LiveLine } from "../terminal/live-line.ts";
import { showRun } from "../terminal/run-line.ts";
import type { TuneJobEvent, TuneJobPlan } from "./job.ts";
import { outputFiles, printResult, resultJson } from "./output.ts";
import { planTuning, type TuneFlags, type TunePlan } from "./plan.ts";

/** What the run gave: the result, and its last state on disk. */
interface Outcome {
  result: TuneResult;
  saved: SavedRun | undefined;
}

/** Runs the command; the result is the exit code. */
export async function runTune(file: string | undefined, flags: TuneFlags): Promise<number> {
  const line = stderrLine(flags);
  const run = createRunFolder("stackelberg tune", line.say);
  try {
    return await tuneIn(run, file, flags, line);
  } finally {
    line.clear();
    await run.release();
  }
}

async function tuneIn(
  run: RunFolder,
  file: string | undefined,
  flags: TuneFlags,
  line: LiveLine,
): Promise<number> {
  const plan = await planTuning(file, flags, run);
  plan.notes?.forEach(line.say);
  await checkDevice(plan.settings.device);
  const input = await readForTuning(plan.file, plan.settings, {
    text: plan.demo,
    ...(plan.resume === undefined
      ? {}
      : { resumed: { folder: plan.folder, sha256: plan.resume.data.sha256 } }),
  });
  input.notes.forEach(line.say);
  announce(input.summary, process.stderr).forEach(line.say);

  const interrupts = listenForInterrupts({
    onFirst: () => {
      line.say("Stopping after this step and saving; Ctrl-C again stops at once.");
    },
    onWaiting: (seconds) => line.say(waitingSentence(seconds)),
  });
  try {
    if (plan.resume === undefined) await openFolder(run, plan, flags.force === true);
    if (plan.demo !== undefined) await replaceFile(plan.file, plan.demo);
    const data = { path: resolve(plan.file), sha256: input.sha256 };
    await run.describe({ data, settings: plan.settings });
    const { result, saved } = await tuneAndSave(run, plan, input, line, interrupts.signal);
    line.clear();
    const leaks = removableLeaks(input.summary);
    const without =
      leaks.length === 0 ? undefined : reproduceCommand(plan.file, plan.settings, leaks);
    const context = {
      data: {
        ...input.summary,
        columns: { ...input.summary.columns, notUsed: [...result.model.encoder.dropped] },
      },
      environment: describeEnvironment(plan.settings),
      without,
      command: reproduceCommand(plan.file, plan.settings),
      resume: resumeCommand(plan.folder),
      dataHash: input.sha256,
    };
    run.tell({ type: "ended", status: result.status, sentence: endingOf(result) });
    const files = outputFiles(result, context, saved);
    await replaceFiles(plan.folder, files);
    if (result.status !== "cancelled") await run.complete();
    const names = [...files.map(({ name }) => name), settingsName, eventLogName];
    if (plan.demo !== undefined) names.push(basename(plan.file));
    if (flags.json === true) {
      process.stdout.write(`${resultJson(result, context, plan.folder, names)}\n`);
    } else {
      printResult(result, context, plan.folder, names);
    }
    return finish(result, plan.folder, flags.quiet === true, interrupts.exitCode);
  } finally {
    interrupts.stop();
  }
}

/** The header of the demonstration's table. */
const demoBeginning = /^signal_1,signal_2,/;

async function openFolder(run: RunFolder, plan: TunePlan, force: boolean): Promise<void> {
  const isDemo = plan.demo !== undefined;
  await run.begin(plan.folder, {
    force,
    ...(isDemo ? { beside: { [basename(plan.file)]: demoBeginning } } : { input: plan.file }),
  });
}

/** Runs the library's tuning, saving its state on the way. */
async function tuneAndSave(
  run: RunFolder,
  plan: TunePlan,
  input: TuningInput,
  line: LiveLine,
  signal: AbortSignal,
): Promise<Outcome> {
  const { settings } = plan;
  let saved = savedRunOf(plan.resume);
  const data = { path: resolve(plan.file), sha256: input.sha256 };
  const save = async (state: TuneCheckpoint): Promise<void> => {
    saved = { version: 1, data, settings, completed: false, state };
    await replaceFile(join(plan.folder, checkpointName), encodeSavedRun(saved));
  };
  // The notes of the table have been printed already.
  const printed = new Set(input.notes);
  const show = showRun(line, "elsewhere");
  run.tell({ type: "started", command: "stackelberg tune", settings });
  input.notes.forEach((text) => run.tell({ type: "note", text }));
  const options: TuneJobPlan["options"] = {
    target: input.target,
    holdout: settings.holdout,
    seed: settings.seed,
    repeats: settings.repeats,
    steps: settings.steps,
    // wasm is refused in Node by checkDevice.
    device: settings.device === "wasm" ? "cpu" : settings.device,
  };
  if (settings.folds !== undefined) options.folds = settings.folds;
  if (settings.validation !== undefined) options.validation = settings.validation;
  if (settings.task !== undefined) options.task = settings.task;
  if (settings.minClass !== undefined) options.minClass = settings.minClass;
  if (settings.rule !== undefined) options.rule = settings.rule;
  if (settings.budgetSeconds !== undefined) options.budgetSeconds = settings.budgetSeconds;
  if (settings.threads !== undefined) options.threads = settings.threads;
  if (plan.resume !== undefined) options.resume = plan.resume.state;
  const tuned = await runJob<TuneJobPlan, TuneJobEvent, TuneResult>(
    "./job",
    import.meta.url,
    { table: input.table, options },
    {
      signal,
      onEvent: (event) => {
        if (event.type === "checkpoint") return save(event.state);
        run.tell(event);
        if (event.type !== "note" || !printed.has(event.text)) show(event);
      },
    },
  );
  const notes = [...new Set([...input.notes, ...tuned.notes])];
  const result = { ...tuned, source: basename(plan.file), notes };
  if (saved !== undefined) saved = { ...saved, completed: tuned.status === "completed" };
  return { result, saved };
}

function resumeCommand(folder: string): string {
  return commandText(["tune", ...optionWords("--resume", folder)]);
}

/** Says how to go on with an unfinished run; the result is the exit code. */
function finish(result: TuneResult, folder: string, quiet: boolean, interrupted: number): number {
  if (result.status === "completed") return exitCodes.ok;
  if (!quiet || result.status === "cancelled") {
    process.stderr.write(`${endingOf(result)}; to go on: ${resumeCommand(folder)}\n`);
  }
  return result.status === "cancelled" ? interrupted : exitCodes.ok;
}

function endingOf({ status, completedRepeats, repeats }: TuneResult): string {
  const why = {
    completed: "Finished",
    budget: "The time budget was used up",
    cancelled: "Interrupted",
  };
  return `${why[status]} after ${completedRepeats} of ${repeats} splits`;
}
