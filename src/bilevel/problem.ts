/**
 * A bilevel problem as two plain jax-js functions. The leader picks hyperparameters λ, the follower responds
 * with weights w(λ) that minimise `inner`, and the leader is judged by `outer` at that response.
 */
import { checkArgument } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import type { Tree } from "../program/index.ts";

/** What objectives see while they are traced: a tree of jax-js arrays. */
export type Arrays = Tree<np.Array>;

/** A scalar function of the follower's weights, the leader's hyperparameters and data. */
export type Objective<L, W, D> = (w: W, lambda: L, data: D) => np.Array;

/**
 * min over λ of E(w(λ), λ, outer data), where w(λ) minimises L(w, λ, inner data).
 *
 * The type parameters are the trees of λ, w, the inner and the outer data; annotate the functions' parameters, or leave them
 * out and work with `any`.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- an objective without annotations stays usable
export interface Problem<L = any, W = any, D = any, O = D> {
  /**
   * Work on the data that depends on λ but not on w (a representation). Applied once per outer step to the
   * inner and to the outer data separately, and differentiated through. Default: the data as they are.
   */
  readonly prepare?: ((lambda: L, data: D | O) => D | O) | undefined;
  /**
   * The follower's first weights as a function of λ and the prepared inner data (its first minibatch), when they
   * are themselves learned (as in MAML); differentiated through. Default: the `w` given with each evaluation.
   */
  readonly init?: ((lambda: L, data: D) => W) | undefined;
  /** L(w, λ, data): what the follower minimises; `data` is the prepared inner data. Returns a scalar. */
  readonly inner: Objective<L, W, D>;
  /** E(w, λ, data): what the leader minimises; `data` is the prepared outer data. Returns a scalar. */
  readonly outer: Objective<L, W, O>;
}

/** The data of both levels. */
export interface BilevelData<T> {
  readonly inner: T;
  readonly outer: T;
}

/**
 * States a bilevel problem.
 *
 * @param problem.prepare - optional representation of the data, see {@link Problem.prepare}.
 * @param problem.init - optional first weights as a function of λ, see {@link Problem.init}.
 * @param problem.inner - the follower's objective L(w, λ, data), a scalar.
 * @param problem.outer - the leader's objective E(w, λ, data), a scalar.
 * @throws TypeError when `inner` or `outer` is not a function, or a key is unknown.
 * @example
 * const ridge = bilevel({
 *   inner: (w, lambda, d) => np.sum(np.square(np.matmul(d.x, w).sub(d.y))).add(np.exp(lambda).mul(np.sum(np.square(w)))),
 *   outer: (w, lambda, d) => np.sum(np.square(np.matmul(d.x, w).sub(d.y))),
 * });
 */
/* eslint-disable @typescript-eslint/no-explicit-any -- see Problem */
export function bilevel<L = any, W = any, D = any, O = D>(
  problem: Problem<L, W, D, O>,
): Problem<L, W, D, O> {
  checkArgument("bilevel", "problem", problem, "object");
  /* eslint-enable @typescript-eslint/no-explicit-any */
  for (const [key, value] of Object.entries(problem)) {
    if (!KEYS.has(key)) {
      throw new TypeError(
        `bilevel: "${key}" is not part of a problem; use prepare (optional), init (optional), inner and outer.`,
      );
    }
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`bilevel: ${key} must be a function, a ${typeof value} came.`);
    }
  }
  for (const key of ["inner", "outer"] as const) {
    if (typeof problem[key] !== "function") {
      throw new TypeError(
        `bilevel: ${key} is missing; give a function (w, lambda, data) => scalar.`,
      );
    }
  }
  return Object.freeze({ ...problem });
}

const KEYS = new Set(["prepare", "init", "inner", "outer"]);
