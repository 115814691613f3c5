/**
 * Blocks of convolution, batch normalization, ReLU and halving the image, arranged so that little is done at the full
 * resolution of the convolution.
 */
import { lax, numpy as np } from "@jax-js/jax";
import {
  affineOf,
  type BatchNormOptions,
  type BlockWeights,
  channelMoments,
  type Moments,
} from "./batch-norm.ts";
import { greatest, maxPool } from "./max-pool.ts";
import { convolvePatches, fewChannels } from "./patch-convolution.ts";
import { relu } from "./relu.ts";

/** A block's images, and what it normalized with. */
export interface BlockOutput {
  /** [n, filters, rows, columns] */
  readonly image: np.Array;
  readonly moments: Moments<np.Array>;
}

/**
 * maxPool(relu(γ·(conv(x) − mean)/√(variance + ε) + β)) with 2×2 pixels; a jax-js function.
 *
 * An odd last row or column is left out, as by pooling; the moments are those of the whole convolution.
 *
 * @param x - images [n, channels, height, width].
 * @returns images of half the height and width, rounded down.
 */
export function pooledBlock(
  weights: BlockWeights<np.Array>,
  x: np.Array,
  options: BatchNormOptions,
): BlockOutput {
  return x.shape[1]! <= fewChannels
    ? poolPatches(weights, x, options)
    : poolConvolved(weights, x, options);
}

/**
 * The convolution at even and odd rows and columns apart: four arrays, whose greatest are found, and whose derivative is
 * made, without rearranging memory. The derivative with respect to x costs more this way; nobody asks for it in the
 * first block, whose x are the images.
 */
function poolPatches(
  weights: BlockWeights<np.Array>,
  x: np.Array,
  options: BatchNormOptions,
): BlockOutput {
  const [height, width] = x.shape.slice(2) as [number, number];
  const all = { stride: 1, start: [0, 0], size: [height, width] } as const;
  const quarters = [0, 1].flatMap((row) =>
    [0, 1].map((column) => {
      return { stride: 2, start: [row, column], size: [height >> 1, width >> 1] } as const;
    }),
  );
  const { parts, moments } = convolvePatches(weights, x, all, quarters, options);
  return { image: relu(greatest(parts)), moments };
}

/**
 * Scaling by a positive number and ReLU keep the order of numbers, so the greatest may be taken before them; where γ is
 * negative the sign goes into the kernel first.
 */
function poolConvolved(
  { kernel, bias, gain }: BlockWeights<np.Array>,
  x: np.Array,
  { epsilon, moments }: BatchNormOptions,
): BlockOutput {
  const sign = gain && lax.stopGradient(np.where(np.less(gain, 0), -1, 1) as np.Array);
  const w = sign ? kernel.mul(sign.reshape([-1, 1, 1, 1])) : kernel;
  const convolved = lax.conv(x, w, [1, 1], "SAME");
  const own = moments ?? channelMoments(convolved);
  // `moments` from outside are those of the convolution with the kernel as it is.
  const signed = moments && sign ? { ...moments, mean: moments.mean.mul(sign) } : own;
  const signedGain = gain && { gain: gain.mul(sign!) };
  const image = relu(normalize(maxPool(convolved), signed, { ...signedGain, bias }, epsilon));
  const reported = sign && !moments ? { ...own, mean: own.mean.mul(sign) } : own;
  return { image, moments: reported };
}

/**
 * relu(γ·(conv(x) − mean)/√(variance + ε) + β) with a convolution at every second pixel; a jax-js function.
 *
 * @param x - images [n, channels, height, width].
 * @returns images of half the height and width, rounded up.
 */
export function stridedBlock(
  weights: BlockWeights<np.Array>,
  x: np.Array,
  options: BatchNormOptions,
): BlockOutput {
  const [channels, height, width] = x.shape.slice(1) as [number, number, number];
  if (channels <= fewChannels) {
    // Where an even length is halved, zeros are added after its end and none before, as by "SAME".
    const places = {
      stride: 2,
      start: [1 - (height % 2), 1 - (width % 2)],
      size: [(height + 1) >> 1, (width + 1) >> 1],
    } as const;
    const { parts, moments } = convolvePatches(weights, x, places, [places], options);
    return { image: relu(parts[0]!), moments };
  }
  const y = lax.conv(x, weights.kernel, [2, 2], "SAME");
  const moments = options.moments ?? channelMoments(y);
  return { image: relu(normalize(y, moments, weights, options.epsilon)), moments };
}

function normalize(
  x: np.Array,
  moments: Moments<np.Array>,
  weights: Omit<BlockWeights<np.Array>, "kernel">,
  epsilon: number,
): np.Array {
  const { scale, shift } = affineOf(moments, weights, epsilon);
  return x.mul(scale.reshape([-1, 1, 1])).add(shift.reshape([-1, 1, 1]));
}
