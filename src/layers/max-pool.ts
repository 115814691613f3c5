/** The greatest of several numbers, with derivatives that cost few passes over memory. */
import { lax, numpy as np } from "@jax-js/jax";
import { isPositive } from "./relu.ts";

/**
 * The greatest of several arrays, elementwise. Of numbers that are greatest together the first has the derivative. They
 * are compared two by two:
 *
 *     greater(a, b) = max(a, b),   derivative: a's where a ≥ b, b's elsewhere
 */
export function greatest(arrays: readonly np.Array[]): np.Array {
  if (arrays.length === 1) return arrays[0]!;
  const half = arrays.length >> 1;
  return greater(greatest(arrays.slice(0, half)), greatest(arrays.slice(half)));
}

function greater(a: np.Array, b: np.Array): np.Array {
  const top = lax.stopGradient(np.maximum(a, b) as np.Array);
  const isSecond = isPositive(b.sub(a));
  // The value is `top`: multiples of x − x are zeros that are not computed, −1 · (x − x) among them.
  const [da, db] = [a, b].map((x) => x.sub(lax.stopGradient(x))) as [np.Array, np.Array];
  return top.sub(da.neg()).add(db.sub(da).mul(isSecond));
}

/**
 * The greatest of each 2×2 pixels; an odd last row or column is left out. Numbers that are greatest together share the
 * derivative, as in jax-js's own maximum over an axis.
 */
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
