/** Any optimizer on gradients whose norm is bounded, so that one exploding gradient does not spoil the next thousand steps. */
import { checkArgument, checkOptions } from "../../program/internal.ts";
import { numpy as np, tree } from "@jax-js/jax";
import type { Optimizer } from "./optimizer.ts";

/**
 * The optimizer on ∇ · min(1, c / ‖∇‖), with the norm over all leaves.
 *
 * A hypergradient through inner steps that are about to diverge can be larger by orders of magnitude than the ones around
 * it. Adam, unclipped, then hardly moves until its average of squares has forgotten it.
 *
 * @param options.norm - c > 0, in the gradient's unit.
 * @throws RangeError when `norm` is not a positive number.
 * @see Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1.
 * @example
 * clipped(adam({ learningRate: 1e-3 }), { norm: 1 });
 */
export function clipped(optimizer: Optimizer, options: { norm: number }): Optimizer {
  checkArgument("clipped", "optimizer", optimizer, "object");
  checkOptions("clipped", options, { norm: "number!" });
  const { norm: bound } = options;
  if (!(bound > 0 && bound < Infinity)) {
    throw new RangeError(`clipped: norm must be a finite number > 0; ${String(bound)} came.`);
  }
  const { watched, amplifies } = optimizer;
  return {
    name: `${optimizer.name} clipped at ${bound}`,
    ...(watched && { watched }),
    ...(amplifies && { amplifies }),
    init: optimizer.init,
    update: (gradient, state, params, t, lambda) => {
      const squares = tree.leaves<np.Array>(gradient).map((g) => np.sum(np.square(g)));
      const square = squares.reduce((sum, square) => sum.add(square));
      // The root of what is not clipped is not taken: at a gradient of 0 it has no derivative.
      const isLong = np.greater(square, bound ** 2);
      const scale = np.where(
        isLong,
        np.divide(bound, np.sqrt(np.where(isLong, square, bound ** 2))),
        1,
      );
      const shorter = tree.map((g: np.Array) => g.mul(scale), gradient);
      return optimizer.update(shorter, state, params, t, lambda);
    },
  };
}
