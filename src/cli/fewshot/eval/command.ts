// `stackelberg fewshot eval`: a trained model on a list of test episodes that is the same for every model of the same data.

import { replaceFile } from "../../../files/index.ts";
import { type RunHappening, runJob } from "../../../study/index.ts";
import { exitCodes, UsageError } from "../../command/errors.ts";
import type { EvalJobPlan } from "./job.ts";
import {
  batchNormModes,
  descends,
  type EvaluationDocument,
  formatEvaluation,
  hasHead,
  modelFile,
  percent,
  readModel,
} from "../../../fewshot/internal.ts";
import { checkNewFile } from "../../command/new-file.ts";
import type { EvalFlags } from "./flags.ts";
import { listenForInterrupts, waitingSentence } from "../../terminal/interrupt.ts";
import { formatCount } from "../../../data/internal.ts";
import { stderrLine } from "../../terminal/live-line.ts";
import { showRun } from "../../terminal/run-line.ts";
import { renderTable, type Cell } from "../../terminal/table.ts";
import { sayAside } from "../../terminal/say-aside.ts";

/** Runs the command; the result is the exit code. */
export async function runFewshotEval(flags: EvalFlags): Promise<number> {
  if (flags.model === undefined) {
    throw new UsageError(
      "--model is missing: give the output folder of `stackelberg fewshot train`",
    );
  }
  const { settings } = await readModel(flags.model, sayAside);
  const ways = flags.ways ?? settings.ways;
  if (hasHead(settings.learner) && ways !== settings.ways) {
    throw new UsageError(
      `--ways ${ways} is not for this model: ${settings.learner} tells ${settings.ways} classes apart; leave the option out`,
    );
  }
  if (flags.innerSteps !== undefined && !descends(settings.learner)) {
    throw new UsageError(
      `--inner-steps is not for this model: the answer of ${settings.learner} has a closed form; leave the option out`,
    );
  }
  const seed = flags.seed ?? 0;
  const out = flags.out ?? (await defaultFile(flags.model, seed));
  await checkNewFile(out, {
    force: flags.force === true,
    inputs: [await modelFile(flags.model)],
  });
  const document = await testInJob({ flags: { ...flags, model: flags.model, ways, seed } });
  if (typeof document === "number") return document;
  // Printed first: a disk that is full must not cost the result.
  if (flags.json === true) process.stdout.write(formatEvaluation(document));
  else process.stdout.write(`${describeEvaluation(document).join("\n")}\n`);
  await replaceFile(out, formatEvaluation(document));
  if (flags.json !== true) process.stdout.write(`\nWritten to ${out}.\n`);
  return exitCodes.ok;
}

/** The result, or the exit code of a test that was interrupted. */
async function testInJob(plan: EvalJobPlan): Promise<EvaluationDocument | number> {
  const line = stderrLine(plan.flags);
  const interrupts = listenForInterrupts({
    onFirst: () => line.say("Stopping after these episodes; Ctrl-C again stops at once."),
    onWaiting: (seconds) => line.say(waitingSentence(seconds)),
  });
  const { signal } = interrupts;
  try {
    return await runJob<EvalJobPlan, RunHappening, EvaluationDocument>(
      "./job",
      import.meta.url,
      plan,
      { signal, onEvent: showRun(line, "always") },
    );
  } catch (error) {
    if (!signal.aborted || (error as Error).name !== "AbortError") throw error;
    process.stderr.write("Interrupted; nothing was written.\n");
    return interrupts.exitCode;
  } finally {
    line.clear();
    interrupts.stop();
  }
}

/** Beside the model, named after it and the seed. */
async function defaultFile(path: string, seed: number): Promise<string> {
  const file = await modelFile(path);
  return `${file.replace(/\.safetensors$/, "")}-test-seed${seed}.json`;
}

/** The numbers as a table: a row for each number of inner steps, a column for each mode. */
function describeEvaluation(document: EvaluationDocument): string[] {
  const { model, test, results, trainedSteps } = document;
  const modes = batchNormModes.filter((mode) => results.some((r) => r.batchNorm === mode));
  const steps = [...new Set(results.map((result) => result.steps))];
  const { stdout } = process;
  const rows = steps.map((t): Cell[] => [
    {
      text:
        trainedSteps === 0
          ? "closed form"
          : `${formatCount(t, "step")}${t === trainedSteps ? " (as trained)" : ""}`,
    },
    ...modes.map((mode) => {
      const { mean, halfWidth } = results.find((r) => r.batchNorm === mode && r.steps === t)!;
      return { text: percent(mean, halfWidth), strong: t === trainedSteps };
    }),
  ]);
  const heading = [
    { text: "inner steps" },
    ...modes.map((mode) => ({ text: `batch norm: ${mode}` })),
  ];
  const style = { width: stdout.isTTY ? stdout.columns : Infinity, color: false };
  return [
    `${model.settings.learner}, ${test.ways}-way ${test.shots}-shot on ${test.data}: accuracy on ${test.episodes} test episodes of seed ${test.seed}, with 95 % intervals; trained on ${model.episodes} episodes.`,
    "",
    ...renderTable([heading, ...rows], style),
  ];
}
