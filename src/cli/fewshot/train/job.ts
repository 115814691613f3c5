// The computation of `fewshot train`, in a thread of its own: from the reading of the images to the end of the training.

import {
  type EncodedError,
  encodeError,
  type Job,
  type RunHappening,
} from "../../../study/index.ts";
import { describeFailure } from "../../command/errors.ts";
import { withOptionNames } from "../../command/option-name.ts";
import { formatCount } from "../../../data/internal.ts";
import {
  checkSizes,
  firstLambda,
  loadImages,
  makeLearner,
  readResumePoint,
  runTraining,
  tellLoading,
  type TrainingOutcome,
  type TrainSettings,
} from "../../../fewshot/internal.ts";

/** What is trained, where, and what may be spent. */
export interface TrainJobPlan {
  readonly settings: TrainSettings;
  readonly folder: string;
  /** Whether the folder's run goes on. */
  readonly resuming: boolean;
  readonly budgetSeconds?: number;
  readonly threads?: number;
  /** Bytes that a compressed file may unpack to. */
  readonly maxUnpacked?: number;
}

/** `ready` is waited for: nothing has been written before, the folder is open afterwards. */
export type TrainJobEvent = RunHappening | { readonly type: "ready" };

/** The outcome, its error as data. */
export type TrainJobResult = Omit<TrainingOutcome, "unsaved"> & { unsaved?: EncodedError };

export const job: Job<TrainJobPlan, TrainJobEvent, TrainJobResult> = async (
  { settings, folder, resuming, maxUnpacked, ...limits },
  { signal, tell },
) => {
  const learner = makeLearner(settings);
  const images = await loadImages(settings, {
    signal,
    ...tellLoading(tell),
    maxUnpacked,
  });
  const { train, validation, test } = images;
  // Sets that are too small are refused before anything is written.
  checkSizes(images, settings);
  const point = resuming ? await readResumePoint(folder, settings.every) : undefined;
  const note = (text: string): void => void tell({ type: "note", text });
  const lambda =
    point === undefined ? await firstLambda(settings, learner, images, note) : undefined;
  await tell({ type: "ready" });
  const classes = [train, validation, test].map((set) => set.classes.length).join(", ");
  const text = `${learner.name}, ${settings.ways}-way ${settings.shots}-shot, in ${folder}: ${classes} classes to train, validate and test; ${formatCount(settings.steps, "step")} of ${formatCount(settings.tasks, "episode")} at most.`;
  note(text);
  const { unsaved, ...outcome } = await runTraining({
    settings,
    learner,
    images,
    folder,
    signal,
    tell: (event) =>
      void tell(event.type === "note" ? { ...event, text: withOptionNames(event.text) } : event),
    describe: (error) => describeFailure(error).sentence,
    point,
    lambda,
    ...limits,
  });
  const sentence = withOptionNames(outcome.sentence);
  return { ...outcome, sentence, unsaved: unsaved && encodeError(unsaved) };
};
