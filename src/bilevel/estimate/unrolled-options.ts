/** What every rule that differentiates through the follower's steps is told. */
import type { Dynamics } from "../dynamics.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Projection } from "../projections.ts";
import type { Tolerance } from "../rule.ts";

/** Options of the rules that differentiate through the follower's steps. */
export interface UnrolledOptions {
  /** T ≥ 1, the follower's steps. */
  readonly steps: number;
  /** How the follower moves: an optimizer on the inner objective, or any contraction. */
  readonly dynamics: Dynamics | Optimizer;
  /** Applied to the weights after every step, and differentiated through. Default: none. */
  readonly projection?: Projection;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/** The tolerance with its defaults. */
export function fullTolerance(tolerance?: Partial<Tolerance>): Tolerance {
  return { relative: 1e-3, absolute: 1e-6, ...tolerance };
}

/** Refuses what is not a whole number ≥ 1. */
export function checkCount(where: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${where} must be a whole number >= 1; ${String(value)} came.`);
  }
}
