/**
 * A block of convolution, batch normalization, ReLU and 2×2 max pooling, arranged so that little is done at the full
 * resolution of the convolution: the greatest of four numbers is taken first, and the rest on a quarter of them.
 */
import { lax, numpy as np } from "@jax-js/jax";
import { affineOf, channelMoments, type Moments } from "./batch-norm.ts";
import { relu } from "./relu.ts";

/** Weights of a block. */
export interface BlockWeights<T> {
  /** [filters, channels, 3, 3] */
  readonly kernel: T;
  /** β, [filters]. */
  readonly bias: T;
  /** γ, [filters]; 1 when absent. */
  readonly gain?: T;
}

/** Options of {@link pooledBlock}. */
export interface PooledBlockOptions {
  /** ε > 0 in (x − mean)/√(variance + ε). */
  readonly epsilon: number;
  /** What to normalize with; default: mean and variance of the convolved images themselves. */
  readonly moments?: Moments<np.Array>;
}

/**
 * maxPool(relu(γ·(conv(x) − mean)/√(variance + ε) + β)); a jax-js function.
 *
 * Scaling by a positive number and ReLU keep the order of numbers, so the greatest may be taken before them; where γ is
 * negative the sign goes into the kernel first. An odd last row or column is left out, as by pooling.
 *
 * @param x - images [n, channels, height, width].
 * @returns [n, filters, ⌊height/2⌋, ⌊width/2⌋], and the moments it normalized with.
 */
export function pooledBlock(
  { kernel, bias, gain }: BlockWeights<np.Array>,
  x: np.Array,
  { epsilon, moments }: PooledBlockOptions,
): { image: np.Array; moments: Moments<np.Array> } {
  const sign = gain && lax.stopGradient(np.where(np.less(gain, 0), -1, 1) as np.Array);
  const w = sign ? kernel.mul(sign.reshape([-1, 1, 1, 1])) : kernel;
  const isWhole = x.shape[2]! % 2 === 0 && x.shape[3]! % 2 === 0;
  const { pooled, parts } =
    x.shape[1] === 1 && isWhole ? convolveQuarters(x, w) : convolveWhole(x, w);
  const own = moments ?? channelMoments(parts);
  // `moments` from outside are those of the convolution with the kernel as it is.
  const signed = moments && sign ? { ...moments, mean: moments.mean.mul(sign) } : own;
  const { scale, shift } = affineOf(
    signed,
    { ...(gain && { gain: gain.mul(sign!) }), bias },
    epsilon,
  );
  const perChannel = [-1, 1, 1];
  const image = relu(pooled.mul(scale.reshape(perChannel)).add(shift.reshape(perChannel)));
  const reported = sign && !moments ? { ...own, mean: own.mean.mul(sign) } : own;
  return { image, moments: reported };
}

interface Convolved {
  readonly pooled: np.Array;
  /** All of the convolution's numbers. */
  readonly parts: readonly np.Array[];
}

function convolveWhole(x: np.Array, kernel: np.Array): Convolved {
  const y = lax.conv(x, kernel, [1, 1], "SAME");
  return { pooled: maxPool(y), parts: [y] };
}

/**
 * The convolution at even and odd rows and columns apart: four arrays, whose greatest are found, and whose derivative is
 * made, without rearranging memory. The derivative with respect to x costs more this way; nobody asks for it in the
 * first block, whose x are the images.
 */
function convolveQuarters(x: np.Array, kernel: np.Array): Convolved {
  const parts = [0, 1].flatMap((row) =>
    [0, 1].map((column) =>
      lax.convWithGeneralPadding(
        x,
        kernel,
        [2, 2],
        [
          [1 - row, row],
          [1 - column, column],
        ],
      ),
    ),
  );
  return { pooled: greatest(parts), parts };
}

/**
 * The greatest of several arrays, elementwise; those that are greatest together share the derivative, as in jax-js's own
 * maximum over an axis.
 */
function greatest(parts: readonly np.Array[]): np.Array {
  const top = lax.stopGradient(parts.reduce((a, b) => np.maximum(a, b) as np.Array));
  const masks = parts.map((x) => lax.stopGradient(np.equal(x, top).astype(x.dtype)));
  const share = np.reciprocal(masks.reduce((a, b) => a.add(b)));
  const moves = parts.map((x, i) => x.sub(lax.stopGradient(x)).mul(masks[i]!));
  return top.add(moves.reduce((a, b) => a.add(b)).mul(share));
}

/** The greatest of each 2×2 pixels; an odd last row or column is left out. */
export function maxPool(x: np.Array): np.Array {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = [height >> 1, width >> 1];
  const even = x.slice([], [], [0, 2 * rows], [0, 2 * columns]);
  const windows = even.reshape([n, channels, rows, 2, columns, 2]);
  const top = lax.stopGradient(np.max(windows, [3, 5]));
  const mask = lax.stopGradient(
    np.equal(windows, top.reshape([n, channels, rows, 1, columns, 1])).astype(x.dtype),
  );
  const share = np.reciprocal(np.sum(mask, [3, 5]));
  const moves = np.sum(windows.sub(lax.stopGradient(windows)).mul(mask), [3, 5]);
  return top.add(moves.mul(share));
}
