/**
 * The method of multipliers as dynamics: any dynamics on the augmented Lagrangian, and every few steps an update of the
 * multipliers, which are part of the follower's memory.
 *
 *     w ← Φ(w) on L + (1/2ρ) Σ (max(0, μ + ρp)² − μ²) + νᵀq + (ρ/2)‖q‖²;   μ ← max(0, μ + ρp), ν ← ν + ρq
 */
import { numpy as np } from "@jax-js/jax";
import {
  augmentation,
  constraintVectors,
  updatedMultipliers,
  type Constraints,
  type ConstraintVectors,
} from "../../estimate/constraints.ts";
import type { Dynamics, InnerObjective } from "../../dynamics.ts";
import { treeMap } from "../../../program/internal.ts";
import type { Arrays } from "../../problem.ts";

/** The follower's memory. */
type Memory = { own: Arrays; multipliers: ConstraintVectors<np.Array> };

/**
 * Dynamics towards the constrained minimum. Solutions where the augmented Lagrangian is convex attract it, which a penalty
 * ρ that is large enough makes of any with a positive curvature along the constraints.
 *
 * @param lambda - makes arrays with λ's shapes, of which the number of constraints follows.
 */
export function methodOfMultipliers(
  base: Dynamics,
  constraints: Constraints,
  { penalty, stepsPerUpdate }: { penalty: number; stepsPerUpdate: number },
  lambda: () => Arrays,
): Dynamics {
  return {
    name: `method of multipliers with ${base.name}`,
    gradientsPerStep: base.gradientsPerStep,
    ...(base.watched && { watched: base.watched }),
    ...(base.amplifies && { amplifies: base.amplifies }),
    init: (w) => {
      const zeros = treeMap(
        (x: np.Array) => np.zerosLike(x),
        constraintVectors(constraints, w, lambda()) as unknown as Arrays,
      );
      return { w, memory: { own: base.init(w).memory, multipliers: zeros } };
    },
    step: (state, lambda, data, inner, t) => {
      const { own, multipliers } = state.memory as unknown as Memory;
      const augmented: InnerObjective = (w, l, d) =>
        inner(w, l, d).add(
          augmentation(constraintVectors(constraints, w, l), multipliers, penalty),
        );
      const next = base.step({ w: state.w, memory: own }, lambda, data, augmented, t);
      const values = constraintVectors(constraints, next.w, lambda);
      const isDue = np.equal(np.remainder(t, stepsPerUpdate), stepsPerUpdate - 1);
      const chosen = treeMap(
        (updated: np.Array, old: np.Array) => np.where(isDue, updated, old),
        updatedMultipliers(values, multipliers, penalty) as unknown as Arrays,
        multipliers as unknown as Arrays,
      );
      return { w: next.w, memory: { own: next.memory, multipliers: chosen } as Arrays };
    },
  };
}
