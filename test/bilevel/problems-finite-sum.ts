/** A quadratic problem whose objectives are means over examples, with its noise and its hypergradient in closed form. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import { apply, transpose, type Matrix } from "./dense.ts";
import { f64 } from "./problems.ts";

const A: Matrix = [
  [2, 0.5],
  [0.5, 1],
];
const B: Matrix = [
  [1, 0],
  [0.5, 1],
];
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** Weights s_i, targets a_i and outer targets c_j, uneven and of mean (1), (0.5, −0.5), (1, −1) or so. */
const S = range(24).map((i) => 1 + 0.4 * Math.sin(2.3 * i));
const TARGETS = range(24).map((i) => [
  0.5 + 2 * Math.sin(1.7 * i + 1),
  -0.5 + 2 * Math.cos(2.9 * i),
]);
const OUTER = range(12).map((j) => [1 + 0.5 * Math.sin(1.1 * j), -1 + 0.5 * Math.cos(3.1 * j)]);

/**
 * L = mean_i ½ s_i r_iᵀA r_i with r_i = w − a_i − Bx, so that ∇_w L_i = s_i A r_i and w(x) = Σ s_i a_i / Σ s_i + Bx;
 * E = mean_j ½‖w − c_j‖² + 0.05‖x‖².
 */
export const finiteSum: {
  readonly problem: Problem;
  readonly lambda: Tensor;
  readonly w: Tensor;
  readonly data: {
    readonly inner: { readonly s: Tensor; readonly a: Tensor };
    readonly outer: { readonly c: Tensor };
  };
} = {
  problem: bilevel({
    inner: (w: np.Array, x: np.Array, d: { s: np.Array; a: np.Array }) => {
      const shifted = x.add(np.concatenate([np.zerosLike(first(x)), first(x).mul(0.5)]));
      const r = d.a.sub(w.sub(shifted));
      const [r1, r2] = [r.slice([], 0), r.slice([], 1)];
      const form = np.square(r1).add(r1.mul(r2).add(np.square(r2)).mul(0.5));
      return np.mean(d.s.mul(form));
    },
    outer: (w: np.Array, x: np.Array, d: { c: np.Array }) =>
      np
        .mean(np.sum(np.square(w.sub(d.c)), 1))
        .mul(0.5)
        .add(np.sum(np.square(x)).mul(0.05)),
  }) as Problem,
  lambda: f64([1, 1]),
  w: f64([0, 0]),
  data: { inner: { s: f64(S), a: f64(TARGETS) }, outer: { c: f64(OUTER) } },
};

/** x_1 as [1]. */
function first(x: np.Array): np.Array {
  return x.slice([0, 1]);
}

/** ∇_w L_i of every example. */
export function innerGradients(w: readonly number[], x: readonly number[]): number[][] {
  const shift = apply(B, [...x]);
  return TARGETS.map((a, i) => {
    const r = w.map((w, k) => w - a[k]! - shift[k]!);
    return apply(A, r).map((g) => S[i]! * g);
  });
}

/** ∇_w E_j of every example. */
export function outerGradients(w: readonly number[]): number[][] {
  return OUTER.map((c) => w.map((w, k) => w - c[k]!));
}

/** dF/dx = 0.1x + Bᵀ(w(x) − mean c). */
export function exactGradient(x: readonly number[]): number[] {
  const total = S.reduce((sum, s) => sum + s, 0);
  const shift = apply(B, [...x]);
  const w = [0, 1].map((k) => TARGETS.reduce((sum, a, i) => sum + S[i]! * a[k]!, 0) / total + shift[k]!); // prettier-ignore
  const e = w.map((w, k) => w - OUTER.reduce((sum, c) => sum + c[k]!, 0) / OUTER.length);
  return apply(transpose(B), e).map((g, k) => g + 0.1 * x[k]!);
}

/** The population's variance summed over the coordinates, and its mean's squared norm. */
export function spreadOf(population: readonly number[][]): {
  variance: number;
  squaredNorm: number;
} {
  const n = population.length;
  const mean = population[0]!.map((_, k) => population.reduce((sum, g) => sum + g[k]!, 0) / n);
  const variance = population.reduce((sum, g) => sum + g.reduce((s, x, k) => s + (x - mean[k]!) ** 2, 0), 0) / n; // prettier-ignore
  return { variance, squaredNorm: mean.reduce((sum, x) => sum + x * x, 0) };
}
