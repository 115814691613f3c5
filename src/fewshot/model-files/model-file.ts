// A trained few-shot model as one safetensors file: λ, the statistics of training images for batch normalization, and,
// in its metadata, the settings and where it stands in its training.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import {
  checkSchema,
  count,
  finite,
  openSealedJson,
  positiveCount,
  readRegularFile,
  sha256,
  unsealedNote,
} from "../../files/index.ts";
import { decodeParameters, encodeParameters } from "../parameters-file.ts";
import { populationStatistics } from "../population-statistics.ts";
import type { Learner, TaskShape } from "../learner.ts";
import type { Normalization } from "../classifier.ts";
import type { Statistics } from "../encoder.ts";
import { decodeSafetensors } from "../../program/index.ts";
import { listEpisodes, type EpisodeShape, type ImageSet } from "../../data/index.ts";
import { zeros, type Tensor, type Tree } from "../../program/index.ts";
import { FewshotError } from "../fewshot-error.ts";
import { representationName } from "./representation.ts";
import { makeLearner } from "../configured/learners.ts";
import { settingsSchema, type BatchNorm, type TrainSettings } from "../configured/settings.ts";

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

/** In the file's metadata: the SHA-256 of representation.onnx beside it. */
const representationSum = "representation-sha256";

const remedy = "give the model.safetensors of `stackelberg fewshot train`, or its folder";

/** The schema of a model's record. */
export const recordSchema: v.GenericSchema<unknown, ModelRecord> = v.looseObject({
  settings: settingsSchema,
  shape: v.looseObject({
    ways: positiveCount,
    image: v.looseObject({ channels: positiveCount, height: positiveCount, width: positiveCount }),
    classes: count,
  }),
  step: count,
  episodes: count,
  validation: v.looseObject({ mean: finite, halfWidth: finite, count: finite }),
  seconds: finite,
});

/**
 * The file's bytes.
 *
 * @param representation - the bytes of representation.onnx, the same weights for other runtimes.
 */
export function encodeModel(model: FewshotModel, representation: Uint8Array): Uint8Array {
  const { lambda, statistics } = model;
  const arrays = { parameters: lambda, statistics } as unknown as Tree<Tensor>;
  return encodeParameters(arrays, {
    model: JSON.stringify(recordOf(model)),
    [representationSum]: sha256(representation),
  });
}

/**
 * Reads a model and makes its learner.
 *
 * @param path - a model file, or the output folder of a training.
 * @param note - told when the file has no checksum.
 */
export async function readModel(
  path: string,
  note: (text: string) => void = () => undefined,
): Promise<FewshotModel & { learner: Learner }> {
  const file = await modelFile(path);
  const isFolder = file !== path;
  const bytes = await readRegularFile(file).catch((error: NodeJS.ErrnoException) => {
    if (!isFolder || error.code !== "ENOENT") throw error;
    throw new FewshotError(
      `${path} holds no ${modelName} yet: the training writes it at its first validation; give another model, or let the training go on`,
    );
  });
  const { checked, sum, ...model } = decodeModel(bytes, file);
  if (isFolder) await checkRepresentation(path, sum, note);
  if (!checked) note(unsealedNote(file));
  return model;
}

/** In a run's folder, the same weights for other runtimes are those of the model. */
async function checkRepresentation(
  folder: string,
  sum: string | undefined,
  note: (text: string) => void,
): Promise<void> {
  // An older version wrote none.
  if (sum === undefined) return;
  const path = join(folder, representationName);
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (bytes === undefined || sha256(bytes) === sum) return;
  // Nothing here reads it, and a kill between the two files leaves one of the next validation.
  note(
    `${path} is damaged or of another validation: its SHA-256 is not the one in ${modelName}; do not use it.`,
  );
}

/** The model file that a path means: itself, or the one in this folder. */
export async function modelFile(path: string): Promise<string> {
  const isFolder = await stat(path).then((found) => found.isDirectory());
  return isFolder ? join(path, modelName) : path;
}

function decodeModel(
  bytes: Uint8Array,
  path: string,
): FewshotModel & { learner: Learner; checked: boolean; sum: string | undefined } {
  const { settings, ...record } = storedRecord(bytes, path);
  const learner = makeLearner(settings);
  const filters = settings.filters;
  try {
    const like = {
      parameters: learner.init(record.shape, 0),
      statistics: learner.encoder
        .init(0, record.shape.image)
        .map(() => ({ mean: zeros([filters]), variance: zeros([filters]) })),
    };
    const { lambda } = decodeParameters(bytes, like as unknown as Tree<Tensor>);
    const { parameters, statistics } = lambda as unknown as {
      parameters: Tree<Tensor>;
      statistics: Statistics<Tensor>[];
    };
    return { settings, ...record, learner, lambda: parameters, statistics };
  } catch (cause) {
    throw new FewshotError(`${path} is damaged: ${(cause as Error).message}`, { cause });
  }
}

/** What the file says of itself, from which its arrays' names and shapes follow. */
function storedRecord(
  bytes: Uint8Array,
  path: string,
): ModelRecord & { checked: boolean; sum: string | undefined } {
  let text: string;
  let checked: boolean;
  let sum: string | undefined;
  try {
    const { metadata, checked: hasSum } = decodeSafetensors(bytes);
    text = metadata["model"] ?? "";
    checked = hasSum;
    sum = metadata[representationSum];
  } catch (cause) {
    throw new FewshotError(
      `${path} is no few-shot model, or a damaged one (${(cause as Error).message.replace(/\.$/, "")}); ${remedy}`,
      { cause },
    );
  }
  if (text === "") throw new FewshotError(`${path} is no few-shot model; ${remedy}`);
  const { value } = openSealedJson(new TextEncoder().encode(text), path, remedy);
  return { ...checkSchema(recordSchema, value, path, remedy), checked, sum };
}

/** A model without its arrays. */
export function recordOf(model: ModelRecord): ModelRecord {
  const { settings, shape, step, episodes, validation, seconds } = model;
  return { settings, shape, step, episodes, validation, seconds };
}

/** T of the training, 0 where the response has a closed form. */
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
    threads,
  });
}
