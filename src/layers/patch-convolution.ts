/**
 * Convolution and batch normalization of images of few channels, gray or in color. There a filter is a vector k of few
 * numbers and meets few at each place, its patch p: the moments of k·p over all places are those of the patches,
 *
 *     mean = k·E[p],   variance = kᵀ·Cov[p]·k
 *
 * known before anything is convolved. So the normalization goes into the filters, and no pass over the convolved images,
 * nor over their derivatives, is left for it.
 */
import { lax, numpy as np } from "@jax-js/jax";
import { affineOf, type BatchNormOptions, type BlockWeights, type Moments } from "./batch-norm.ts";
import { patches, type Places } from "./patches.ts";

/** Channels of images up to which this is less work than convolving first. */
export const fewChannels = 4;

/**
 * γ·(conv(x) − mean)/√(variance + ε) + β at several sets of places.
 *
 * @param x - images [n, channels, height, width].
 * @param all - the places over which the moments are taken.
 * @param wanted - the places of each part.
 */
export function convolvePatches(
  weights: BlockWeights<np.Array>,
  x: np.Array,
  all: Places,
  wanted: readonly Places[],
  { epsilon, moments: given }: BatchNormOptions,
): { parts: np.Array[]; moments: Moments<np.Array> } {
  const [n] = x.shape as [number];
  const filters = weights.kernel.shape[0]!;
  // The channels of each of the filter's nine places, as the patches have them.
  const kernel = weights.kernel.transpose([0, 2, 3, 1]).reshape([filters, -1]);
  const moments = given ?? momentsOf(kernel, x, all);
  const { scale, shift } = affineOf(moments, weights, epsilon);
  // The shift is the weight of one more number that each place has, 1.
  const normalized = np.concatenate(
    [kernel.mul(scale.reshape([-1, 1])), shift.reshape([-1, 1])],
    1,
  );
  const parts = wanted.map((places) => {
    const one = np.ones([n, 1, ...places.size], { dtype: x.dtype });
    const columns = np.concatenate([...patches(x, places), one], 1);
    return lax.conv(columns, normalized.reshape([filters, -1, 1, 1]), [1, 1], "VALID");
  });
  return { parts, moments };
}

/** Mean and variance of each filter's products with the patches. */
function momentsOf(kernel: np.Array, x: np.Array, places: Places): Moments<np.Array> {
  // [9·channels, n, rows, columns]
  const seen = np.concatenate(patches(x.transpose([1, 0, 2, 3]), places), 0);
  const p = seen.reshape([seen.shape[0]!, -1]);
  const count = p.shape[1]!;
  const first = np.mean(p, 1);
  const second = np.matmul(p, p.transpose()).div(count);
  const covariance = second.sub(first.reshape([-1, 1]).mul(first));
  const variance = np.sum(np.matmul(kernel, covariance).mul(kernel), 1);
  return {
    mean: np.matmul(kernel, first),
    variance: np.maximum(variance, 0) as np.Array,
  };
}
