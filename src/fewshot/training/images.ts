// The images of a few-shot run: Omniglot's characters, or a user's own folder of class folders.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  DataError,
  randomKey,
  randomStream,
  readImageFolder,
  readOmniglot,
  selectClasses,
  type ImageOptions,
  type ImageSet,
  type ImageSplits,
} from "../../data/index.ts";
import type { ImageSettings } from "../configured/settings.ts";

/** Reports how far loading has come, and can be ended. */
export type LoadOptions = Pick<ImageOptions, "maxUnpacked" | "onNote" | "onProgress" | "signal">;

/**
 * Reads and splits the images.
 *
 * A folder that has the folders `train`, `validation` and `test` is split by them. Any other folder's classes are
 * shuffled by a fixed seed, and 64, 16 and 20 % of them train, validate and test, but no part has fewer than `ways`.
 *
 * @throws DataError when the images cannot be read or are too few.
 */
export async function loadImages(
  settings: ImageSettings & { ways: number },
  options: LoadOptions = {},
): Promise<ImageSplits> {
  const { data, split, size, channels, invert, ways } = settings;
  if (data === "omniglot") {
    const { onProgress, signal } = options;
    return readOmniglot({ split, size, onProgress, signal });
  }
  const reading = { size, channels, invert, ...options };
  const parts = ["train", "validation", "test"] as const;
  const isSplit = await Promise.all(parts.map((part) => isFolder(join(data, part))));
  if (isSplit.every(Boolean)) {
    const [train, validation, test] = await Promise.all(
      parts.map((part) => readImageFolder(join(data, part), reading)),
    );
    return { train: train!, validation: validation!, test: test! };
  }
  return splitClasses(data, await readImageFolder(data, reading), ways);
}

function splitClasses(data: string, set: ImageSet, ways: number): ImageSplits {
  const n = set.classes.length;
  const validation = Math.max(ways, Math.round(0.16 * n));
  const test = Math.max(ways, Math.round(0.2 * n));
  const train = n - validation - test;
  if (train < ways) {
    throw new DataError(
      `${data}: ${ways} ways need ${ways} classes each for training, validation and test, the folder has ${n} classes; ask for fewer ways or add classes.`,
    );
  }
  const order = Array.from({ length: n }, (_, i) => i);
  randomStream(randomKey(0, "classes")).shuffle(order);
  return {
    train: selectClasses(set, order.slice(0, train)),
    validation: selectClasses(set, order.slice(train, train + validation)),
    test: selectClasses(set, order.slice(train + validation)),
  };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
