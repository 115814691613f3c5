/**
 * What stochastic rules share. They carry, beside the response z, the multiplier v of the inner problem's condition ∇_w L = 0,
 * and all their directions are derivatives of one function of both and of λ:
 *
 *     ℓ(λ, z, v) = E(z, λ) + ⟨∇_w L(z, λ), v⟩
 *     ∂ℓ/∂v = ∇_w L,   ∂ℓ/∂z = ∇²_ww L v + ∇_w E,   ∂ℓ/∂λ = ∇²_λw L v + ∇_λ E
 *
 * At ∂ℓ/∂v = ∂ℓ/∂z = 0, v is −(∇²_ww L)⁻¹∇_w E and ∂ℓ/∂λ the hypergradient.
 */
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../../../program/index.ts";
import type { ErrorTheory } from "../../bounds.ts";
import { innerGradient } from "../../dynamics.ts";
import { zerosLikeTree } from "../../estimate/leaves.ts";
import { callTree, treeMap } from "../../../program/internal.ts";
import { prepareData } from "../../estimate/prepare.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Point, Tolerance } from "../../rule.ts";
import {
  checkRate,
  descend,
  gradientOf,
  rateAt,
  type AtLeader,
  type Joint,
  type Levels,
  type Rate,
} from "../../estimate/levels.ts";
import { dot } from "../../../linear/internal.ts";

type Values = Tree<Value>;

/** How a stochastic rule moves z and v; λ moves with the leader's optimizer. */
export interface StochasticOptions {
  /** ρ > 0 of z's steps, a number or a schedule over the outer steps. Default 0.1. */
  readonly learningRate?: Rate;
  /** ρ_v > 0 of v's steps. Default: as `learningRate`. */
  readonly auxiliaryLearningRate?: Rate;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/** Why one evaluation of a stochastic rule has no bound on its error. */
export const noBoundOnSamples: ErrorTheory = {
  kind: "none",
  why: "it is one direction of a sequence on samples; theory bounds the mean error over a run, not that of one evaluation",
};

/** The two rates, checked. */
export function ratesOf(rule: string, options: StochasticOptions): { z: Rate; v: Rate } {
  const { learningRate: z = 0.1 } = options;
  const { auxiliaryLearningRate: v = z } = options;
  checkRate(`${rule}: learningRate`, z, { above: 0 });
  checkRate(`${rule}: auxiliaryLearningRate`, v, { above: 0 });
  return { z, v };
}

/** z, v and the number k of outer steps made. */
export type StochasticState = { readonly w: Values; readonly v: Values; readonly k: Value };

/** z = w, v = 0, k = 0; a jax-js function. */
export function firstState(w: Arrays): { w: Arrays; v: Arrays; k: np.Array } {
  return { w, v: zerosLikeTree(w), k: np.array(0, { dtype: np.int32 }) };
}

/** ⟨∇_w L(z, λ), v⟩, whose derivatives are the products with v; a jax-js function. */
export function along(at: AtLeader, z: Arrays, v: Arrays): np.Array {
  return dot(
    gradientOf((z) => at.inner(z), z),
    v,
  );
}

/** ℓ(λ, z, v); a jax-js function. */
export function lagrangian(at: AtLeader, { z, v }: Pair<Arrays>): np.Array {
  return at.outer(z).add(along(at, z, v));
}

/** Trees of one structure, for the response and the multiplier. */
export type Pair<T> = { readonly z: T; readonly v: T };

/** The directions of z, v and λ. */
export interface Directions {
  /** ∂ℓ/∂v = ∇_w L. */
  readonly response: Values;
  /** ∂ℓ/∂z. */
  readonly auxiliary: Values;
  /** ∂ℓ/∂λ. */
  readonly leader: Values;
}

/** All three directions: one gradient of each objective, one Hessian-vector and one cross product. */
export function directionsOf(levels: Levels, z: Values, v: Values): Directions {
  const { lambda, w } = levels.jointGradient(lagrangian, { z, v } as Values);
  const pair = w as Pair<Values>;
  return { response: pair.v, auxiliary: pair.z, leader: lambda };
}

/** ∂ℓ/∂λ alone: one gradient of E and one cross product. */
export function leaderDirection(levels: Levels, z: Values, v: Values): Values {
  return levels.leaderGradient(lagrangian, { z, v } as Values);
}

/** x − rate·direction. */
export function move(program: Program, rate: Rate, x: Values, direction: Values, k: Value): Values {
  const step = (x: Arrays, direction: Arrays, k: np.Array): Arrays =>
    descend(x, direction, (dtype) => rateAt(rate, k, dtype));
  return callTree(program, step, x, direction, k);
}

/** ∇_w E(z, λ). */
export function outerGradient(levels: Levels, z: Values): Values {
  const { w } = levels.jointGradient((at: AtLeader, z: Arrays) => at.outer(z), z) as Joint<Values>;
  return w;
}

/** Inner data for steps beyond those of the response, each with its own minibatch when they are stacked. */
export interface LaterSteps {
  /** x ← step(x, λ, inner data, ...args); `step` is a jax-js function. */
  repeat(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the trees are the rule's
    step: (x: any, lambda: Arrays, inner: Arrays, ...args: any[]) => Arrays,
    x: Values,
    ...args: Values[]
  ): Values;
}

/** The last `length` of all the steps that have a minibatch. */
export function laterSteps(
  program: Program,
  problem: Problem,
  point: Point,
  steps: { readonly all: number; readonly length: number },
): LaterSteps {
  const { lambda, batched = false } = point;
  const { all, length } = steps;
  const stack = batched ? all : undefined;
  const inner = prepareData(program, problem, lambda, point.data.inner, stack).data;
  const cut = (d: Arrays): Arrays => treeMap((x: np.Array) => x.slice([all - length, all]), d);
  const batches = batched ? callTree(program, cut, inner) : [];
  return {
    repeat: (step, x, ...args) => {
      if (length === 0) return x;
      const body = (x: Values, batch: Values): [Values, Values] => [
        callTree(program, step, x, lambda, batched ? batch : inner, ...args),
        [],
      ];
      return program.scan({ length }, body, x, batches)[0];
    },
  };
}

/** ∇²_ww L(z, λ) v; a jax-js function. */
export function hessianProduct(
  problem: Problem,
  z: Arrays,
  lambda: Arrays,
  data: Arrays,
  v: Arrays,
): Arrays {
  return gradientOf((z) => dot(innerGradient(problem.inner, z, lambda, data), v), z);
}

/** Leafwise a·x + b·y; a jax-js function. */
export function combine(a: np.Array | number, x: Arrays, b: np.Array | number, y: Arrays): Arrays {
  const scale = (c: np.Array | number, leaf: np.Array): np.Array =>
    leaf.mul(typeof c === "number" ? c : c.astype(leaf.dtype));
  return treeMap((x: np.Array, y: np.Array) => scale(a, x).add(scale(b, y)), x, y);
}
