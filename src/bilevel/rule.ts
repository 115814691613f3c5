/**
 * What a hypergradient rule is: a plain value that builds its part of a program. It has no loop over outer
 * steps, no session and no options read by shared code; what shared code must know, it declares in `needs`.
 */
import type { Program, Tree, Value } from "../program/index.ts";
import type { ErrorTheory, MeasuredNumbers } from "./bounds.ts";
import type { Arrays, BilevelData, Problem } from "./problem.ts";

/** Where a hypergradient is estimated: symbolic arrays inside a program. */
export interface Point {
  readonly lambda: Tree<Value>;
  /** The follower's weights at the start of the inner steps. Not read when the problem has its own `init`. */
  readonly w: Tree<Value>;
  /** The follower's state at the start: `rule.init(w, lambda)` for a cold start, the last estimate's `state` for a warm one. */
  readonly state: Tree<Value>;
  /** Raw data; the rule applies the problem's `prepare`. */
  readonly data: BilevelData<Tree<Value>>;
  /** True when every leaf of `data.inner` is stacked as [innerSteps, ...], one minibatch for each inner step. */
  readonly batched?: boolean;
  /** True when `state` is that of the last estimate, at other hyperparameters: rules then measure what it hides of them. */
  readonly isWarm?: boolean;
}

/** What one estimate costs, known before anything runs. */
export interface Cost {
  /** Evaluations of the inner objective's gradient (∇_w, ∇_λ or both at one point), recomputation included. */
  readonly innerGradients: number;
  /** Products with ∇²_ww of the inner objective. */
  readonly hessianVectorProducts: number;
  /** Products with ∇²_λw of the inner objective. */
  readonly crossProducts: number;
  /** Numbers kept at once for the derivative: states of the follower for a backward pass, tangents for a forward one. */
  readonly storedFloats: number;
  /** Further evaluations of ∇_w of the inner objective that only the report needs. */
  readonly reportGradients: number;
  /** Further products with ∇²_ww of the inner objective that only the report needs; absent when there are none. */
  readonly reportProducts?: number;
  /** Evaluations of the outer objective's gradient when the inner steps use it; absent when only the leader does. */
  readonly outerGradients?: number;
  /** Products with ∇²_ww of the outer objective; absent when there are none. */
  readonly outerHessianVectorProducts?: number;
  /** Products with ∇²_λw of the outer objective; absent when there are none. */
  readonly outerCrossProducts?: number;
}

/** What a rule asks of the problem, for error messages, tables and advice. */
export interface Needs {
  /** Second derivatives of the inner objective. */
  readonly secondDerivatives: boolean;
  /** A single inner solution: without it the rule's response depends on the start. */
  readonly uniqueInnerSolution: boolean;
  /** A strongly convex inner objective (a positive definite Hessian at the solution). */
  readonly strongConvexity: boolean;
  /** Memory in words, T inner steps and |w| numbers of the follower's state, for example "O(T·|w|)". */
  readonly memory: string;
  /**
   * What the estimate leaves out or only approximates, as the end of "The hypergradient is biased: …"; the report
   * says it. Absent when it is the exact derivative of E at the follower's response.
   */
  readonly bias?: string;
  /**
   * What the estimate leaves out besides when the follower starts where the last estimate left it, in the same words.
   * Absent when the start has no influence, or `bias` says it. With it, \`solve\` adds the measurement \`warmStart\`, 1 in
   * every step but the first.
   */
  readonly warmBias?: string;
  /** Derivatives along several directions at once, by jax-js's `vmap`, which has no rule for `lax.reduceWindow`. */
  readonly batching?: boolean;
}

/**
 * Scalars that a rule measures inside the program, for the {@link Report}. What stands in `follower-measure.ts` every rule
 * with dynamics measures alike, and the report reads; of the rest it knows nothing, the rule judges it.
 */
export interface Measured<T> {
  /** ‖∇_w L‖ at the follower's last weights (of w − P(w − ∇_w L) when a projection P constrains it). */
  readonly innerGradientNorm: T;
  /** The same at the follower's first weights. */
  readonly initialInnerGradientNorm: T;
  /** Further scalars by name, such as a linear system's residual. */
  readonly [name: string]: T;
}

/** One estimate of the hypergradient, as symbolic arrays inside the program. */
export interface Estimate {
  /** The outer objective at the follower's response, a scalar. */
  readonly value: Value;
  /** dF/dλ, the tree and shapes of λ. */
  readonly gradient: Tree<Value>;
  /** The follower's response. */
  readonly w: Tree<Value>;
  /** The follower's state after the inner steps: the warm start of the next estimate. */
  readonly state: Tree<Value>;
  readonly report: Measured<Value>;
  readonly cost: Cost;
}

/** When the inner problem counts as solved: final norm ≤ relative · initial norm, or ≤ absolute. Only the report asks. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** How an evaluation ended. */
export type Status =
  "converged" | "max-steps" | "diverged" | "non-finite" | "singular" | "cancelled";

/** What one measurement says of an evaluation. */
export interface Verdict {
  /** The status of an evaluation whose follower is solved; undefined when the measurement speaks for it. */
  readonly status: Status | undefined;
  /** Joins the report's sentence. */
  readonly sentence: string;
  /** The status whose sentence opens the report, where the measurement shows that the follower's own is wrong. */
  readonly headline?: Status | undefined;
}

/** A way to estimate the hypergradient. */
export interface Rule {
  readonly name: string;
  readonly needs: Needs;
  /** Inner steps of one estimate: how many minibatches a batched {@link Point} must stack. */
  readonly innerSteps: number;
  readonly tolerance: Tolerance;
  /** What theory says of the distance from the exact hypergradient, or why it says nothing; the report evaluates it. */
  readonly bound?: ErrorTheory;
  /**
   * Measurements of which the least of several evaluations is the gravest, such as a curvature; of all others it is the
   * greatest. Default: none.
   */
  readonly least?: readonly string[];
  /** Throws when an evaluation's measurements show that the problem is none for the rule. */
  refuse?(measured: MeasuredNumbers): void;
  /** What the rule's own measurements say of an evaluation, the gravest first. */
  judge?(measured: MeasuredNumbers): readonly Verdict[];
  /** What the measurements of a whole run's steps leave to say, a sentence each. */
  warn?(history: readonly MeasuredNumbers[]): readonly string[];
  /** The follower's state for a cold start from weights w at λ; a jax-js function, to be traced with `program.call`. */
  init(w: Arrays, lambda: Arrays): Arrays;
  /** Adds the estimate at `point` to `program`. Synchronous; throws on misuse. */
  estimate(program: Program, problem: Problem, point: Point): Estimate;
}
