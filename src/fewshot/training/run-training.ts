// One training on disk: outer steps with checkpoints, validations at fixed steps, the best model so far, and the log.
// Interrupted anywhere, it goes on from its checkpoint to the same bytes.

import { join } from "node:path";
import { CheckpointError } from "../../bilevel/index.ts";
import { train } from "../train.ts";
import { type NewFile, replaceFile, replaceFiles } from "../../files/index.ts";
import type { Tensor, Tree } from "../../program/index.ts";
import { FewshotError } from "../fewshot-error.ts";
import { formatNumber } from "../../data/internal.ts";
import { makeOptimizer } from "../configured/learners.ts";
import type { Metrics, RunHappening } from "../../study/index.ts";
import { percent } from "./percent.ts";
import { settingsName } from "../../study/index.ts";
import { checkpointName, logName, type ResumePoint } from "./resume-point.ts";
import { trainingEpisode, type TrainSettings } from "../configured/settings.ts";
import { failureSentence, highLossSentence, isHighLoss } from "./training-trouble.ts";
import { bestLine, formatLog, withoutImprovement, type LogLine } from "./training-log.ts";
import { modelFiles, openValidation, type Trainee } from "./validation.ts";

/** Outer steps between two checkpoints. */
const checkpointEvery = 100;

/** A run and what it may spend now. */
export interface TrainingRun extends Trainee {
  folder: string;
  /** Where a resumed run goes on. */
  point?: ResumePoint;
  /** Where a new run starts; default: the learner's first λ for the seed. */
  lambda?: Tree<Tensor>;
  /** Of this call. */
  budgetSeconds?: number;
  signal: AbortSignal;
  tell: (event: RunHappening) => void;
  /** Why a checkpoint could not be written, in a sentence without a full stop. Default: the error's message. */
  describe?: (error: unknown) => string;
}

/** How a training ended. */
export interface TrainingOutcome {
  status: "finished" | "early stopping" | "budget" | "interrupted" | "failed";
  /** Outer updates made. */
  step: number;
  /** In words, when the numbers went wrong. */
  sentence: string;
  lines: readonly LogLine[];
  /** Why the last checkpoint could not be written. */
  unsaved?: Error;
}

