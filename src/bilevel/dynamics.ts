/**
 * How the follower moves: one step of an optimizer on the inner objective, or any contraction whose fixed point
 * solves the inner problem. Its whole state is differentiated through.
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { grad } from "../program/index.ts";
import type { Optimizer, Watched } from "./optimizers/optimizer.ts";
import type { Arrays, Objective } from "./problem.ts";

/** The follower between two steps: its weights, and what its dynamics remember besides (an empty list if nothing). */
export type FollowerState = {
  readonly w: Arrays;
  readonly memory: Arrays;
};

/** A map Φ(state, λ, data) on the follower's state; `init` and `step` are jax-js functions. */
export interface Dynamics {
  readonly name: string;
  /** Evaluations of ∇_w of the inner objective in one step. */
  readonly gradientsPerStep: number;
  /** True when only Φ(w) = w makes w a solution, whatever ∇_w L is there: ‖Φ(w) − w‖ then tells whether it is solved. */
  readonly isFixedPoint?: boolean;
  /** Coefficients that are functions of λ. */
  readonly watched?: readonly Watched[];
  /**
   * True when a step may multiply a derivative by some 1e8, so that a few of them exceed all numbers. The adjoint is then
   * kept finite, for it may be about to be multiplied by 0.
   */
  readonly amplifies?: boolean;
  /** The state before the first step from weights w. */
  init(w: Arrays): FollowerState;
  /**
   * One step.
   *
   * @param data - the prepared inner data, or the step's minibatch.
   * @param inner - the inner objective, to be closed over, never passed through `grad`'s other arguments.
   * @param t - index of the step within the estimate, an int32 scalar from 0.
   */
  step(
    state: FollowerState,
    lambda: Arrays,
    data: Arrays,
    inner: InnerObjective,
    t: np.Array,
  ): FollowerState;
}

/** The inner objective over trees that the dynamics do not look into. */
export type InnerObjective = Objective<Arrays, Arrays, Arrays>;

/** ∇_w of the inner objective. λ and the data stay inside the closure, so that cross derivatives survive. */
export function innerGradient(
  inner: InnerObjective,
  w: Arrays,
  lambda: Arrays,
  data: Arrays,
): Arrays {
  return grad((weights: Arrays) => inner(weights, lambda, data), w);
}

/**
 * Any map w ← step(w, ∇_w L, λ, data) whose fixed point solves the inner problem, such as a preconditioned
 * gradient step or a proximal one. Reports judge it by its own residual, ‖step(w) − w‖.
 *
 * @param options.name - for reports.
 * @param options.step - a jax-js function from weights, inner gradient, λ and prepared inner data to weights.
 */
export function contraction(options: {
  name: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the trees are the user's
  step: (w: any, gradient: any, lambda: any, data: any) => Arrays;
}): Dynamics {
  checkOptions("contraction", options, { name: "string!", step: "function!" });
  if (typeof options.step !== "function") {
    throw new TypeError("contraction: step must be a function (w, gradient, lambda, data) => w.");
  }
  return {
    name: options.name,
    gradientsPerStep: 1,
    isFixedPoint: true,
    init: (w) => ({ w, memory: [] }),
    step: (state, lambda, data, inner) => ({
      w: options.step(state.w, innerGradient(inner, state.w, lambda, data), lambda, data),
      memory: [],
    }),
  };
}

/** An optimizer as the follower's dynamics: its state becomes the follower's memory. Dynamics stay as they are. */
export function asDynamics(dynamics: Dynamics | Optimizer): Dynamics {
  if ("step" in dynamics) return dynamics;
  const { watched, amplifies } = dynamics;
  return {
    name: dynamics.name,
    gradientsPerStep: 1,
    ...(watched && { watched }),
    ...(amplifies && { amplifies }),
    init: (w) => ({ w, memory: dynamics.init(w) }),
    step: (state, lambda, data, inner, t) => {
      const gradient = innerGradient(inner, state.w, lambda, data);
      const [w, memory] = dynamics.update(gradient, state.memory, state.w, t, lambda);
      return { w, memory };
    },
  };
}
