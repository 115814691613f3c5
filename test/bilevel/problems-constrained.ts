/** Followers under constraints, with known answers; all in float64. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import { apply, solveDense, transpose, type Matrix } from "./dense.ts";
import { f64, type Case } from "./problems.ts";

const noData = { inner: [], outer: [] };
const halfSquares = (x: np.Array): np.Array => np.sum(np.square(x)).mul(0.5);

/** P12 (a): L = ½(y − x)² for y ≤ 1, E = ½(y + 1)²; so dF/dx = (y + 1)·dy/dx with dy/dx 1 below x = 1, 0 above. */
export const clipped: Case = {
  name: "P12 (a) one bound",
  problem: bilevel({
    inner: (y: np.Array, x: np.Array) => halfSquares(y.sub(x)),
    outer: (y: np.Array) => halfSquares(y.add(1)),
  }) as Problem,
  lambda: f64([0.3]),
  w: f64([0]),
  data: noData,
  learningRate: 0.4,
};

/** P12 (b): L = ½‖y − x‖² for Σy = 1, E = ½‖y − c‖²; so dF/dx = (I − 11ᵀ/n)(y − c). */
export const onPlane: Case & { gradient: number[] } = {
  name: "P12 (b) Σy = 1",
  problem: bilevel({
    inner: (y: np.Array, x: np.Array) => halfSquares(y.sub(x)),
    outer: (y: np.Array, _x: np.Array, c: np.Array) => halfSquares(y.sub(c)),
  }) as Problem,
  lambda: f64([0.2, -0.3, 0.5, 0.1]),
  w: f64([0, 0, 0, 0]),
  data: { inner: [], outer: f64([1, 0, -1, 2]) },
  learningRate: 0.2,
  gradient: (() => {
    // y = x + (1 − Σx)/n
    const residual = [0.2 - 1, -0.3, 0.5 + 1, 0.1 - 2].map((v) => v + (1 - 0.5) / 4);
    const mean = residual.reduce((sum, v) => sum + v, 0) / 4;
    return residual.map((v) => v - mean);
  })(),
};

/** P12 (c): L = Σ sin(x + y_i − 1) for x + y_i in [0, 1], E = (x − 2)² + ‖y − 3‖²; y_i = −x there. */
export const confinedSines: Problem = bilevel({
  inner: (y: np.Array, x: np.Array) => np.sum(np.sin(y.add(x).sub(1))),
  outer: (y: np.Array, x: np.Array) => np.sum(np.square(x.sub(2))).add(np.sum(np.square(y.sub(3)))),
}) as Problem;

/** (x + y_i)(x + y_i − 1) ≤ 0 */
export const confinement = (y: np.Array, x: np.Array): np.Array => {
  const s = y.add(x);
  return s.mul(s.sub(1));
};

/** L = ½‖y − a‖² for ‖y‖² ≤ r, E = ½‖y − c‖²: y = a√r/‖a‖, on a curved set that moves with λ = {a, r}. */
export const inBall: Case & { gradient: { a: number[]; r: number } } = {
  name: "a ball of radius √r",
  problem: bilevel({
    inner: (y: { point: np.Array }, l: { a: np.Array }) => halfSquares(y.point.sub(l.a)),
    outer: (y: { point: np.Array }, _l: unknown, c: np.Array) => halfSquares(y.point.sub(c)),
  }) as Problem,
  lambda: { a: f64([3, 4]), r: f64(4) },
  w: { point: f64([0, 0]) },
  data: { inner: [], outer: f64([1, -2]) },
  learningRate: 0.1,
  gradient: (() => {
    const [a, c] = [
      [3, 4],
      [1, -2],
    ];
    const y = a.map((v) => (v * 2) / 5);
    const e = y.map((v, i) => v - c[i]!);
    const along = (e[0]! * a[0]! + e[1]! * a[1]!) / 25;
    // ∂y/∂a = (√r/‖a‖)(I − aaᵀ/‖a‖²), ∂y/∂r = a/(2√r‖a‖)
    return {
      a: e.map((v, i) => (2 / 5) * (v - along * a[i]!)),
      r: (e[0]! * a[0]! + e[1]! * a[1]!) / (2 * 2 * 5),
    };
  })(),
};

const A: Matrix = [
  [2, 0.4, 0.1, 0],
  [0.4, 1.5, 0.3, 0.2],
  [0.1, 0.3, 1.8, -0.2],
  [0, 0.2, -0.2, 1.2],
];
const B: Matrix = [
  [1.5, 0.2, 0],
  [0.1, 0.3, 0.4],
  [-0.8, 0.1, 0.2],
  [0.2, 0.3, 0.1],
];
const X = [1, 0.4, 0.5];
const C = [1, -1, 0.5, 2];

/**
 * L = ½yᵀAy − yᵀBx for y in [0, 0.5]⁴ (x reaches L through `prepare`), E = ½‖y − c‖² + ½‖x‖². Two of the four weights end
 * on a bound.
 */
export const boxed: Case = {
  name: "quadratic in a box",
  problem: bilevel({
    prepare: (x, d) => ("b" in d ? { a: d.a, target: np.matmul(d.b, x) } : d),
    inner: (y: np.Array, _x: np.Array, d) =>
      np.dot(y, np.matmul(d.a, y)).mul(0.5).sub(np.dot(y, d.target)),
    outer: (y: np.Array, x: np.Array, d) => halfSquares(y.sub(d.c)).add(halfSquares(x)),
  }) as Problem,
  lambda: f64(X),
  w: f64([0.1, 0.1, 0.1, 0.1]),
  data: { inner: { a: f64(A), b: f64(B) }, outer: { c: f64(C) } },
  learningRate: 0.3,
};

/** y − ½ ≤ 0 and −y ≤ 0. */
export const boxSides = (y: np.Array): np.Array => np.concatenate([y.sub(0.5), y.mul(-1)]);

/** The answer and dF/dx of {@link boxed} by plain linear algebra on the free weights. */
export function boxedAnswer(): { y: number[]; gradient: number[] } {
  const target = apply(B, X);
  const bounded = [0.5, undefined, 0, undefined];
  const free = [1, 3];
  const rhs = free.map(
    (i) => target[i]! - bounded.reduce<number>((sum, v, j) => sum + A[i]![j]! * (v ?? 0), 0),
  );
  const hessian = free.map((i) => free.map((j) => A[i]![j]!));
  const solved = solveDense(hessian, rhs);
  const y = bounded.map((v, i) => v ?? solved[free.indexOf(i)]!);
  const adjoint = solveDense(
    hessian,
    free.map((i) => y[i]! - C[i]!),
  );
  const cross = apply(transpose(free.map((i) => B[i]!)), adjoint);
  return { y, gradient: X.map((v, i) => v + cross[i]!) };
}
