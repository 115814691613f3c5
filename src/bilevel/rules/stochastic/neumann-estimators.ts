/** Stochastic estimates of v = −(∇²_ww L)⁻¹∇_w E from Neumann's series, and the state of rules that make no use of the last v. */
import { numpy as np, random } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../../program/index.ts";
import { callTree, treeMap } from "../../../program/internal.ts";
import type { Arrays, Problem } from "../../problem.ts";
import { rateAt, type Rate } from "../../estimate/levels.ts";
import { combine, hessianProduct, type LaterSteps } from "./stochastic.ts";

type Values = Tree<Value>;

/** z and the number k of outer steps made. */
export type ResponseState = { readonly w: Values; readonly k: Value };

/** z = w, k = 0; a jax-js function. */
export function firstResponse(w: Arrays): { w: Arrays; k: np.Array } {
  return { w, k: np.array(0, { dtype: np.int32 }) };
}

/** v from ∇_w E at z, one Hessian-vector product for each of the later steps. */
export type Estimator = (
  program: Program,
  problem: Problem,
  later: LaterSteps,
  at: { readonly z: Values; readonly outer: Values; readonly k: Value },
) => Values;

/** SHIA: v = −η Σ_{i=0}^{J} (I − ηH)ⁱ ∇_w E. */
export function shia(step: Rate): Estimator {
  return (program, problem, later, { z, outer, k }) => {
    type Series = { p: Arrays; sum: Arrays };
    const next = (
      { p, sum }: Series,
      lambda: Arrays,
      inner: Arrays,
      z: Arrays,
      k: np.Array,
    ): Series => {
      const shrunk = shrink(problem, step, p, lambda, inner, z, k);
      return { p: shrunk, sum: combine(1, sum, 1, shrunk) };
    };
    const { sum } = later.repeat(next, { p: outer, sum: outer }, z, k) as { sum: Values };
    const scale = (sum: Arrays, k: np.Array): Arrays =>
      treeMap((x: np.Array) => x.mul(rateAt(step, k, x.dtype)).mul(-1), sum);
    return callTree(program, scale, sum, k);
  };
}

/** HIA: v = −Nη (I − ηH)^p ∇_w E with p uniform on 0 … N − 1, whose mean is that of a series with N terms. */
export function hia(step: Rate, terms: number, seed: number): Estimator {
  return (program, problem, later, { z, outer, k }) => {
    type Power = { p: Arrays; i: np.Array };
    const length = drawLength(program, terms, seed, k);
    const next = (
      { p, i }: Power,
      lambda: Arrays,
      inner: Arrays,
      z: Arrays,
      length: np.Array,
      k: np.Array,
    ): Power => {
      const shrunk = shrink(problem, step, p, lambda, inner, z, k);
      const choose = (a: np.Array, b: np.Array): np.Array => np.where(np.less(i, length), a, b);
      return { p: treeMap(choose, shrunk, p), i: i.add(1) };
    };
    const zero = program.constant(tensor(0, { dtype: "int32" }));
    const { p } = later.repeat(next, { p: outer, i: zero }, z, length, k) as { p: Values };
    const scale = (p: Arrays, k: np.Array): Arrays =>
      treeMap((x: np.Array) => x.mul(rateAt(step, k, x.dtype)).mul(-terms), p);
    return callTree(program, scale, p, k);
  };
}

/** p, uniform on 0 … terms − 1: a pure function of the seed and of k, an int32 scalar. */
export function drawLength(program: Program, terms: number, seed: number, k: Value): Value {
  const draw = (seed: np.Array, k: np.Array): np.Array => {
    const key = np.stack([seed, k.astype(np.uint32)]);
    const uniform = random.uniform(key, []);
    return np.minimum(np.floor(uniform.mul(terms)), terms - 1).astype(np.int32);
  };
  return program.call(draw, program.constant(tensor(seed, { dtype: "uint32" })), k);
}

/** Refuses a seed that is not a whole number in [0, 2³²). */
export function checkSeed(where: string, seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return;
  throw new RangeError(`${where} must be a whole number from 0 to 2^32 - 1; ${String(seed)} came.`);
}

/** (I − ηH) p */
function shrink(
  problem: Problem,
  step: Rate,
  p: Arrays,
  lambda: Arrays,
  inner: Arrays,
  z: Arrays,
  k: np.Array,
): Arrays {
  const product = hessianProduct(problem, z, lambda, inner, p);
  return treeMap((p: np.Array, h: np.Array) => p.sub(h.mul(rateAt(step, k, p.dtype))), p, product);
}
