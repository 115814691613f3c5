// `stackelberg fewshot train`: checks everything, reads the images, then trains in the output folder until the steps, the
// budget, early stopping or Ctrl-C end it.

import { createRunFolder, decodeError, type RunFolder, runJob } from "../../../study/index.ts";
import { commandText, optionWords } from "../../command/command-text.ts";
import { exitCodes, UsageError } from "../../command/errors.ts";
import { bestLine, modelName, percent } from "../../../fewshot/internal.ts";
import type { TrainJobEvent, TrainJobPlan, TrainJobResult } from "./job.ts";
import { beginRun, planTraining, trainCommand, type TrainFlags } from "./plan.ts";
import { listenForInterrupts, waitingSentence } from "../../terminal/interrupt.ts";
import { formatCount } from "../../../data/internal.ts";
import { stderrLine, type LiveLine } from "../../terminal/live-line.ts";
import { showRun } from "../../terminal/run-line.ts";

/** Runs the command; the result is the exit code. */
export async function runFewshotTrain(flags: TrainFlags): Promise<number> {
  const line = stderrLine(flags);
  const run = createRunFolder("stackelberg fewshot train", line.say);
  try {
    return await trainIn(run, flags, line);
  } finally {
    line.clear();
    await run.release();
  }
}

async function trainIn(run: RunFolder, flags: TrainFlags, line: LiveLine): Promise<number> {
  const plan = await planTraining(flags, run);
  const { settings, folder } = plan;
  const interrupts = listenForInterrupts({
    onFirst: () => line.say("Stopping after this step and saving; Ctrl-C again stops at once."),
    onWaiting: (seconds) => line.say(waitingSentence(seconds)),
  });
  const { signal } = interrupts;
  const show = showRun(line, "always");
  run.tell({ type: "started", command: "stackelberg fewshot train", settings });
  try {
    const outcome = await runJob<TrainJobPlan, TrainJobEvent, TrainJobResult>(
      "./job",
      import.meta.url,
      {
        settings,
        folder,
        resuming: flags.resume !== undefined,
        budgetSeconds: flags.budget,
        threads: flags.threads,
        maxUnpacked: flags.maxUnpacked,
      },
      {
        signal,
        onEvent: (event) => {
          if (event.type === "ready") return beginRun(plan, flags, run);
          run.tell(event);
          show(event);
        },
      },
    );
    const { status } = outcome;
    run.tell({ type: "ended", status, sentence: endingOf(outcome) });
    const hasModel = bestLine(outcome.lines) !== undefined;
    if (hasModel && status !== "interrupted" && status !== "failed") await run.complete();
    line.clear();
    const lines = report(outcome, folder);
    if (flags.quiet !== true)
      lines.push(`The run again: ${trainCommand(settings, flags.maxUnpacked)}`);
    if (outcome.status === "failed") {
      if (bestLine(outcome.lines) !== undefined) process.stdout.write(`${lines.join("\n")}\n`);
      throw new UsageError(outcome.sentence);
    }
    process.stdout.write(`${lines.join("\n")}\n`);
    if (outcome.unsaved !== undefined) throw decodeError(outcome.unsaved);
    return outcome.status === "interrupted" ? interrupts.exitCode : exitCodes.ok;
  } catch (error) {
    // The reading of images is ended by the signal; a training that has begun ends by itself.
    if (!signal.aborted || (error as Error).name !== "AbortError") throw error;
    process.stderr.write("Interrupted; nothing was written.\n");
    return interrupts.exitCode;
  } finally {
    interrupts.stop();
  }
}

/** How a training ended, in words. */
function endingOf({ status, step }: TrainJobResult): string {
  const steps = formatCount(step, "step");
  return {
    finished: `Finished after ${steps}`,
    "early stopping": `No better validation for long: stopped after ${steps}`,
    budget: `The time budget is used up after ${steps}`,
    interrupted: `Interrupted after ${steps}`,
    failed: `Failed after ${steps}`,
  }[status];
}

/** What came out and what can be done with it. */
function report(outcome: TrainJobResult, folder: string): string[] {
  const { status, lines, unsaved } = outcome;
  const best = bestLine(lines);
  const goesOn = (status === "budget" || status === "interrupted") && unsaved === undefined;
  const more = commandText(["fewshot", "train", ...optionWords("--resume", folder)]);
  const ended = `${endingOf(outcome)}${goesOn ? `; to go on: ${more}` : "."}`;
  if (best === undefined) return [ended];
  return [
    ended,
    `Best validation accuracy: ${percent(best.accuracy, best.halfWidth)} at step ${best.step}, after ${formatCount(best.episodes, "episode")}.`,
    `Its model is ${folder}/${modelName}; to test it: ${commandText(["fewshot", "eval", ...optionWords("--model", folder)])}`,
  ];
}
