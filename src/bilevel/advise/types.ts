/**
 * What the adviser and the planner take and give. Everything in this folder reads these types, and they read nothing of
 * it but the measurements.
 */
import type { Placement, TensorLike, Tree } from "../../program/index.ts";
import type { Dynamics } from "../dynamics.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { BilevelData } from "../problem.ts";
import type { Projection } from "../projections.ts";
import type { Cost, Rule } from "../rule.ts";
import type { Sampler } from "../solve/samplers.ts";
import type { MeasuredProblem } from "./measure.ts";

/** What `advise` is told. */
export interface AdviseOptions extends Placement {
  readonly lambda: Tree<TensorLike>;
  /** The follower's first weights; may be left out when the problem has an `init`. */
  readonly w?: Tree<TensorLike>;
  /** As for `solve`: arrays, or samplers of minibatches, whose noise is then measured. */
  readonly data: BilevelData<Tree<TensorLike> | Sampler>;
  /** T ≥ 1, the follower's steps that are intended. */
  readonly steps: number;
  /** How the follower is to move; must converge for the advice to say more than that it does not. */
  readonly dynamics: Dynamics | Optimizer;
  /** Applied to the weights after every step. Default: none. */
  readonly projection?: Projection;
  /** Bytes that an estimate may keep for its derivative; nothing above is ranked. Default: no limit. */
  readonly bytes?: number;
  /** Seconds that an estimate should take; what is predicted to take longer comes last. Default: no limit. */
  readonly seconds?: number;
  /** Starts of the inner problem, the given one included; at least 2. Default 7. */
  readonly starts?: number;
  /**
   * B ≥ 2, used where the data are sampled: the mean over B minibatches stands for all the data, and B others show the
   * noise. Default 16.
   */
  readonly batches?: number;
  /** Seed of the other starts, and of samplers that have none of their own. Default 0. */
  readonly seed?: number;
}

/** What is thought of the inner solutions. */
export type InnerSolutions =
  /** One, with positive curvature there. */
  | "unique"
  /** A flat direction: the curvature is zero, and nowhere clearly negative. */
  | "flat"
  /** Several, or negative curvature where the follower went. */
  | "several";

/** A rule that is recommended. */
export interface Recommendation {
  /** The exported function that makes it. */
  readonly factory: string;
  /** As one would write it, without the dynamics. */
  readonly call: string;
  /** Why it is here; one sentence. */
  readonly why: string;
  /** What would make it wrong; one sentence. */
  readonly caution: string;
  /** The counts that its estimate declares. */
  readonly cost: Cost;
  /** Bytes that it keeps for its derivative. */
  readonly bytes: number;
  /** Predicted from the measured time of a gradient and of a product; ranks by the limit given, and by nothing else. */
  readonly seconds: number;
  /** The rule itself, ready to be used. */
  readonly rule: Rule;
}

/** A rule that is advised against. */
export interface RuledOut {
  readonly factory: string;
  readonly why: string;
}

/** The adviser's answer. */
export interface Advice {
  readonly measured: MeasuredProblem;
  readonly innerSolutions: InnerSolutions;
  /** Whether the given steps solve the inner problem: its gradient falls to 1e-3 of its start, or to 1e-6. */
  readonly isSolved: boolean;
  /** Best first; empty when the dynamics diverge, or nothing fits. */
  readonly ranking: readonly Recommendation[];
  /** What the measurements forbid, and what does not take such a problem. */
  readonly ruledOut: readonly RuledOut[];
  /** What was found, and what follows, in words. */
  readonly sentence: string;
}

/** What `planMemory` is told. */
export interface PlanOptions {
  /** T ≥ 1, the follower's steps. */
  readonly steps: number;
  /** |w| ≥ 1, the number of weights. */
  readonly weights: number;
  /** Numbers in the follower's state: 2·|w| with momentum, 3·|w| + 2 with Adam. Default: |w|, as for gradient descent. */
  readonly state?: number;
  /** |λ| ≥ 1, the number of single hyperparameters. */
  readonly hyperparameters: number;
  /** Bytes that an estimate may keep for its derivative; data, programs and an objective's own work come on top. */
  readonly bytes: number;
  /** 4 for float32, which is the default; 8 for float64. */
  readonly bytesPerFloat?: number;
  /** Numbers of inner data that a step sees and that the problem's `prepare` makes of λ; forward mode keeps their tangents. Default 0. */
  readonly preparedFloats?: number;
  /** Inner gradients in one step of the dynamics. Default 1. */
  readonly gradientsPerStep?: number;
  /** J ≥ 1, iterations of the linear solver in the implicit rule. Default 20. */
  readonly solverSteps?: number;
  /** Inner gradients that take as long as one product; orders the rules, and nothing else. Default 2. */
  readonly gradientsPerProduct?: number;
  /** Rank the biased truncated rule even where an exact one fits. Default false: only where none does. */
  readonly biased?: boolean;
}

/** What a plan's answer is: the derivative of T steps, or an approximation to it or to the inner solution's. */
export type PlanKind = "exact" | "implicit" | "biased";

/** How a planned rule's follower moves. */
export interface PlannedRuleOptions {
  readonly dynamics: Dynamics | Optimizer;
  /** Applied to the weights after every step. Default: none; the implicit rule takes none. */
  readonly projection?: Projection;
}

/** One way to compute the hypergradient. */
export interface Plan {
  readonly kind: PlanKind;
  /** The exported function that makes the rule. */
  readonly factory: string;
  /** As one would write it, without the dynamics: `reverse({ steps: 100, checkpoints: "sqrt" })`. */
  readonly call: string;
  /** The counts that the rule's own estimate declares. */
  readonly cost: Cost;
  /** Bytes that it keeps: its stored numbers, and the table of a binomial schedule. */
  readonly bytes: number;
  readonly fits: boolean;
  /** What it keeps and computes, and what would make it wrong. */
  readonly sentence: string;
  /** Makes the rule. */
  rule(options: PlannedRuleOptions): Rule;
}

/** What fits, best first. */
export interface MemoryPlan {
  /** The rules that fit: exact ones by their predicted work, then the implicit one, then the biased one. */
  readonly ranking: readonly Plan[];
  /** Those that do not fit, least memory first. */
  readonly tooLarge: readonly Plan[];
  /** The recommendation, or why there is none. */
  readonly sentence: string;
}
