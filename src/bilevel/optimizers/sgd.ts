/** Stochastic gradient descent with PyTorch's names and conventions. */
import { checkOptions } from "../../program/internal.ts";
import { numpy as np, tree } from "@jax-js/jax";
import type { Arrays } from "../problem.ts";
import {
  checkCoefficient,
  coefficientAt,
  watch,
  type Coefficient,
  type CoefficientRange,
  type Optimizer,
} from "./optimizer.ts";

/**
 * g ← ∇ + d·w;  v ← μ·v + (1 − τ)·g, but v ← g at the first update;  w ← w − s·v, with Nesterov w ← w − s·(g + μ·v).
 *
 * d is the weight decay, which is a penalty ½d‖w‖² on the objective here; τ is the dampening. Without momentum, v is g. With
 * neither decay nor dampening it is {@link momentum}, or gradient descent.
 *
 * @param options.learningRate - s > 0: a number, a schedule, or a function of λ.
 * @param options.momentum - μ in [0, 1): a number, a schedule, or a function of λ. Default 0, off.
 * @param options.weightDecay - d ≥ 0: a number, a schedule, or a function of λ. Default 0.
 * @param options.dampening - τ in [0, 1]. Default 0.
 * @param options.nesterov - default false; needs a momentum, and no dampening.
 * @throws RangeError when a coefficient is out of range, TypeError for Nesterov's form without momentum or with dampening.
 * @see PyTorch, `torch.optim.SGD`; Sutskever et al., ICML 2013.
 */
export function sgd(options: {
  learningRate: Coefficient;
  momentum?: Coefficient;
  weightDecay?: Coefficient;
  dampening?: number;
  nesterov?: boolean;
}): Optimizer {
  checkOptions("sgd", options, {
    learningRate: "any!",
    momentum: "any",
    weightDecay: "any",
    dampening: "number",
    nesterov: "boolean",
  });
  const { learningRate, weightDecay = 0, dampening = 0, nesterov = false } = options;
  const { momentum = 0 } = options;
  checkCoefficient("sgd: learningRate", learningRate, ranges.learningRate);
  checkCoefficient("sgd: momentum", momentum, ranges.momentum);
  checkCoefficient("sgd: weightDecay", weightDecay, ranges.weightDecay);
  if (!(dampening >= 0 && dampening <= 1)) {
    throw new RangeError(`sgd: dampening must be in [0, 1]; ${String(dampening)} came.`);
  }
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new TypeError("sgd: nesterov needs a momentum above 0 and no dampening.");
  }
  const hasMomentum = momentum !== 0;
  return {
    name: "sgd",
    watched: watch(
      ["learningRate", learningRate, ranges.learningRate],
      ["momentum", momentum, ranges.momentum],
      ["weightDecay", weightDecay, ranges.weightDecay],
    ),
    init: (params) => {
      if (!hasMomentum) return [];
      const velocity = tree.map((w: np.Array) => np.zerosLike(w), params) as Arrays;
      const [first] = tree.leaves<np.Array>(params);
      return { velocity, hasBegun: np.zeros([], { dtype: first!.dtype }) };
    },
    update: (gradient, state, params, t, lambda) => {
      const at = (name: keyof typeof ranges, value: Coefficient, like: np.Array) =>
        coefficientAt(`sgd: ${name}`, value, t, lambda, like.dtype);
      const penalized = tree.map(
        (g: np.Array, w: np.Array) =>
          weightDecay === 0 ? g : g.add(w.mul(at("weightDecay", weightDecay, w))),
        gradient,
        params,
      ) as Arrays;
      const step = (w: np.Array, g: np.Array): np.Array =>
        w.sub(g.mul(at("learningRate", learningRate, w)));
      if (!hasMomentum) return [tree.map(step, params, penalized) as Arrays, []];
      const { velocity, hasBegun } = state as unknown as SgdState;
      // 1 at the first update, 1 − τ afterwards; the velocity that it is added to is 0 at first.
      const share = (g: np.Array): np.Array => hasBegun.astype(g.dtype).mul(-dampening).add(1);
      const moved = tree.map(
        (v: np.Array, g: np.Array) => v.mul(at("momentum", momentum, v)).add(g.mul(share(g))),
        velocity,
        penalized,
      ) as Arrays;
      const direction = nesterov
        ? tree.map(
            (g: np.Array, v: np.Array) => g.add(v.mul(at("momentum", momentum, v))),
            penalized,
            moved,
          )
        : moved;
      const next: SgdState = { velocity: moved, hasBegun: hasBegun.mul(0).add(1) };
      return [tree.map(step, params, direction) as Arrays, next as unknown as Arrays];
    },
  };
}

const ranges = {
  learningRate: { above: 0 },
  momentum: { atLeast: 0, below: 1 },
  weightDecay: { atLeast: 0 },
} satisfies Readonly<Record<string, CoefficientRange>>;

interface SgdState {
  readonly velocity: Arrays;
  /** 0 before the first update, then 1. */
  readonly hasBegun: np.Array;
}
