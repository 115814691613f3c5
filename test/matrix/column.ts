/** What a column of the matrix is: a problem at one λ, the library's and the same one written by hand. */
import type { numpy as np } from "@jax-js/jax";
import {
  gradientDescent,
  type Dynamics,
  type Optimizer,
  type Problem,
  type Projection,
} from "../../src/bilevel/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";
import type { Matrix } from "../bilevel/dense.ts";
import { flat, type Model, type Vector } from "./model.ts";
import type { Answer, Place } from "./theory.ts";

/** The names of the columns. */
export type ProblemName =
  | "P1"
  | "P2"
  | "P2 saddle"
  | "P3"
  | "P4"
  | "P5"
  | "P6"
  | "P7"
  | "P8"
  | "P9"
  | "P10"
  | "P11"
  | "P12 free"
  | "P12 bound"
  | "P12 plane"
  | "P12 moving"
  | "P13"
  | "P14"
  | "init"
  | "leaves"
  | NetworkName
  | MotionName;

/** Columns of networks that gradient descent trains, and of those that other dynamics move by some steps. */
export type NetworkName = "net" | "conv";
export type MotionName = `${NetworkName} ${"momentum" | "Nesterov" | "Adam" | "contraction"}`;

/** The columns of other dynamics. */
export const motionNames: readonly MotionName[] = (["net", "conv"] as const).flatMap((network) =>
  (["momentum", "Nesterov", "Adam", "contraction"] as const).map(
    (motion) => `${network} ${motion}` as const,
  ),
);

/** A column. */
export interface Column extends Place {
  readonly name: ProblemName;
  /** What it is, for the page. */
  readonly title: string;
  readonly problem: Problem;
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
  /** The leader's problem: its hypergradient at λ and the follower's answer. */
  readonly exact: Answer;
  /** The leader's optimum, where cells lead there. */
  readonly optimum?: readonly number[];
  /** Steps of gradient descent after which its error has fallen below 1e-13 of the start's. */
  readonly steps: number;
  /** What the inner problem lacks. */
  readonly lacks: readonly Lack[];
  /** The set that the follower is confined to, as rules take it. */
  readonly constraints?: {
    readonly projection?: Projection;
    readonly inequalities?: (w: np.Array, lambda: np.Array) => np.Array;
    readonly equalities?: (w: np.Array) => np.Array;
  };
  /** Batches of a finite sum for rules that draw their own; absent when the data are not examples. */
  readonly batch?: { readonly inner: number; readonly outer: number };
  /** A bound for rules that need a constraint, and the answer under it, on a problem that the others see free. */
  readonly bounded?: {
    readonly constraints: NonNullable<Column["constraints"]>;
    readonly exact: Answer;
    readonly steps: number;
  };
  /** ∂w_0/∂λ where the problem has an init. */
  readonly startDerivative?: Matrix;
}

/** A property that some rules need. */
export type Lack = "strong convexity" | "a unique inner solution" | "a minimum";

/** The follower's dynamics in a column: those it names, or gradient descent. */
export function dynamicsOf({ moved, rate }: Column): Dynamics | Optimizer {
  return moved?.motion.dynamics ?? gradientDescent({ learningRate: rate });
}

/** A hand-written model and the follower's first weights, for a problem that lacks nothing. */
export const free = (
  model: Model,
  w: Tree<Tensor>,
): Pick<Column, "model" | "start" | "w" | "lacks"> => ({
  model,
  start: flat(w),
  w,
  lacks: [],
});

/** s·w */
export const times = (s: number, w: Vector): Vector => w.map((v) => s * v);

/** s·A */
export const scaled = (s: number, a: Matrix): Matrix => a.map((row) => times(s, row));

/** The matrix with the given diagonal. */
export const diagonal = (values: Vector): Matrix =>
  values.map((v, i) => values.map((_, j) => (i === j ? v : 0)));
