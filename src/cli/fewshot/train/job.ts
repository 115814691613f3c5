// The computation of `fewshot train`, in a thread of its own: from the reading of the images to the end of the training.

import { tree } from "@jax-js/jax";
import type { ImageSplits } from "../../../data/index.ts";
import type { Learner } from "../../../fewshot/index.ts";
import type { Tensor, Tree } from "../../../program/index.ts";
import {
  type EncodedError,
  encodeError,
  type Job,
  type RunHappening,
} from "../../../study/index.ts";
import { UsageError } from "../../command/errors.ts";
import { formatCount } from "../../../data/internal.ts";
import { checkClasses } from "../check-images.ts";
import { loadImages } from "../images.ts";
import { makeLearner } from "../learners.ts";
import { tellLoading } from "../tell-loading.ts";
import { readModel } from "../model-file.ts";
import { readResumePoint } from "./resume-point.ts";
import { trainingEpisode, type TrainSettings } from "../settings.ts";
import { runTraining, type TrainingOutcome } from "./training.ts";

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
  const lambda = point === undefined ? await firstLambda(settings, learner, images) : undefined;
  await tell({ type: "ready" });
  const classes = [train, validation, test].map((set) => set.classes.length).join(", ");
  const text = `${learner.name}, ${settings.ways}-way ${settings.shots}-shot, in ${folder}: ${classes} classes to train, validate and test; ${formatCount(settings.steps, "step")} of ${formatCount(settings.tasks, "episode")} at most.`;
  void tell({ type: "note", text });
  const { unsaved, ...outcome } = await runTraining({
    settings,
    learner,
    images,
    folder,
    signal,
    tell: (event) => void tell(event),
    point,
    lambda,
    ...limits,
  });
  return { ...outcome, unsaved: unsaved && encodeError(unsaved) };
};

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
  settings: TrainSettings,
  learner: Learner,
  { train }: ImageSplits,
): Promise<Tree<Tensor> | undefined> {
  const { from, seed } = settings;
  if (from === undefined) return undefined;
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
