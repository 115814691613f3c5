/** Gradient descent with momentum: Polyak's heavy ball, or Nesterov's. */
import { checkOptions } from "../../program/internal.ts";
import { numpy as np, tree } from "@jax-js/jax";
import {
  checkCoefficient,
  coefficientAt,
  watch,
  type Coefficient,
  type Optimizer,
} from "./optimizer.ts";

/**
 * v ← μ·v + ∇;  w ← w − s·v  (heavy ball),  w ← w − s·(∇ + μ·v)  (Nesterov). v starts at 0.
 *
 * At a constant s the first form is w_{t+1} = w_t − s·∇ + μ·(w_t − w_{t−1}).
 *
 * @param options.learningRate - s > 0: a number, a schedule, or a function of λ.
 * @param options.momentum - 0 ≤ μ < 1: a number, a schedule, or a function of λ.
 * @param options.nesterov - default false.
 * @throws RangeError when a coefficient is out of range.
 * @see Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
 */
export function momentum(options: {
  learningRate: Coefficient;
  momentum: Coefficient;
  nesterov?: boolean;
}): Optimizer {
  checkOptions("momentum", options, {
    learningRate: "any!",
    momentum: "any!",
    nesterov: "boolean",
  });
  const { learningRate, momentum: mu, nesterov = false } = options;
  checkCoefficient("momentum: learningRate", learningRate, { above: 0 });
  checkCoefficient("momentum: momentum", mu, { atLeast: 0, below: 1 });
  return {
    name: nesterov ? "nesterov-momentum" : "momentum",
    watched: watch(
      ["learningRate", learningRate, { above: 0 }],
      ["momentum", mu, { atLeast: 0, below: 1 }],
    ),
    init: (params) => tree.map((w: np.Array) => np.zerosLike(w), params),
    update: (gradient, velocity, params, t, lambda) => {
      const m = (w: np.Array): np.Array | number =>
        coefficientAt("momentum: momentum", mu, t, lambda, w.dtype);
      const s = (w: np.Array): np.Array | number =>
        coefficientAt("momentum: learningRate", learningRate, t, lambda, w.dtype);
      const next = tree.map((v: np.Array, g: np.Array) => v.mul(m(v)).add(g), velocity, gradient);
      const step = (w: np.Array, g: np.Array, v: np.Array): np.Array =>
        w.sub((nesterov ? v.mul(m(v)).add(g) : v).mul(s(w)));
      return [tree.map(step, params, gradient, next), next];
    },
  };
}
