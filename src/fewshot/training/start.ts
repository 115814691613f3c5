// What a training begins with: images that suffice, and the first λ.

import { tree } from "@jax-js/jax";
import type { ImageSplits } from "../../data/index.ts";
import type { Tensor, Tree } from "../../program/index.ts";
import { FewshotError } from "../fewshot-error.ts";
import type { Learner } from "../learner.ts";
import { readModel } from "../model-files/model-file.ts";
import { checkClasses, ofTraining } from "./check-images.ts";
import { trainingEpisode, type TrainSettings } from "../configured/settings.ts";

/** Refuses images that are too few for the episodes of training, validation or test. */
export function checkSizes(
  { train, validation, test }: ImageSplits,
  settings: TrainSettings,
): void {
  const { data, trainWays, trainShots, trainQueries } = settings;
  const isOwn = [trainWays, trainShots, trainQueries].some((size) => size !== undefined);
  const training = { data, use: "training", names: isOwn ? ofTraining : undefined };
  checkClasses(validation, settings, { data, use: "validation" });
  checkClasses(test, settings, { data, use: "testing" });
  checkClasses(train, trainingEpisode(settings), training);
}

/**
 * The λ of the model that a new run starts from, where there is one.
 *
 * @throws FewshotError when it is that of another learner.
 */
export async function firstLambda(
  settings: TrainSettings,
  learner: Learner,
  { train }: ImageSplits,
  note: (text: string) => void,
): Promise<Tree<Tensor> | undefined> {
  const { from, seed } = settings;
  if (from === undefined) return undefined;
  const { lambda } = await readModel(from.path, note);
  const { channels, height, width, classes } = train;
  const shape = {
    ways: trainingEpisode(settings).ways,
    image: { channels, height, width },
    classes: classes.length,
  };
  const own = learner.init(shape, seed);
  const describe = (values: Tree<Tensor>): string => tree.leaves<Tensor>(values).join(", ");
  if (describe(lambda) === describe(own)) return lambda;
  throw new FewshotError(
    `\`from\` ${from.path}: its parameters do not fit this learner and these images; give a model with the same \`learner\`, \`filters\`, \`ways\` and \`size\``,
  );
}
