/** The dynamics of a follower, as the library takes them and written by hand. */
import { numpy as np, tree } from "@jax-js/jax";
import {
  adam,
  contraction,
  momentum,
  type Dynamics,
  type Optimizer,
} from "../../src/bilevel/index.ts";
import type { Tree } from "../../src/program/index.ts";
import type { Vector } from "./model.ts";

type Arrays = Tree<np.Array>;

/** Dynamics whose state is one vector, its first numbers the weights. */
export interface Motion {
  readonly name: string;
  readonly dynamics: Dynamics | Optimizer;
  readonly start: (w: Vector) => Vector;
  /** The state after step t, from the inner gradient at the state's weights. */
  readonly step: (state: Vector, gradient: Vector, lambda: Vector, t: number) => Vector;
}

/** Heavy ball, or Nesterov's. */
export function heavyBall(nesterov: boolean): Motion {
  const [s, mu] = [0.08, 0.6];
  return {
    name: nesterov ? "Nesterov" : "momentum",
    dynamics: momentum({ learningRate: s, momentum: mu, nesterov }),
    start: (w) => [...w, ...w.map(() => 0)],
    step: (state, gradient) => {
      const n = gradient.length;
      const v = gradient.map((g, i) => mu * state[n + i]! + g);
      const w = gradient.map((g, i) => state[i]! - s * (nesterov ? mu * v[i]! + g : v[i]!));
      return [...w, ...v];
    },
  };
}

export function adamMotion(): Motion {
  const [s, beta1, beta2, epsilon] = [0.02, 0.6, 0.9, 1e-8];
  return {
    name: "Adam",
    dynamics: adam({ learningRate: s, beta1, beta2, epsilon }),
    start: (w) => [...w, ...w.map(() => 0), ...w.map(() => 0)],
    step: (state, gradient, _lambda, t) => {
      const n = gradient.length;
      const m = gradient.map((g, i) => beta1 * state[n + i]! + (1 - beta1) * g);
      const v = gradient.map((g, i) => beta2 * state[2 * n + i]! + (1 - beta2) * g * g);
      const w = gradient.map((_, i) => {
        const mean = m[i]! / (1 - beta1 ** (t + 1));
        const square = v[i]! / (1 - beta2 ** (t + 1));
        return state[i]! - (s * mean) / (Math.sqrt(square) + epsilon);
      });
      return [...w, ...m, ...v];
    },
  };
}

/** w ← w − ∇L·s_leaf / (1 + e^λ₁): a user's own, with a preconditioner that depends on λ. */
export function preconditioned(sizes: readonly number[]): Motion {
  const rates = sizes.map((_, i) => 0.06 + 0.03 * i);
  const each = sizes.flatMap((size, i) => new Array<number>(size).fill(rates[i]!));
  return {
    name: "contraction",
    dynamics: contraction({
      name: "preconditioned",
      step: (w: Arrays, gradient: Arrays, lambda: { first: np.Array }) => {
        const [leaves, structure] = tree.flatten<np.Array>(w);
        const slopes = tree.leaves<np.Array>(gradient);
        const scale = np.reciprocal(np.exp(lambda.first).add(1));
        return tree.unflatten(
          structure,
          leaves.map((x, i) => x.sub(slopes[i]!.mul(scale.mul(rates[i]!)))),
        );
      },
    }),
    start: (w) => [...w],
    step: (state, gradient, lambda) =>
      state.map((v, i) => v - (each[i]! / (1 + Math.exp(lambda[0]!))) * gradient[i]!),
  };
}
