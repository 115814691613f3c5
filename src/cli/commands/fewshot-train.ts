// `stackelberg fewshot train`: checks everything, reads the images, then trains in the output folder until the steps, the
// budget, early stopping or Ctrl-C end it.

import { tree } from "@jax-js/jax";
import type { ImageSplits } from "../../data/index.ts";
import type { Learner } from "../../fewshot/index.ts";
import type { Tensor, Tree } from "../../program/index.ts";
import { exitCodes, UsageError } from "../errors.ts";
import { checkClasses } from "../fewshot/check-images.ts";
import { loadImages } from "../fewshot/images.ts";
import { makeLearner } from "../fewshot/learners.ts";
import { showLoading, stderrLine, type LiveLine } from "../fewshot/live-line.ts";
import { modelName, readModel } from "../fewshot/model-file.ts";
import { percent } from "../fewshot/percent.ts";
import {
  beginRun,
  planTraining,
  trainCommand,
  type TrainFlags,
  type TrainPlan,
} from "../fewshot/train-plan.ts";
import { runTraining, type TrainingOutcome } from "../fewshot/training.ts";
import { trainingEpisode, type TrainSettings } from "../fewshot/settings.ts";
import { bestLine } from "../fewshot/training-log.ts";
import { listenForInterrupts } from "../interrupt.ts";
import { formatCount } from "../numbers.ts";
import { commandText, optionWords } from "../command-text.ts";
import { createRunFolder, type RunFolder } from "../run-folder.ts";

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
  const { settings, folder, point } = plan;
  const learner = makeLearner(settings);
  const interrupts = listenForInterrupts(() => {
    line.say("Stopping after this step and saving; Ctrl-C again stops at once.");
  });
  const { signal } = interrupts;
  try {
    const images = await loadImages(settings, {
      signal,
      ...showLoading(line),
      ...(flags.maxUnpacked === undefined ? {} : { maxUnpacked: flags.maxUnpacked }),
    });
    const { train, validation, test } = images;
    // Sets that are too small are refused before anything is written.
    checkSizes(images, settings);
    const lambda = await firstLambda(plan, learner, images);
    await beginRun(plan, flags, run);
    const classes = [train, validation, test].map((set) => set.classes.length).join(", ");
    line.say(
      `${learner.name}, ${settings.ways}-way ${settings.shots}-shot, in ${folder}: ${classes} classes to train, validate and test; ${formatCount(settings.steps, "step")} of ${formatCount(settings.tasks, "episode")} at most.`,
    );
    const outcome = await runTraining({
      settings,
      learner,
      images,
      folder,
      signal,
      line,
      ...(point === undefined ? {} : { point }),
      ...(lambda === undefined ? {} : { lambda }),
      ...(flags.budget === undefined ? {} : { budgetSeconds: flags.budget }),
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
    });
    const { status } = outcome;
    const hasModel = bestLine(outcome.lines) !== undefined;
    if (hasModel && status !== "interrupted" && status !== "failed") await run.complete();
    const lines = report(outcome, folder);
    if (flags.quiet !== true)
      lines.push(`The run again: ${trainCommand(settings, flags.maxUnpacked)}`);
    if (outcome.status === "failed") {
      if (bestLine(outcome.lines) !== undefined) process.stdout.write(`${lines.join("\n")}\n`);
      throw new UsageError(outcome.sentence);
    }
    process.stdout.write(`${lines.join("\n")}\n`);
    if (outcome.unsaved !== undefined) throw outcome.unsaved;
    return outcome.status === "interrupted" ? exitCodes.interrupted : exitCodes.ok;
  } catch (error) {
    // The reading of images is ended by the signal's reason; a training that has begun ends by itself.
    if (error !== signal.reason) throw error;
    process.stderr.write("Interrupted; nothing was written.\n");
    return exitCodes.interrupted;
  } finally {
    interrupts.stop();
  }
}

function checkSizes({ train, validation, test }: ImageSplits, settings: TrainSettings): void {
  const { data, trainWays, trainShots, trainQueries } = settings;
  const isOwn = [trainWays, trainShots, trainQueries].some((size) => size !== undefined);
  const training = { data, use: "training", ...(isOwn && { prefix: "train-" }) };
  checkClasses(validation, settings, { data, use: "validation" });
  checkClasses(test, settings, { data, use: "testing" });
  checkClasses(train, trainingEpisode(settings), training);
}

/** The λ of the model that a new run starts from, where there is one. */
async function firstLambda(
  { settings, point }: TrainPlan,
  learner: Learner,
  { train }: ImageSplits,
): Promise<Tree<Tensor> | undefined> {
  const { from, seed } = settings;
  if (from === undefined || point !== undefined) return undefined;
  const { lambda } = await readModel(from.path);
  const { channels, height, width, classes } = train;
  const shape = {
    ways: trainingEpisode(settings).ways,
    image: { channels, height, width },
    classes: classes.length,
  };
  const own = learner.init(shape, seed);
  const describe = (values: Tree<Tensor>): string => tree.leaves<Tensor>(values).join(", ");
  if (describe(lambda) === describe(own)) return lambda;
  throw new UsageError(
    `--from ${from.path}: its parameters do not fit this learner and these images; give a model with the same --learner, --filters, --ways and --size`,
  );
}

/** What came out and what can be done with it. */
function report({ status, step, lines, unsaved }: TrainingOutcome, folder: string): string[] {
  const best = bestLine(lines);
  const more = unsaved
    ? ""
    : `; to go on: ${commandText(["fewshot", "train", ...optionWords("--resume", folder)])}`;
  const ended = {
    finished: `Finished after ${formatCount(step, "step")}.`,
    "early stopping": `No better validation for long: stopped after ${formatCount(step, "step")}.`,
    budget: `The time budget is used up after ${formatCount(step, "step")}${more}`,
    interrupted: `Interrupted after ${formatCount(step, "step")}${more}`,
    failed: `Failed after ${formatCount(step, "step")}.`,
  }[status];
  if (best === undefined) return [ended];
  return [
    ended,
    `Best validation accuracy: ${percent(best.accuracy, best.halfWidth)} at step ${best.step}, after ${formatCount(best.episodes, "episode")}.`,
    `Its model is ${folder}/${modelName}; to test it: ${commandText(["fewshot", "eval", ...optionWords("--model", folder)])}`,
  ];
}
