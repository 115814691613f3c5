/** What a search by hypergradients leaves behind: its steps, its rule, how well its follower was solved. Plain data. */
import type { Status } from "../../bilevel/index.ts";

/** Runs that name no rule use this one. */
export const defaultRule = "reverse";

/** The name that leaves the choice of the rule to the adviser. */
export const autoRule = "auto";

/** The follower counts as solved when its gradient is at most this, relative to that at its start. */
export const solvedTolerance = 1e-3;

/** One outer step. */
export interface HistoryEntry {
  step: number;
  inner: number;
  outer: number;
  gradientNorm: number;
  innerGradientNorm: number;
  seconds: number;
}

/** What held-out rows say of hyperparameters that were tuned on other rows. */
export interface Hold {
  /** a in λ = start + a·(λ tuned − start): 0 is where the search started, 1 where it ended. */
  share: number;
  /** Mean of the rows' gains over the start, at the best a above 0; in the units of the loss. */
  gain: number;
  /** Standard error of that mean, rows taken as independent. */
  standardError: number;
}

/** What the adviser said, in words. */
export interface TuneAdvice {
  /** What was found, and what follows. */
  sentence: string;
  /** The rule that was picked. */
  call: string;
  /** Training rows that were measured, of how many. */
  rows: number;
  ofRows: number;
  /** The rest of its ranking, best first. */
  runnersUp: { call: string; why: string; caution: string }[];
  ruledOut: { rule: string; why: string }[];
}

/** The rule that estimated the hypergradients; numbers are those of the first split's search. */
export interface UsedRule {
  /** In the catalog of rules. */
  name: string;
  /** As one would write it. */
  call: string;
  /** What the hypergradient leaves out; `null` when it is the exact derivative at the follower's answer. */
  bias: string | null;
  /** The rule's own report at the step that was kept; "not-run" without one. */
  status: string;
  sentence: string;
  /** Evaluations of the inner gradient, over all outer steps. */
  innerGradients: number;
  /** Products with second derivatives, over all outer steps. */
  products: number;
  /** Kept at once for the derivative. */
  storedBytes: number;
  /** Present when the adviser picked. */
  advice?: TuneAdvice;
}

/** How an outer loop went. */
export interface SearchRecord {
  /** How the loop ended, and that in words. */
  status: Status;
  sentence: string;
  history: HistoryEntry[];
  /** The step whose hyperparameters were kept: the smallest outer objective. */
  bestStep: number;
  /** Steps of the follower in each outer step. */
  innerSteps: number;
  /** ‖∇L‖ at the follower's answer of the best step, and at its start. */
  innerGradientNorm: number;
  referenceGradientNorm: number;
  rule: UsedRule;
  /** How far the hyperparameters may leave the search's start. */
  hold: Hold;
}

/** An outer loop between two steps. */
export interface SearchState {
  /** The loop's own checkpoint, base64. */
  state: string;
  history: HistoryEntry[];
}
