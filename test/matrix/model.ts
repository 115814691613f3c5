/**
 * A problem at one λ in plain JavaScript: both objectives with their derivatives, written by hand. No derivative here comes
 * from the library, so that the theory in theory.ts is an oracle for it.
 */
import { tree } from "@jax-js/jax";
import type { Tensor, Tree } from "../../src/program/index.ts";
import { apply, type Matrix } from "../bilevel/dense.ts";

export type Vector = number[];

/** One objective at a fixed λ, as functions of the n weights. */
export interface Level {
  readonly value: (w: Vector) => number;
  /** ∇_w, [n] */
  readonly gradient: (w: Vector) => Vector;
  /** ∇²_ww, [n, n] */
  readonly hessian: (w: Vector) => Matrix;
  /** ∇_λ, [m] */
  readonly leader: (w: Vector) => Vector;
  /** ∇²_λw, [m, n] */
  readonly cross: (w: Vector) => Matrix;
  /** ∇²_ww·v and ∇²_λw·v, where they cost less than the matrices. */
  readonly products?: (
    w: Vector,
    v: Vector,
  ) => { readonly hessian: Vector; readonly cross: Vector };
}

/** Both objectives: L and E. */
export interface Model {
  readonly inner: Level;
  readonly outer: Level;
}

/** ½wᵀHw − bᵀw + constant, with what λ does to it. */
export function quadratic(
  hessian: Matrix,
  linear: Vector,
  constant: number,
  byLeader: Pick<Level, "leader" | "cross">,
): Level {
  return {
    value: (w) => dot(apply(hessian, w), w) / 2 - dot(linear, w) + constant,
    gradient: (w) => apply(hessian, w).map((v, i) => v - linear[i]!),
    hessian: () => hessian,
    ...byLeader,
  };
}

/** An objective of one weight and one hyperparameter. */
export function scalar(of: {
  readonly [key in Exclude<keyof Level, "products">]: (w: number) => number;
}): Level {
  return {
    value: ([w]) => of.value(w!),
    gradient: ([w]) => [of.gradient(w!)],
    hessian: ([w]) => [[of.hessian(w!)]],
    leader: ([w]) => [of.leader(w!)],
    cross: ([w]) => [[of.cross(w!)]],
  };
}

/** ∇²_ww·v and ∇²_λw·v */
export const products = (level: Level, w: Vector, v: Vector): { hessian: Vector; cross: Vector } =>
  level.products?.(w, v) ?? {
    hessian: apply(level.hessian(w), v),
    cross: apply(level.cross(w), v),
  };

/** aᵀb */
export const dot = (a: Vector, b: Vector): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** a + s·b */
export const plus = (a: Vector, s: number, b: Vector): Vector => a.map((v, i) => v + s * b[i]!);

/** An [m, n] matrix of zeros. */
export const noCross = (m: number, n: number): Matrix =>
  Array.from({ length: m }, () => new Array<number>(n).fill(0));

/** The numbers of all leaves in order. */
export const flat = (values: Tree<Tensor>): Vector =>
  tree.leaves<Tensor>(values).flatMap((leaf) => [...leaf.data]);
