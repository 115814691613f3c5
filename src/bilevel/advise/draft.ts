/** A rule that is considered, and what it is made with. */
import type { Dynamics } from "../dynamics.ts";
import type { BilevelData } from "../problem.ts";
import type { Projection } from "../projections.ts";
import type { Given, RuleCall } from "../rule-call.ts";
import type { RuledOut } from "./types.ts";

/** A rule before its cost is known. */
export interface Draft {
  readonly call: RuleCall;
  /** What its call leaves out. Default: nothing. */
  readonly given?: Given;
  readonly why: string;
  readonly caution: string;
  /** Where more is kept than the estimate's stored numbers. */
  readonly bytes?: number;
  /** The part of what is seen at once that an evaluation looks at, on average. Default 1. */
  readonly share?: number;
}

/** What the rules are made with. */
export interface AdviseContext {
  readonly steps: number;
  readonly dynamics: Dynamics;
  readonly projection: Projection | undefined;
  readonly bytes: number;
  readonly hasInit: boolean;
  /** Whether minibatches keep the follower from its solution. */
  readonly isNoisy: boolean;
  /** Whether an outer step is to see less than all the data: they are sampled, or the steps take too long on all of them. */
  readonly isStochastic: boolean;
  /** Number of minibatches of each level, 1 for one that is not sampled; absent when one is drawn from no fixed set. */
  readonly fixed: BilevelData<number> | undefined;
}

/** What is admitted, best first, and what is not. */
export interface Considered {
  readonly drafts: Draft[];
  readonly ruledOut: RuledOut[];
  /** Why there is no draft. */
  readonly none?: string;
}

/** A ratio as people read it. */
export function percent(ratio: number): string {
  return `${(100 * ratio).toPrecision(2)}%`;
}
