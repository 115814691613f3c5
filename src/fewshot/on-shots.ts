/** Minibatches of a support set: a few images of every class for each inner step, in turn. */
import { numpy as np } from "@jax-js/jax";
import type { Arrays, Dynamics } from "../bilevel/index.ts";
import type { EpisodeShape } from "../data/index.ts";
import { treeMap } from "../program/internal.ts";

/**
 * Dynamics whose step t sees the shots t·m to t·m + m − 1, counted modulo K, of each of the N classes of a support set.
 *
 * @param dynamics - for data with leaves [N·K, …], class by class.
 * @param options.each - m, 1 ≤ m ≤ K.
 */
export function onShots(
  dynamics: Dynamics,
  { ways, shots, each }: Pick<EpisodeShape, "ways" | "shots"> & { each: number },
): Dynamics {
  const part = (x: np.Array, t: np.Array): np.Array => {
    const [, ...rest] = x.shape;
    const chosen = np.remainder(t.mul(each).add(np.arange(each)), shots);
    return x
      .reshape([ways, shots, ...rest])
      .slice([], chosen)
      .reshape([ways * each, ...rest]);
  };
  return {
    ...dynamics,
    name: `${dynamics.name} on ${each} images of each class`,
    step: (state, lambda, data, inner, t) => {
      const minibatch = treeMap((x: np.Array) => part(x, t), data) as Arrays;
      return dynamics.step(state, lambda, minibatch, inner, t);
    },
  };
}
