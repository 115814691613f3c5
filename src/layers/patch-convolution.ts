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
  const [n, channels] = x.shape as [number, number];
  const filters = weights.kernel.shape[0]!;
  const kernel = weights.kernel.reshape([filters, channels * 9]);
  const moments = given ?? momentsOf(kernel, patches(x, all));
  const { scale, shift } = affineOf(moments, weights, epsilon);
  // The shift is the weight of one more number that each place has, 1.
  const normalized = np.concatenate(
    [kernel.mul(scale.reshape([-1, 1])), shift.reshape([-1, 1])],
    1,
  );
  const parts = wanted.map((places) => {
    const seen = patches(x, places).map((patch) => patch.reshape([n, channels, 1, ...places.size]));
    const columns = np.concatenate(
      [
        np.concatenate(seen, 2).reshape([n, channels * 9, ...places.size]),
        np.ones([n, 1, ...places.size], { dtype: x.dtype }),
      ],
      1,
    );
    return lax.conv(columns, normalized.reshape([filters, -1, 1, 1]), [1, 1], "VALID");
  });
  return { parts, moments };
}

/** Mean and variance of each filter's products with the patches. */
function momentsOf(kernel: np.Array, seen: readonly np.Array[]): Moments<np.Array> {
  const [n, channels, rows, columns] = seen[0]!.shape as [number, number, number, number];
  const count = n * rows * columns;
  // [channels, 9, n, rows, columns]: with one channel nothing moves in memory.
  const byChannel = seen.map((patch) =>
    patch.transpose([1, 0, 2, 3]).reshape([channels, 1, count]),
  );
  const p = np.concatenate(byChannel, 1).reshape([channels * 9, count]);
  const first = np.mean(p, 1);
  const second = np.matmul(p, p.transpose()).div(count);
  const covariance = second.sub(first.reshape([-1, 1]).mul(first));
  const variance = np.sum(np.matmul(kernel, covariance).mul(kernel), 1);
  return {
    mean: np.matmul(kernel, first),
    variance: np.maximum(variance, 0) as np.Array,
  };
}
