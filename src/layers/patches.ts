/** The pixels that a 3×3 filter meets at each of its places: a convolution is a product with them. */
import { numpy as np } from "@jax-js/jax";

/** Where the middle of a 3×3 filter stands: at every `stride`-th row and column from `start` on. */
export interface Places {
  readonly stride: number;
  /** First row and column. */
  readonly start: readonly [number, number];
  /** Rows and columns of places. */
  readonly size: readonly [number, number];
}

/**
 * What each of the filter's nine numbers meets, row by row of the filter; zeros outside the images.
 *
 * @param x - images [n, channels, height, width].
 * @returns nine arrays [n, channels, rows, columns].
 */
export function patches(x: np.Array, { stride, start, size }: Places): np.Array[] {
  // As many whole strides as the filter's last number passes over, after one row and column of zeros.
  const strides = size.map((length, axis) => Math.floor((start[axis]! + 2) / stride) + length);
  const ends = strides.map((count) => count * stride);
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const padded = np.pad(x, [
    [0, 0],
    [0, 0],
    [1, Math.max(0, ends[0]! - 1 - height)],
    [1, Math.max(0, ends[1]! - 1 - width)],
  ]);
  const split = padded
    .slice([], [], [0, ends[0]!], [0, ends[1]!])
    .reshape([n, channels, strides[0]!, stride, strides[1]!, stride]);
  const [rows, columns] = size;
  return [0, 1, 2].flatMap((i) =>
    [0, 1, 2].map((j) => {
      const [row, column] = [start[0] + i, start[1] + j];
      const every = split.slice([], [], [], row % stride, [], column % stride);
      const [top, left] = [Math.floor(row / stride), Math.floor(column / stride)];
      return every.slice([], [], [top, top + rows], [left, left + columns]);
    }),
  );
}
