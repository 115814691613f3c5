/** Constraints as jax-js functions of both players: p(w, λ) ≤ 0 and q(w, λ) = 0, element by element. */
import { numpy as np } from "@jax-js/jax";
import type { Arrays } from "../problem.ts";

/** A function of the follower's weights and the leader's hyperparameters that returns one floating-point array of any shape. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a constraint without annotations stays usable
export type Constraint<L = any, W = any> = (w: W, lambda: L) => np.Array;

/** What must hold, element by element; at least one of the two. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as Constraint
export interface Constraints<L = any, W = any> {
  /** p(w, λ) ≤ 0. */
  readonly inequalities?: Constraint<L, W> | undefined;
  /** q(w, λ) = 0. */
  readonly equalities?: Constraint<L, W> | undefined;
}

/** The values of both as vectors; an empty list where there is none. A jax-js function. */
export type ConstraintVectors<T> = { readonly inequalities: T[]; readonly equalities: T[] };

/** Evaluates constraints; a jax-js function. */
export function constraintVectors(
  { inequalities, equalities }: Constraints,
  w: Arrays,
  lambda: Arrays,
): ConstraintVectors<np.Array> {
  const flat = (constraint: Constraint | undefined): np.Array[] =>
    constraint ? [constraint(w, lambda).reshape([-1])] : [];
  return { inequalities: flat(inequalities), equalities: flat(equalities) };
}

/** Both vectors one after the other, [m]; a jax-js function. */
export function stackedConstraints(constraints: Constraints, w: Arrays, lambda: Arrays): np.Array {
  const { inequalities, equalities } = constraintVectors(constraints, w, lambda);
  const parts = [...inequalities, ...equalities];
  return parts.length === 1 ? parts[0]! : np.concatenate(parts);
}

/**
 * The terms that an augmented Lagrangian adds to an objective; a jax-js function.
 *
 *     (1/2ρ) Σ (max(0, μ + ρp)² − μ²) + νᵀq + (ρ/2)‖q‖²
 */
export function augmentation(
  values: ConstraintVectors<np.Array>,
  multipliers: ConstraintVectors<np.Array>,
  penalty: number,
): np.Array {
  const ofInequality = (p: np.Array, mu: np.Array): np.Array =>
    np.sum(np.square(raised(mu, p, penalty)).sub(np.square(mu))).mul(0.5 / penalty);
  const ofEquality = (q: np.Array, nu: np.Array): np.Array =>
    np.sum(nu.mul(q)).add(np.sum(np.square(q)).mul(penalty / 2));
  const terms = [
    ...values.inequalities.map((p, i) => ofInequality(p, multipliers.inequalities[i]!)),
    ...values.equalities.map((q, i) => ofEquality(q, multipliers.equalities[i]!)),
  ];
  return terms.reduce((sum, term) => sum.add(term));
}

/** The multipliers after an update, μ ← max(0, μ + ρp), ν ← ν + ρq; a jax-js function. */
export function updatedMultipliers(
  values: ConstraintVectors<np.Array>,
  multipliers: ConstraintVectors<np.Array>,
  penalty: number,
): ConstraintVectors<np.Array> {
  return {
    inequalities: values.inequalities.map((p, i) =>
      raised(multipliers.inequalities[i]!, p, penalty),
    ),
    equalities: values.equalities.map((q, i) => multipliers.equalities[i]!.add(q.mul(penalty))),
  };
}

/** @throws TypeError unless at least one function is given, and nothing else. */
export function checkConstraints(where: string, { inequalities, equalities }: Constraints): void {
  if (inequalities === undefined && equalities === undefined) {
    throw new TypeError(
      `${where}: inequalities or equalities is required, a function (w, lambda) => array; neither came.`,
    );
  }
  for (const [name, given] of Object.entries({ inequalities, equalities })) {
    if (given !== undefined && typeof given !== "function") {
      throw new TypeError(
        `${where}: ${name} must be a function (w, lambda) => array, a ${typeof given} came.`,
      );
    }
  }
}

/** @throws RangeError unless `value` is positive and finite. */
export function checkPositive(where: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(`${where} must be a positive number; ${String(value)} came.`);
  }
}

/** max(0, μ + ρp) */
function raised(mu: np.Array, p: np.Array, penalty: number): np.Array {
  const sum = mu.add(p.mul(penalty));
  return np.where(np.greater(sum, 0), sum, 0);
}
