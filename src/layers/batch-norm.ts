/** Batch normalization by the batch's own statistics, as one scale and one shift of each channel. */
import { numpy as np } from "@jax-js/jax";

/** Mean and variance of each channel, [channels]. */
export interface Moments<T> {
  readonly mean: T;
  readonly variance: T;
}

/**
 * Mean and variance of each channel over images and pixels, the variance as E[x²] − E[x]².
 *
 * That is one pass over the array less than the mean of squared differences, and half of those in the derivative; its
 * rounding error is that of E[x²], so it suits values whose mean is not large against their deviation, as those of a
 * convolution are.
 *
 * @param parts - arrays [n, channels, height, width] that together are the batch.
 */
export function channelMoments(parts: readonly np.Array[]): Moments<np.Array> {
  const count = parts.reduce((sum, { shape }) => sum + shape[0]! * shape[2]! * shape[3]!, 0);
  const mean = (f: (x: np.Array) => np.Array): np.Array =>
    parts
      .map((x) => np.sum(f(x), [0, 2, 3]))
      .reduce((a, b) => a.add(b))
      .div(count);
  const first = mean((x) => x);
  const second = mean(np.square);
  return { mean: first, variance: np.maximum(second.sub(np.square(first)), 0) as np.Array };
}

/** γ·(x − mean)/√(variance + ε) + β as x·scale + shift, each [channels]. */
export function affineOf(
  { mean, variance }: Moments<np.Array>,
  { gain, bias }: { readonly gain?: np.Array; readonly bias: np.Array },
  epsilon: number,
): { scale: np.Array; shift: np.Array } {
  const deviation = np.sqrt(variance.add(epsilon));
  const scale = gain ? gain.div(deviation) : np.reciprocal(deviation);
  return { scale, shift: bias.sub(mean.mul(scale)) };
}
