/**
 * The baseline without bilevel structure: one classifier for all training classes at once, whose encoder is then used as
 * it is, under a linear classifier trained on each task's support set.
 *
 *     λ = encoder and head of all classes,   E(λ) = mean cross-entropy of a batch of images
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { bilevel, type Sampler } from "../bilevel/index.ts";
import { closedForm } from "../bilevel/rules/index.ts";
import { countOf } from "../data/internal.ts";
import { imageTensor } from "../data/index.ts";
import { randomKey, randomStream } from "../random/index.ts";
import { Tensor } from "../program/index.ts";
import type { DescentOptions } from "./descent-learner.ts";
import type { Encoder } from "./encoder.ts";
import { fingerprintOfImages } from "./episode-batches.ts";
import { hyperRepresentation } from "./hyper-representation.ts";
import type { Labelled, Learner, TaskSource } from "./learner.ts";
import { crossEntropy } from "./logits.ts";
import { classify, firstNetwork, type Network } from "./maml.ts";

/**
 * Joint training, then a linear probe. A training step sees as many images as the episodes of the source have, drawn
 * uniformly from all classes with replacement. At test it adapts as `hyperRepresentation` with a fixed learning rate.
 *
 * @param options.steps - of the probe. Default 5.
 * @param options.learningRate - of the probe. Default 0.4.
 */
export function joint(
  options: { encoder: Encoder } & Pick<DescentOptions, "steps" | "learningRate" | "optimizer">,
): Learner {
  checkOptions("joint", options, {
    encoder: "object!",
    optimizer: "function",
    steps: "number",
    learningRate: "number",
  });
  const { encoder } = options;
  const probe = hyperRepresentation(options);
  const logits = classify(encoder);
  return {
    name: "joint",
    encoder,
    init: ({ image, classes }, seed, dtype = "float32") => ({
      ...firstNetwork(encoder, { image, ways: classes }, seed, dtype),
    }),
    training: (source) => ({
      problem: bilevel({
        init: () => [],
        inner: (_w: unknown, { head }: Network<np.Array>) => head.bias.slice(0).mul(0),
        outer: (_w: unknown, lambda: Network<np.Array>, batch: Labelled<np.Array>) =>
          crossEntropy(logits(lambda, batch), batch.y),
      }),
      rule: closedForm(),
      data: { inner: [], outer: imageBatches(source) },
    }),
    adaptation: (shape, dtype) => probe.adaptation(shape, dtype),
  };
}

/** Images of all classes with the index of their class. */
function imageBatches({ set, episode, tasks, seed }: TaskSource): Sampler {
  const size = tasks * episode.ways * (episode.shots + episode.queries);
  const labels = set.classes.flatMap((_, i) => Array<number>(countOf(set, i)).fill(i));
  return {
    fingerprint: () => JSON.stringify(["images", fingerprintOfImages(set), { size, seed }]),
    batch: (step) => {
      const stream = randomStream(randomKey(seed, "images", step));
      const images = Array.from({ length: size }, () => stream.integer(labels.length));
      const y = Int32Array.from(images, (image) => labels[image]!);
      return { x: imageTensor(set, images), y: new Tensor("int32", [size], y) };
    },
  };
}
