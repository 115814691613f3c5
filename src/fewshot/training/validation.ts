// A training's validations: always the same episodes, and what a model keeps of the best one.

import { listEpisodes, type ImageSplits } from "../../data/index.ts";
import { openEvaluation, type Evaluator } from "../evaluate.ts";
import type { Learner } from "../learner.ts";
import type { NewFile } from "../../files/index.ts";
import type { Tensor, Tree } from "../../program/index.ts";
import { exportRepresentation, representationName } from "../model-files/representation.ts";
import { makeTestLearner } from "../configured/learners.ts";
import {
  encodeModel,
  modelName,
  normalization,
  trainingStatistics,
} from "../model-files/model-file.ts";
import { trainingEpisode, type TrainSettings } from "../configured/settings.ts";
import type { LogLine } from "./training-log.ts";

/** What is trained, and on what. */
export interface Trainee {
  settings: TrainSettings;
  learner: Learner;
  images: ImageSplits;
  threads?: number;
}

/** The accuracy on the validation episodes, and the statistics of training images. */
export type Validation = Awaited<ReturnType<Evaluator["evaluate"]>>[number] & {
  statistics: Awaited<ReturnType<typeof trainingStatistics>>;
};

/**
 * Opens the validations of a training.
 *
 * @param signal - ends one between two chunks of episodes, by rejecting with its reason.
 */
export function openValidation(
  { settings, images, threads }: Trainee,
  signal: AbortSignal,
): {
  validate(lambda: Tree<Tensor>): Promise<Validation>;
  dispose(): Promise<void>;
} {
  const { ways, shots, queries, validationEpisodes, batchNorm } = settings;
  const learner = makeTestLearner(settings, { ways });
  const placement = { threads };
  const evaluator = openEvaluation(learner, {
    set: images.validation,
    // The same list for every learner and every seed of a training.
    episodes: listEpisodes(
      images.validation,
      { ways, shots, queries },
      { seed: 1, count: validationEpisodes },
    ),
    signal,
    ...placement,
  });
  const source = { set: images.train, episode: trainingEpisode(settings), ...placement };
  return {
    async validate(lambda) {
      const statistics = await trainingStatistics(learner, lambda, source);
      const [evaluation] = await evaluator.evaluate(lambda, normalization(batchNorm, statistics));
      return { ...evaluation!, statistics };
    },
    dispose: () => evaluator.dispose(),
  };
}

/** The model and its representation as files. */
export function modelFiles(
  { settings, images, learner }: Trainee,
  { step, episodes, seconds }: LogLine,
  lambda: Tree<Tensor>,
  { mean, halfWidth, count, statistics }: Validation,
): NewFile[] {
  const { channels, height, width, classes } = images.train;
  const image = { channels, height, width };
  const model = {
    settings,
    shape: { ways: trainingEpisode(settings).ways, image, classes: classes.length },
    step,
    episodes,
    validation: { mean, halfWidth, count },
    seconds,
    lambda,
    statistics,
  };
  const representation = exportRepresentation(learner, model);
  return [
    { name: representationName, contents: representation },
    // The seal of the run, see run-files.ts: written last.
    { name: modelName, contents: encodeModel(model, representation) },
  ];
}
