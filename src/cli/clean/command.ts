// `stackelberg clean`: checks everything, ranks the rows by how doubtful their labels are, and only
// then writes, so that an interrupted run leaves nothing.

import { basename } from "node:path";
import type { Ranking } from "../../automl/index.ts";
import { cleaningTarget } from "../../automl/internal.ts";
import { findColumn, readTable, type Table } from "../../data/index.ts";
import { replaceFiles } from "../../files/index.ts";
import {
  createRunFolder,
  eventLogName,
  settingsName,
  type RunFolder,
  type RunHappening,
  runJob,
} from "../../study/index.ts";
import { announce } from "../input/announcement.ts";
import type { CleanJobPlan } from "./job.ts";
import { cleanFiles, cleanJson, printRanking } from "./output.ts";
import type { CleanResult } from "./result.ts";
import { cleanCommand, planCleaning, type CleanFlags, type CleanPlan } from "./plan.ts";
import { removableLeaks } from "../input/data-summary.ts";
import { exitCodes } from "../command/errors.ts";
import { formatCount } from "../../data/internal.ts";
import { listenForInterrupts, waitingSentence } from "../terminal/interrupt.ts";
import { prepareTable, type PreparedTable } from "../input/prepare-table.ts";
import { stderrLine, type LiveLine } from "../terminal/live-line.ts";
import { showRun } from "../terminal/run-line.ts";
import { readerOptions } from "../command/reading-settings.ts";

/** Runs the command; the result is the exit code. */
export async function runClean(file: string, flags: CleanFlags): Promise<number> {
  const line = stderrLine(flags);
  const run = createRunFolder("stackelberg clean", line.say);
  try {
    return await cleanIn(run, file, flags, line);
  } finally {
    line.clear();
    await run.release();
  }
}

async function cleanIn(
  run: RunFolder,
  file: string,
  flags: CleanFlags,
  line: LiveLine,
): Promise<number> {
  const plan = await planCleaning(file, flags);
  const { table, summary, notes, sha256 } = await read(file, flags);
  notes.forEach(line.say);
  announce(summary, process.stderr).forEach(line.say);
  const interrupts = listenForInterrupts({
    onFirst: () =>
      line.say("Stopping after this fit; nothing is written. Ctrl-C again stops at once."),
    onWaiting: (seconds) => line.say(waitingSentence(seconds)),
  });
  try {
    await run.begin(plan.folder, { force: flags.force === true, input: file });
    await run.describe({ data: { path: file, sha256 }, settings: plan });
    const started = performance.now();
    run.tell({ type: "started", command: "stackelberg clean", settings: plan });
    notes.forEach((text) => run.tell({ type: "note", text }));
    const ranking = await rank(
      run,
      table,
      { ...plan, target: summary.target },
      flags.threads,
      line,
      interrupts.signal,
    );
    line.clear();
    const leaks = removableLeaks(summary);
    const result: CleanResult = {
      source: basename(file),
      table,
      ranking,
      plan,
      data: summary,
      without: leaks.length === 0 ? undefined : cleanCommand(file, { ...plan, ...flags }, leaks),
      notes: [...new Set([...notes, ...ranking.notes])],
      sha256,
      seconds: (performance.now() - started) / 1000,
    };
    const sentence = `Ranked ${formatCount(table.rowCount, "row")}`;
    run.tell({ type: "ended", status: "completed", sentence });
    const files = cleanFiles(result);
    await replaceFiles(plan.folder, files);
    await run.complete();
    const names = [...files.map(({ name }) => name), settingsName, eventLogName];
    if (flags.json === true) process.stdout.write(`${cleanJson(result, names)}\n`);
    else printRanking(result, names);
    return exitCodes.ok;
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    process.stderr.write("Interrupted; nothing was written.\n");
    return interrupts.exitCode;
  } finally {
    interrupts.stop();
  }
}

/** The table; notes must not tell where on this machine the file lies. */
async function read(file: string, flags: CleanFlags): Promise<PreparedTable & { sha256: string }> {
  const { table, notes, sha256 } = await readTable(
    file,
    readerOptions(flags, { name: flags.target!, isLabels: flags.task !== undefined }),
  );
  const target = table.columns[findColumn(table, flags.target!)]!.name;
  const prepared = prepareTable(table, {
    target,
    task: flags.task,
    exclude: flags.exclude,
    keep: [...(flags.categorical ?? []), ...(flags.numeric ?? [])],
    ...cleaningTarget(flags.minClass),
  });
  return { ...prepared, sha256, notes: notes.map((note) => note.replaceAll(file, basename(file))) };
}

async function rank(
  run: RunFolder,
  table: Table,
  plan: CleanPlan,
  threads: number | undefined,
  line: LiveLine,
  signal: AbortSignal,
): Promise<Ranking> {
  const { target, task, minClass, seed, folds, repeats, plant } = plan;
  const options: CleanJobPlan["options"] = {
    target,
    seed,
    folds,
    repeats,
    task,
    minClass,
    plant,
    threads,
  };
  const show = showRun(line, "always");
  return runJob<CleanJobPlan, RunHappening, Ranking>(
    "./job",
    import.meta.url,
    { table, options },
    {
      signal,
      onEvent: (event) => {
        run.tell(event);
        show(event);
      },
    },
  );
}
