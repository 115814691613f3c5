// `stackelberg fewshot predict`: labels images by a few labelled ones, with a trained model. One line per image, in order.

import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  type Column,
  type EpisodeBatch,
  formatTable,
  type ImageOptions,
  type ImageSet,
  imageTensor,
  readImageFolder,
  readImages,
} from "../../../data/index.ts";
import { openClassifier } from "../../../fewshot/index.ts";
import { Tensor, tensor } from "../../../program/index.ts";
import { replaceFile } from "../../../files/index.ts";
import { exitCodes, UsageError } from "../../command/errors.ts";
import {
  adaptsEncoder,
  type BatchNorm,
  descends,
  hasHead,
  makeTestLearner,
  modelFile,
  normalization,
  readModel,
  trainedStepsOf,
} from "../../../fewshot/internal.ts";
import { checkNewFile } from "../../command/new-file.ts";
import { sayAside } from "../../terminal/say-aside.ts";

/** The options of `fewshot predict` as typed. */
export interface FewshotPredictFlags {
  model?: string;
  support?: string;
  images?: string[];
  maxUnpacked?: number;
  innerSteps?: number;
  innerRate?: number;
  batchNorm?: BatchNorm;
  invert?: boolean;
  threads?: number;
  out?: string;
  force?: boolean;
}

/** The model that comes with the package. */
const ownModel = new URL(
  "../../../../models/omniglot-hyper-representation-20way-1shot.safetensors",
  import.meta.url,
);

/** Runs the command; the result is the exit code. */
export async function runFewshotPredict(flags: FewshotPredictFlags): Promise<number> {
  const { support: folder, images: paths = [], out } = flags;
  if (folder === undefined) {
    throw new UsageError(
      "--support is missing: give a folder that has a folder of labelled images for each class",
    );
  }
  if (paths.length === 0) {
    throw new UsageError(
      "--images is missing: give the files to label, such as --images new/*.png",
    );
  }
  const modelPath = flags.model ?? fileURLToPath(ownModel);
  if (out !== undefined) {
    const inputs = [...paths, await modelFile(modelPath)];
    await checkNewFile(out, { force: flags.force === true, inputs, folders: [folder] });
  }
  const model = await readModel(modelPath, sayAside);
  const { settings, lambda, statistics } = model;
  const { learner: name, size, channels } = settings;
  if (flags.innerSteps !== undefined && !descends(name)) {
    throw new UsageError(
      `--inner-steps is not for this model: the answer of ${name} has a closed form; leave the option out`,
    );
  }
  const reading: ImageOptions = {
    size,
    channels,
    invert: flags.invert ?? settings.invert,
    onNote: sayAside,
    maxUnpacked: flags.maxUnpacked,
  };
  const support = await readImageFolder(folder, reading);
  const ways = support.classes.length;
  if (ways < 2) {
    throw new UsageError(`${folder} has one class; give a folder for each of two or more classes`);
  }
  if (hasHead(name) && ways !== settings.ways) {
    throw new UsageError(
      `${folder} has ${ways} classes, this model tells ${settings.ways} apart, as every ${name} model does the number it was trained for; take a hyper-representation or prototypical model for any number`,
    );
  }
  const learner = makeTestLearner(settings, { ways, innerRate: flags.innerRate });
  await checkFiles(paths);
  const query = await readImages(paths, reading);
  const classifier = openClassifier(
    learner,
    { ...model.shape, ways },
    {
      steps: [flags.innerSteps ?? trainedStepsOf(model)],
      threads: flags.threads,
    },
  );
  try {
    const { batchNorm = adaptsEncoder(name) ? "support" : "running" } = flags;
    const mode = normalization(batchNorm, statistics);
    const [logits] = await classifier.logits(lambda, taskOf(support, query), mode);
    const text = formatTable(labels(paths, support.classes, logits!));
    if (out === undefined) process.stdout.write(text);
    else await replaceFile(out, text);
  } finally {
    await classifier.dispose();
  }
  return exitCodes.ok;
}

/** Files that are missing are named before any is decoded. */
async function checkFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const found = await stat(path);
    if (found.isDirectory()) {
      throw new UsageError(`--images ${path} is a folder; give files, such as ${path}/*.png`);
    }
  }
}

/** One task: all labelled images, whatever their number in each class, and all others. */
function taskOf(support: ImageSet, query: ImageSet): EpisodeBatch {
  const classOf = support.classes.flatMap((_, i) =>
    Array<number>(support.offsets[i + 1]! - support.offsets[i]!).fill(i),
  );
  const all = (set: ImageSet): Tensor => {
    const { dtype, shape, data } = imageTensor(
      set,
      Array.from({ length: set.offsets.at(-1)! }, (_, i) => i),
    );
    return new Tensor(dtype, [1, ...shape], data);
  };
  const codes = (values: readonly number[]): Tensor =>
    tensor([...values], { shape: [1, values.length], dtype: "int32" });
  // The labels of the query set are asked for; predictions do not look at these.
  const unknown = Array<number>(query.offsets.at(-1)!).fill(0);
  return {
    support: { x: all(support), y: codes(classOf) },
    query: { x: all(query), y: codes(unknown) },
  };
}

/** The predictions as a table: each image's class and the class's probability, then those of all classes. */
function labels(
  paths: readonly string[],
  classes: readonly string[],
  logits: Tensor,
): Parameters<typeof formatTable>[0] {
  const ways = classes.length;
  const probabilities = paths.map((_, i) => {
    const row = Array.from(logits.data.subarray(i * ways, (i + 1) * ways), Number);
    const greatest = Math.max(...row);
    const powers = row.map((v) => Math.exp(v - greatest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((v) => v / sum);
  });
  const columns: Column[] = [
    { kind: "categorical", name: "image", codes: Int32Array.from(paths.keys()), levels: paths },
    {
      kind: "categorical",
      name: "prediction",
      codes: Int32Array.from(probabilities, (row) => row.indexOf(Math.max(...row))),
      levels: classes,
    },
    ...classes.map((name, k): Column => {
      const values = Float64Array.from(probabilities, (row) => Number(row[k]!.toPrecision(4)));
      return { kind: "numeric", name: `probability_${name}`, values };
    }),
  ];
  return { source: "predictions", rowCount: paths.length, columns };
}
