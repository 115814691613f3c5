/**
 * Exact first and second derivatives in plain JavaScript: numbers v + a·ε₁ + b·ε₂ + c·ε₁ε₂ with ε₁² = ε₂² = 0. A function
 * written with them is a model of a problem whose derivatives come neither from the library nor from a hand that errs.
 *
 * @see Fike, Alonso, "The development of hyper-dual numbers for exact second-derivative calculations", AIAA 2011.
 */
import type { Level, Vector } from "./model.ts";

/** v + a·ε₁ + b·ε₂ + c·ε₁ε₂ */
export type HyperDual = readonly [v: number, a: number, b: number, c: number];

export const constant = (v: number): HyperDual => [v, 0, 0, 0];

export const add = (x: HyperDual, y: HyperDual): HyperDual => [
  x[0] + y[0],
  x[1] + y[1],
  x[2] + y[2],
  x[3] + y[3],
];

export const multiply = (x: HyperDual, y: HyperDual): HyperDual => [
  x[0] * y[0],
  x[0] * y[1] + x[1] * y[0],
  x[0] * y[2] + x[2] * y[0],
  x[0] * y[3] + x[3] * y[0] + x[1] * y[2] + x[2] * y[1],
];

/** s·x */
export const scale = (s: number, [v, a, b, c]: HyperDual): HyperDual => [
  s * v,
  s * a,
  s * b,
  s * c,
];

export const sum = (terms: readonly HyperDual[]): HyperDual => terms.reduce(add, constant(0));

/** f(x), from f, f' and f'' at its value. */
const compose = ([, a, b, c]: HyperDual, f: number, first: number, second: number): HyperDual => [
  f,
  first * a,
  first * b,
  first * c + second * a * b,
];

export const exp = (x: HyperDual): HyperDual => {
  const e = Math.exp(x[0]);
  return compose(x, e, e, e);
};

export const tanh = (x: HyperDual): HyperDual => {
  const y = Math.tanh(x[0]);
  return compose(x, y, 1 - y * y, -2 * y * (1 - y * y));
};

export const square = (x: HyperDual): HyperDual => multiply(x, x);

/** A scalar function of the weights and the hyperparameters. */
export type DualFunction = (w: readonly HyperDual[], lambda: readonly HyperDual[]) => HyperDual;

/** A level of a model at one λ. */
export function levelOf(fn: DualFunction, lambda: Vector): Level {
  const along = (w: Vector, a: (i: number) => number, b: (i: number) => number): HyperDual => {
    const all = [...w, ...lambda].map((v, i): HyperDual => [v, a(i), b(i), 0]);
    return fn(all.slice(0, w.length), all.slice(w.length));
  };
  const unit = (k: number) => (i: number) => Number(i === k);
  const at = (w: Vector, [first, second]: readonly [first: number, second: number]): HyperDual =>
    along(w, unit(first), unit(second));
  const first = (w: Vector, i: number): number => at(w, [i, -1])[1];
  const second = (w: Vector, i: number, j: number): number => at(w, [i, j])[3];
  return {
    value: (w) => at(w, [-1, -1])[0],
    gradient: (w) => w.map((_, i) => first(w, i)),
    hessian: (w) => {
      const lower = w.map((_, i) => w.slice(0, i + 1).map((_, j) => second(w, i, j)));
      return w.map((_, i) => w.map((_, j) => lower[Math.max(i, j)]![Math.min(i, j)]!));
    },
    leader: (w) => lambda.map((_, k) => first(w, w.length + k)),
    products: (w, v) => {
      const all = [...w, ...lambda].map((_, k) => along(w, unit(k), (i) => v[i] ?? 0)[3]);
      return { hessian: all.slice(0, w.length), cross: all.slice(w.length) };
    },
    cross: (w) => lambda.map((_, k) => w.map((_, j) => second(w, w.length + k, j))),
  };
}
