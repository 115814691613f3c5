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
