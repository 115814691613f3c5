/**
 * The equations that the follower's response satisfies, linearized there: ∇_w L = 0 through the inner objective, or
 * Φ(w) = w through the dynamics. Each is a linear system for an adjoint q, and a pullback of q to λ and the data.
 */
import type { numpy as np } from "@jax-js/jax";
import type { LinearSystem } from "../../../linear/index.ts";
import {
  hvp,
  jvp,
  type Program,
  tensor,
  type Tree,
  type Value,
  vjp,
} from "../../../program/index.ts";
import { innerGradient } from "../../dynamics.ts";
import { weightsOf, type Follower } from "../../estimate/follower.ts";
import { callTree, treeMap } from "../../../program/internal.ts";
import type { Arrays, Problem } from "../../problem.ts";

type Values = Tree<Value>;

/** What q contributes to dF/dλ. */
export interface Contribution {
  readonly lambda: Values;
  /** Cotangents of the prepared inner data's active leaves. */
  readonly data: Value[];
}

/** The linearized equations at the follower's response. */
export interface Equations extends Omit<LinearSystem, "start"> {
  /** dF/dλ without ∇_λ E, from the solution. */
  pull(q: Values): Contribution;
}

/** Where the equations hold. */
export interface FollowerResponse {
  readonly lambda: Values;
  /** The follower's state. */
  readonly state: Values;
  /** Prepared inner data: that of the last step. */
  readonly data: Values;
  /** ∇E in the state's floating-point leaves. */
  readonly alpha: Value[];
  /** The last step's index. */
  readonly t: number;
}

/**
 * ∇²_ww L · q = ∇_w E, then −∇²_λw L · q. Products are Jacobian-vector products of ∇_w L.
 */
export function throughObjective(
  program: Program,
  problem: Problem,
  { floats, prepared }: Follower,
  { lambda, state, data, alpha }: FollowerResponse,
): Equations {
  const { active } = prepared.inner;
  const gradient = (w: Arrays, lambda: Arrays, data: Arrays): Arrays =>
    innerGradient(problem.inner, w, lambda, data);
  const hessianVector = (w: Arrays, lambda: Arrays, data: Arrays, v: Arrays): Arrays =>
    hvp((w: Arrays) => problem.inner(w, lambda, data), w, v);
  const cross = (w: Arrays, lambda: Arrays, data: Arrays, q: Arrays): Arrays => {
    const atPoint = (l: Arrays, d: np.Array[]): Arrays => gradient(w, l, active.put(data, d));
    const [, pull] = vjp(atPoint, lambda, active.take(data));
    const [toLambda, toData] = pull(treeMap((x: np.Array) => x.mul(-1), q));
    return { lambda: toLambda, data: toData };
  };
  const w = weightsOf(state);
  return {
    rhs: weightsOf(floats.put(state, alpha)),
    product: (v) => callTree(program, hessianVector, w, lambda, data, v),
    pull: (q) => callTree(program, cross, w, lambda, data, q) as unknown as Contribution,
  };
}

/**
 * (I − ∂Φ/∂state)ᵀ · q = ∇E, then (∂Φ/∂λ)ᵀ · q, over the whole state of the dynamics.
 */
export function throughDynamics(
  program: Program,
  { floats, prepared, step }: Follower,
  { lambda, state, data, alpha, t }: FollowerResponse,
): Equations {
  const { active } = prepared.inner;
  const index = program.constant(tensor(t, { dtype: "int32" }));
  const phi =
    (state: Arrays, t: np.Array) =>
    (s: np.Array[], lambda: Arrays, data: Arrays): np.Array[] =>
      floats.take(step(floats.put(state, s), lambda, data, t));
  const minus = (a: np.Array[], b: np.Array[]): np.Array[] => a.map((x, i) => x.sub(b[i]!));
  const product = (state: Arrays, l: Arrays, d: Arrays, t: np.Array, v: np.Array[]): Arrays => {
    const [, pull] = vjp((s: np.Array[]) => phi(state, t)(s, l, d), floats.take(state));
    return minus(v, pull(v)[0]);
  };
  const transposed = (state: Arrays, l: Arrays, d: Arrays, t: np.Array, v: np.Array[]): Arrays => {
    const [, image] = jvp((s: np.Array[]) => phi(state, t)(s, l, d), [floats.take(state)], [v]);
    return minus(v, image);
  };
  const cross = (state: Arrays, l: Arrays, d: Arrays, t: np.Array, q: np.Array[]): Arrays => {
    const atPoint = (l: Arrays, taken: np.Array[]): np.Array[] =>
      phi(state, t)(floats.take(state), l, active.put(d, taken));
    const [toLambda, toData] = vjp(atPoint, l, active.take(d))[1](q);
    return { lambda: toLambda, data: toData };
  };
  return {
    rhs: alpha,
    product: (v) => callTree(program, product, state, lambda, data, index, v),
    transposed: (v) => callTree(program, transposed, state, lambda, data, index, v),
    pull: (q) => callTree(program, cross, state, lambda, data, index, q) as unknown as Contribution,
  };
}