/** Trains until a budget, early stopping or a signal ends it; the files are up to date then. */
export async function runTraining(run: TrainingRun): Promise<TrainingOutcome> {
  const { settings, learner, images, folder, point, tell, signal, threads, budgetSeconds } = run;
  const { describe = (error) => (error as Error).message } = run;
  const say = (text: string): void => tell({ type: "note", text });
  const { every, patience, tasks, seed, steps: total } = settings;
  const checkpoint = join(folder, checkpointName);
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const earlier = settings.from ?? { episodes: 0, seconds: 0 };
  const validator = openValidation(run, signal);
  let unsaved: Error | undefined;
  const save = async (bytes: Uint8Array): Promise<void> => {
    try {
      await replaceFile(checkpoint, bytes);
      unsaved = undefined;
    } catch (error) {
      if (unsaved === undefined) {
        say(`${describe(error)}; the training goes on without it.`);
      }
      unsaved = error as Error;
      // Told of it, the loop tries again.
      throw error;
    }
  };
  const training = train(learner, {
    set: images.train,
    episode: trainingEpisode(settings),
    tasks,
    seed,
    optimizer: makeOptimizer(settings),
    budget: { steps: total, seconds: budgetSeconds },
    signal,
    checkpoint: { save, everySteps: checkpointEvery },
    lambda: run.lambda,
    resume: point && checkpoint,
    threads,
  });

  let lines = point?.lines ?? [];
  const before = lines.at(-1)?.seconds ?? earlier.seconds;
  let first: number | undefined;
  const losses = point?.losses ?? [];
  let since = {
    loss: losses.reduce((sum, loss) => sum + loss, 0),
    steps: losses.length,
    timed: 0,
    seconds: 0,
  };
  let last: Evaluated | undefined = point;
  let warned = false;
  const isDue = (step: number): boolean => (step > 0 && step % every === 0) || step === total;
  const validate = async (at: Evaluated): Promise<void> => {
    tell({ type: "step", doing: "validating", step: at.step, of: total, metrics: {} });
    const found = await validator.validate(at.lambda);
    const entry: LogLine = {
      step: at.step,
      episodes: earlier.episodes + at.step * tasks,
      loss: since.loss / since.steps,
      accuracy: found.mean,
      halfWidth: found.halfWidth,
      episodesPerSecond: since.seconds > 0 ? (since.timed * tasks) / since.seconds : 0,
      seconds: before + elapsed(),
    };
    since = { loss: 0, steps: 0, timed: 0, seconds: 0 };
    lines = [...lines, entry];
    const files: NewFile[] = [{ name: logName, contents: formatLog(lines) }];
    if (bestLine(lines) === entry) files.push(...modelFiles(run, entry, at.lambda, found));
    await replaceFiles(folder, files);
    tell(measuredOf(entry, files.length > 1));
    if (!warned && isHighLoss(entry.loss, settings)) say(highLossSentence(settings));
    warned ||= isHighLoss(entry.loss, settings);
  };

  /** @returns false when the signal ended it; a run that goes on makes it again. */
  const hasValidated = async (at: Evaluated): Promise<boolean> => {
    try {
      await validate(at);
      return true;
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      return false;
    }
  };

  try {
    let isCut = false;
    // A crash may have come between the checkpoint of a step and its validation.
    if (point !== undefined && isDue(point.step) && lines.at(-1)?.step !== point.step) {
      isCut = !(await hasValidated(point));
    }
    for await (const { step, value, lambda, seconds } of training) {
      // A step without a loss ends the training.
      if (!Number.isFinite(value)) continue;
      first ??= step;
      since = {
        loss: since.loss + value,
        steps: since.steps + 1,
        timed: since.timed + 1,
        seconds: since.seconds + (seconds ?? 0),
      };
      last = { step, lambda: lambda as unknown as Tree<Tensor> };
      if (isDue(step)) {
        isCut = !(await hasValidated(last));
        if (isCut || withoutImprovement(lines) >= patience) break;
      }
      const each = elapsed() / (step - first + 1);
      const left = Math.min(each * (total - step), (budgetSeconds ?? Infinity) - elapsed());
      tell({ type: "step", step, of: total, metrics: metricsOf(settings, left, since, lines) });
    }
    const { status, history } = await training;
    const hasFailed = status === "diverged" || status === "non-finite";
    // A budget that ends before the first validation leaves a model all the same.
    if (lines.length === 0 && last !== undefined && !signal.aborted && !hasFailed) {
      isCut = !(await hasValidated(last));
    }
    const step = history.at(-1)?.step ?? 0;
    const ended = (how: TrainingOutcome["status"]): TrainingOutcome => {
      const sentence = failureSentence(settings, step, status);
      return { status: how, step, sentence, lines, ...(unsaved && { unsaved }) };
    };
    if (hasFailed) return ended("failed");
    if (isCut) return ended("interrupted");
    if (step >= total) return ended("finished");
    if (withoutImprovement(lines) >= patience) return ended("early stopping");
    return ended(signal.aborted ? "interrupted" : "budget");
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new FewshotError(
      `${folder}: its checkpoint belongs to another run: the images, ${settingsName} or the version of stackelberg have changed since; put them back, or start a new run`,
      { cause: error },
    );
  } finally {
    await validator.dispose();
  }
}

/** A step's λ, before its update. */
interface Evaluated {
  readonly step: number;
  readonly lambda: Tree<Tensor>;
}

function measuredOf(entry: LogLine, isBest: boolean): RunHappening {
  const { step, loss, accuracy, halfWidth, episodes, episodesPerSecond, seconds } = entry;
  const best = isBest ? ", the best so far" : "";
  return {
    type: "measured",
    what: "validation",
    metrics: { step, episodes, loss, accuracy, halfWidth, episodesPerSecond, seconds },
    text: `step ${step}: loss ${formatLoss(loss)}, validation ${percent(accuracy, halfWidth)}${best}, ${episodesPerSecond.toFixed(1)} episodes/s`,
  };
}

function formatLoss(loss: number): string {
  return loss < 1e5 ? loss.toFixed(4) : formatNumber(loss);
}

function metricsOf(
  { tasks }: TrainSettings,
  secondsLeft: number,
  since: { loss: number; steps: number; timed: number; seconds: number },
  lines: readonly LogLine[],
): Metrics {
  const latest = lines.at(-1);
  const best = bestLine(lines);
  return {
    secondsLeft,
    ...(since.steps > 0 && { loss: since.loss / since.steps }),
    ...(latest && best && { validationAccuracy: latest.accuracy, bestAccuracy: best.accuracy }),
    ...(since.seconds > 0 && { episodesPerSecond: (since.timed * tasks) / since.seconds }),
  };
}
