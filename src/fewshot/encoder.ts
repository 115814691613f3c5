/**
 * The convolutional network that few-shot learners share: blocks of 3×3 convolution, batch normalization and ReLU that
 * halve the image each. Its weights are a plain tree, so that they can be hyperparameters or a follower's weights, and
 * what the batch normalization normalizes with is explicit: the batch at hand, or given statistics.
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { randomKey, randomStream } from "../random/index.ts";
import { pooledBlock, stridedBlock } from "../layers/index.ts";
import { type Tensor, tensor, zeros } from "../program/index.ts";

/** Size of one image. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Weights of one block. */
export type Block<T> = {
  /** [filters, channels, 3, 3] */
  readonly kernel: T;
  /** β, [filters], added after the normalization. */
  readonly bias: T;
  /** γ, [filters], multiplied before; there only in an encoder with `gain`. */
  readonly gain?: T;
};

/** Mean and variance of each channel before a block's normalization, [filters]. */
export type Statistics<T> = { readonly mean: T; readonly variance: T };

/** Options of {@link convolutionalEncoder}. */
export interface EncoderOptions {
  /**
   * How a block halves the image: "strided" (default) by convolving every second pixel, rows and columns rounded up
   * (28 → 14 → 7 → 4 → 2); "pooled" by the greatest of 2×2 pixels, rounded down (28 → 14 → 7 → 3 → 1).
   */
  readonly variant?: "strided" | "pooled";
  /** Channels of each block. Default 64. */
  readonly filters?: number;
  /** Number of blocks. Default 4. */
  readonly blocks?: number;
  /** Whether the normalization has a factor γ beside its shift β. Default false, as in the published networks. */
  readonly gain?: boolean;
  /** ε > 0 in (x − mean) / √(variance + ε). Default 1e-3. */
  readonly epsilon?: number;
}

/** A network from images to features. */
export interface Encoder {
  /** Number of features of an image. */
  size(image: ImageShape): number;
  /** Weights drawn from a seed: kernels by Glorot's uniform distribution, β = 0, γ = 1. */
  init(seed: number, image: ImageShape, dtype?: "float32" | "float64"): Block<Tensor>[];
  /**
   * The features of a set of images; a jax-js function.
   *
   * @param x - [n, channels, height, width].
   * @param statistics - what to normalize with, one for each block. Default: mean and variance of the n images
   *   themselves, so that an image's features depend on its company.
   * @returns [n, size].
   */
  encode(
    params: readonly Block<np.Array>[],
    x: np.Array,
    statistics?: readonly Statistics<np.Array>[],
  ): np.Array;
  /** The mean and variance that `encode` normalizes a set of images with, one for each block; a jax-js function. */
  statistics(params: readonly Block<np.Array>[], x: np.Array): Statistics<np.Array>[];
}

/**
 * The four-block network of the few-shot literature.
 *
 *     block(x) = relu(γ · (conv(x) − mean) / √(variance + ε) + β), halved
 *
 * The convolution has no bias, which the normalization would remove.
 *
 * @throws RangeError when a number is out of range.
 * @see Vinyals et al., "Matching networks for one shot learning", NIPS 2016, for "pooled"; Finn et al., "Model-agnostic
 *   meta-learning", ICML 2017, and Franceschi et al., "Bilevel programming for hyperparameter optimization and
 *   meta-learning", ICML 2018, for "strided".
 */
export function convolutionalEncoder(options: EncoderOptions = {}): Encoder {
  checkOptions("convolutionalEncoder", options, {
    variant: "string",
    filters: "number",
    blocks: "number",
    gain: "boolean",
    epsilon: "number",
  });
  const { variant = "strided", filters = 64, blocks = 4, gain = false, epsilon = 1e-3 } = options;
  if (variant !== "strided" && variant !== "pooled") {
    throw new RangeError(
      `convolutionalEncoder: variant must be "strided" or "pooled"; ${String(variant)} came.`,
    );
  }
  for (const [name, value] of Object.entries({ filters, blocks })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new RangeError(
      `convolutionalEncoder: ${name} must be a whole number >= 1; ${value} came.`,
    );
  }
  if (!(epsilon > 0)) {
    throw new RangeError(`convolutionalEncoder: epsilon must be > 0; ${epsilon} came.`);
  }
  const build = variant === "strided" ? stridedBlock : pooledBlock;
  const halve = variant === "strided" ? Math.ceil : Math.floor;

  const run = (
    params: readonly Block<np.Array>[],
    x: np.Array,
    given: readonly Statistics<np.Array>[] | undefined,
  ): { features: np.Array; used: Statistics<np.Array>[] } => {
    const used: Statistics<np.Array>[] = [];
    let image = x;
    params.forEach((block, i) => {
      const moments = given?.[i];
      const next = build(block, image, { epsilon, ...(moments && { moments }) });
      image = next.image;
      used.push(next.moments);
    });
    return { features: image.reshape([x.shape[0]!, -1]), used };
  };

  return {
    size: (image) => {
      let { height, width } = image;
      for (let i = 0; i < blocks; i++) [height, width] = [halve(height / 2), halve(width / 2)];
      if (height * width > 0) return filters * height * width;
      throw new RangeError(
        `convolutionalEncoder: ${blocks} blocks leave nothing of ${image.height}×${image.width} pixels; use fewer blocks, or variant "strided".`,
      );
    },
    init: (seed, image, dtype = "float32") =>
      Array.from({ length: blocks }, (_, i): Block<Tensor> => {
        const channels = i === 0 ? image.channels : filters;
        const stream = randomStream(randomKey(seed, "encoder", i));
        const limit = Math.sqrt(6 / (9 * (channels + filters)));
        const kernel = Array.from(
          { length: filters * channels * 9 },
          () => limit * (2 * stream.uniform() - 1),
        );
        return {
          kernel: tensor(kernel, { shape: [filters, channels, 3, 3], dtype }),
          bias: zeros([filters], dtype),
          ...(gain && { gain: tensor(Array<number>(filters).fill(1), { dtype }) }),
        };
      }),
    encode: (params, x, statistics) => run(params, x, statistics).features,
    statistics: (params, x) => run(params, x, undefined).used,
  };
}
