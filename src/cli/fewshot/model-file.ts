// A trained few-shot model as one safetensors file: λ, the statistics of training images for batch normalization, and,
// in its metadata, the settings and where it stands in its training.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeParameters,
  encodeParameters,
  populationStatistics,
  type Learner,
  type Normalization,
  type Statistics,
  type TaskShape,
} from "../../fewshot/index.ts";
import { decodeSafetensors } from "../../bilevel/index.ts";
import { listEpisodes, type EpisodeShape, type ImageSet } from "../../data/index.ts";
import { zeros, type Tensor, type Tree } from "../../program/index.ts";
import { UsageError } from "../errors.ts";
import { makeLearner } from "./learners.ts";
import { checkStoredSettings, type BatchNorm, type TrainSettings } from "./settings.ts";

/** The name of the model in the output folder of a training. */
export const modelName = "model.safetensors";

/** What is known of a model besides its arrays. */
export interface ModelRecord {
  settings: TrainSettings;
  /** Of the training images. */
  shape: TaskShape;
  /** Outer updates made. */
  step: number;
  /** Episodes seen in training, those of the model that it started from included. */
  episodes: number;
  /** Mean accuracy at validation and the half width of its 95 % interval. */
  validation: { mean: number; halfWidth: number; count: number };
  /** Wall-clock seconds of that training, validations included. */
  seconds: number;
}

/** A model with its arrays. */
export interface FewshotModel extends ModelRecord {
  lambda: Tree<Tensor>;
  /** Mean and variance before each normalization over training episodes. */
  statistics: Statistics<Tensor>[];
}

/** The file's bytes. */
export function encodeModel(model: FewshotModel): Uint8Array {
  const { lambda, statistics } = model;
  const arrays = { parameters: lambda, statistics } as unknown as Tree<Tensor>;
  return encodeParameters(arrays, { model: JSON.stringify(recordOf(model)) });
}

/**
 * Reads a model and makes its learner.
 *
 * @param path - a model file, or the output folder of a training.
 */
export async function readModel(path: string): Promise<FewshotModel & { learner: Learner }> {
  const file = await modelFile(path);
  const isFolder = file !== path;
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (!isFolder || error.code !== "ENOENT") throw error;
    throw new UsageError(
      `${path} holds no ${modelName} yet: the training writes it at its first validation; give another model, or go on with --resume ${path}`,
    );
  });
  return decodeModel(bytes, file);
}

/** The model file that a path means: itself, or the one in this folder. */
export async function modelFile(path: string): Promise<string> {
  const isFolder = await stat(path).then((found) => found.isDirectory());
  return isFolder ? join(path, modelName) : path;
}

function decodeModel(bytes: Uint8Array, path: string): FewshotModel & { learner: Learner } {
  const found = storedRecord(bytes, path);
  const settings = checkStoredSettings(found.settings, path);
  const record = found as ModelRecord;
  const learner = makeLearner(settings);
  const filters = settings.filters;
  const like = {
    parameters: learner.init(record.shape, 0),
    statistics: learner.encoder
      .init(0, record.shape.image)
      .map(() => ({ mean: zeros([filters]), variance: zeros([filters]) })),
  };
  try {
    const { lambda } = decodeParameters(bytes, like as unknown as Tree<Tensor>);
    const { parameters, statistics } = lambda as unknown as {
      parameters: Tree<Tensor>;
      statistics: Statistics<Tensor>[];
    };
    return { ...record, learner, lambda: parameters, statistics };
  } catch (cause) {
    throw new UsageError(`${path} is damaged: ${(cause as Error).message}`, { cause });
  }
}

/** What the file says of itself, from which its arrays' names and shapes follow. */
function storedRecord(bytes: Uint8Array, path: string): Partial<ModelRecord> {
  try {
    return JSON.parse(decodeSafetensors(bytes).metadata["model"] ?? "{}") as Partial<ModelRecord>;
  } catch (cause) {
    throw new UsageError(
      `${path} is no few-shot model (${(cause as Error).message}); give the model.safetensors of \`stackelberg fewshot train\``,
      { cause },
    );
  }
}

/** A model without its arrays. */
export function recordOf(model: ModelRecord): ModelRecord {
  const { settings, shape, step, episodes, validation, seconds } = model;
  return { settings, shape, step, episodes, validation, seconds };
}

/** T of the training, 0 where the answer has a closed form. */
export function trainedStepsOf({
  learner,
  shape,
}: Pick<FewshotModel, "shape"> & { learner: Learner }): number {
  return learner.adaptation(shape).steps;
}

/** What a mode of batch normalization is for a model. */
export function normalization(
  mode: BatchNorm,
  statistics: readonly Statistics<Tensor>[],
): Normalization | undefined {
  return { batch: undefined, support: "support" as const, running: statistics }[mode];
}

/** The statistics that go into the file: of 20 training episodes, the same ones at each validation. */
export async function trainingStatistics(
  learner: Learner,
  lambda: Tree<Tensor>,
  options: { set: ImageSet; episode: EpisodeShape; threads?: number },
): Promise<Statistics<Tensor>[]> {
  const { set, episode, threads } = options;
  return populationStatistics(learner, lambda, {
    set,
    // A seed of its own: these are not the episodes that the training begins with.
    episodes: listEpisodes(set, episode, { seed: 2, count: 20 }),
    ...(threads === undefined ? {} : { threads }),
  });
}
