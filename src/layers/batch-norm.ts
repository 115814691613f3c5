/** Batch normalization by the batch's own statistics, as one scale and one shift of each channel. */
import { numpy as np } from "@jax-js/jax";

/** Mean and variance of each channel, [channels]. */
export interface Moments<T> {
  readonly mean: T;
  readonly variance: T;
}

/** Weights of a block of convolution and batch normalization. */
export interface BlockWeights<T> {
  /** [filters, channels, 3, 3] */
  readonly kernel: T;
  /** β, [filters]. */
  readonly bias: T;
  /** γ, [filters]; 1 when absent. */
  readonly gain?: T;
}

/** How a block normalizes. */
export interface BatchNormOptions {
  /** ε > 0 in (x − mean)/√(variance + ε). */
  readonly epsilon: number;
  /** What to normalize with; default: mean and variance of the convolved images themselves. */
  readonly moments?: Moments<np.Array>;
}

/**
 * Mean and variance of each channel over images and pixels, the variance as E[x²] − E[x]².
 *
 * That is one pass over the array less than the mean of squared differences, and half of those in the derivative; its
 * rounding error is that of E[x²], so it suits values whose mean is not large against their deviation, as those of a
 * convolution are.
 *
 * @param x - [n, channels, height, width].
 */
export function channelMoments(x: np.Array): Moments<np.Array> {
  const mean = np.mean(x, [0, 2, 3]);
  const second = np.mean(np.square(x), [0, 2, 3]);
  return { mean, variance: np.maximum(second.sub(np.square(mean)), 0) as np.Array };
}

/** γ·(x − mean)/√(variance + ε) + β as x·scale + shift, each [channels]. */
export function affineOf(
  { mean, variance }: Moments<np.Array>,
  { gain, bias }: Omit<BlockWeights<np.Array>, "kernel">,
  epsilon: number,
): { scale: np.Array; shift: np.Array } {
  const deviation = np.sqrt(variance.add(epsilon));
  const scale = gain ? gain.div(deviation) : np.reciprocal(deviation);
  return { scale, shift: bias.sub(mean.mul(scale)) };
}
