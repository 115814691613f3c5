/** Gradient descent. */
import { checkOptions } from "../../program/internal.ts";
import { tree, type numpy as np } from "@jax-js/jax";
import {
  checkCoefficient,
  coefficientAt,
  watch,
  type Coefficient,
  type Optimizer,
} from "./optimizer.ts";

/**
 * w ← w − s·∇.
 *
 * @param options.learningRate - s > 0: a number, a schedule, or a function of λ (then a hyperparameter itself).
 * @throws RangeError when the learning rate is not a positive number, a schedule or a function.
 */
export function gradientDescent(options: { learningRate: Coefficient }): Optimizer {
  checkOptions("gradientDescent", options, { learningRate: "any!" });
  const { learningRate } = options;
  checkCoefficient("gradientDescent: learningRate", learningRate, { above: 0 });
  return {
    name: "gradient-descent",
    ...(typeof learningRate === "number" && { constantRate: learningRate }),
    watched: watch(["learningRate", learningRate, { above: 0 }]),
    init: () => [],
    update: (gradient, _state, params, t, lambda) => {
      const step = (w: np.Array, g: np.Array): np.Array =>
        w.sub(
          g.mul(coefficientAt("gradientDescent: learningRate", learningRate, t, lambda, w.dtype)),
        );
      return [tree.map(step, params, gradient), []];
    },
  };
}
