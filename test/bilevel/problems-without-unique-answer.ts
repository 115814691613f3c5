/**
 * Problems on which methods that ask for a unique inner solution fail or are biased, with their answers: the numbers
 * P5 and P7 to P11 of the literature's toy problems. In float64.
 */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import { f64 } from "./problems.ts";

const half = (x: np.Array): np.Array => np.sum(np.square(x)).mul(0.5);

/** n equal float64 numbers. */
export const equal = (n: number, value: number): Tensor =>
  f64(Float64Array.from({ length: n }, () => value));

/** The data of problems without any. */
export const noData: { inner: never[]; outer: never[] } = { inner: [], outer: [] };

/** P5: L = ½‖y‖² − xᵀy, E = ½‖y‖² + ½‖x − 1‖²; y(x) = x, x* = 1/2. */
export const stronglyConvex: Problem<np.Array, np.Array> = bilevel({
  inner: (y: np.Array, x: np.Array) => half(y).sub(np.sum(x.mul(y))),
  outer: (y: np.Array, x: np.Array) => half(y).add(half(x.sub(1))),
});

/** Weights of {@link merelyConvex}. */
export interface Two {
  y1: np.Array;
  y2: np.Array;
}

/** P7: L = ½‖y1‖² − xᵀy1 leaves y2 free, E = ½‖x − y2‖² + ½‖y1 − 1‖²; x* = y1* = y2* = 1, E* = 0. */
export const merelyConvex: Problem<np.Array, Two> = bilevel({
  inner: ({ y1 }: Two, x: np.Array) => half(y1).sub(np.sum(x.mul(y1))),
  outer: ({ y1, y2 }: Two, x: np.Array) => half(x.sub(y2)).add(half(y1.sub(1))),
});

/** P8: L = −sin(xy), E = x + xy, 1 ≤ x ≤ 10, |y| ≤ 2; x* = 11π/4, y* = −2. */
export const nonConvex: Problem<np.Array, np.Array> = bilevel({
  inner: (y: np.Array, x: np.Array) => np.sin(np.sum(x.mul(y))).mul(-1),
  outer: (y: np.Array, x: np.Array) => np.sum(x.add(x.mul(y))),
});

/** P9: L = Σ sin(x + y_i − 2), E = (x − 2)² + ‖y − 4‖². */
export const sinusoidal: Problem<np.Array, np.Array> = bilevel({
  inner: (y: np.Array, x: np.Array) => np.sum(np.sin(y.add(x).sub(2))),
  outer: (y: np.Array, x: np.Array) => np.square(x.sub(2)).add(np.sum(np.square(y.sub(4)))),
});

/** The optimum of {@link sinusoidal} with n weights, on the branch x + y_i − 2 = 3π/2. */
export function sinusoidalOptimum(n: number): { x: number; y: number; value: number } {
  const x = (2 + n * (1.5 * Math.PI - 2)) / (1 + n);
  const y = 2 + 1.5 * Math.PI - x;
  return { x, y, value: (x - 2) ** 2 + n * (y - 4) ** 2 };
}

/** P10, any number of separate copies: L = (x + y)² + x sin²(x + y), S(x) = {−x}, 0 ≤ x ≤ 3. */
export const waves: Problem<np.Array, np.Array> = bilevel({
  inner: (y: np.Array, x: np.Array) =>
    np.sum(np.square(x.add(y)).add(x.mul(np.square(np.sin(x.add(y)))))),
  outer: (y: np.Array, x: np.Array) =>
    np.sum(
      np
        .cos(y.mul(4).add(2))
        .div(np.exp(x.mul(-4).add(2)).add(1))
        .add(np.log(np.square(x.mul(4).sub(2)).add(1)).mul(0.5)),
    ),
});

/** E of one copy of {@link waves}. */
export function waveOuter(x: number, y: number): number {
  return Math.cos(4 * y + 2) / (1 + Math.exp(2 - 4 * x)) + 0.5 * Math.log((4 * x - 2) ** 2 + 1);
}

/** P11: L = y² + 2 sin²(y), E = sin²(y − 2π/3) + ½x²; the inner answer is y = 0, its norm has a trap at 2π/3. */
export const trap: Problem<np.Array, np.Array> = bilevel({
  inner: (y: np.Array) => np.square(y).add(np.square(np.sin(y)).mul(2)),
  outer: (y: np.Array, x: np.Array) =>
    np.square(np.sin(y.sub((2 * Math.PI) / 3))).add(np.square(x).mul(0.5)),
});
