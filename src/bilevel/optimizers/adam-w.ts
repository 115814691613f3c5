/** Adam with decoupled weight decay. */
import { checkOptions } from "../../program/internal.ts";
import { type numpy as np, tree } from "@jax-js/jax";
import type { Arrays } from "../problem.ts";
import { adam } from "./adam.ts";
import {
  checkCoefficient,
  coefficientAt,
  watch,
  type Coefficient,
  type Optimizer,
} from "./optimizer.ts";

/**
 * w ← (1 − s·d)·w, then Adam's step from there with the same gradient; d is the weight decay.
 *
 * Unlike a penalty ½d‖w‖² on the objective, the decay is not divided by √v̂, so that it acts alike on weights with large and
 * with small gradients.
 *
 * @param options.learningRate - s > 0: a number, a schedule, or a function of λ.
 * @param options.weightDecay - d ≥ 0: a number, a schedule, or a function of λ. Default 0.01.
 * @param options.beta1 - default 0.9, in [0, 1).
 * @param options.beta2 - default 0.999, in [0, 1).
 * @param options.epsilon - default 1e-8, > 0; see {@link adam}.
 * @throws RangeError when a coefficient is out of range.
 * @see Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019; the form with s·d, PyTorch's, is theirs with
 *   the schedule multiplier in s.
 */
export function adamW(options: {
  learningRate: Coefficient;
  weightDecay?: Coefficient;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}): Optimizer {
  checkOptions("adamW", options, {
    learningRate: "any!",
    weightDecay: "any",
    beta1: "number",
    beta2: "number",
    epsilon: "number",
  });
  const { weightDecay = 0.01, ...rest } = options;
  checkCoefficient("adamW: learningRate", rest.learningRate, { above: 0 });
  checkCoefficient("adamW: weightDecay", weightDecay, { atLeast: 0 });
  const inner = adam(rest);
  return {
    ...inner,
    name: "adam-w",
    watched: [...(inner.watched ?? []), ...watch(["weightDecay", weightDecay, { atLeast: 0 }])],
    update: (gradient, state, params, t, lambda) => {
      const decay = (w: np.Array): np.Array => {
        const s = coefficientAt("adamW: learningRate", rest.learningRate, t, lambda, w.dtype);
        const d = coefficientAt("adamW: weightDecay", weightDecay, t, lambda, w.dtype);
        return w.sub(w.mul(d).mul(s));
      };
      return inner.update(gradient, state, tree.map(decay, params) as Arrays, t, lambda);
    },
  };
}
