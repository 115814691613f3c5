/** What the catalog says of a rule beyond what the rule says of itself. */
import type { Cost, Rule } from "../rule.ts";

/** What a rule differentiates, or does in the place of differentiating. */
export type RuleFamily =
  "explicit" | "implicit" | "without a unique inner solution" | "single-loop and stochastic";

/**
 * Counts of one estimate as formulas in T, the inner steps of one outer step, |w| and |λ|, the numbers of weights and of
 * hyperparameters, and the form's own sizes, for the instance's dynamics. What is left out is 0.
 */
export type CostFormulas = Partial<Record<keyof Cost, string>>;

/** One way to call a rule's factory. */
export interface RuleForm {
  /** The option that makes the form, such as `checkpoints: "sqrt"`; "" for the rule as it is. */
  readonly option: string;
  /** A small instance; its `needs` are what the cheat-sheet tells of the form, its code is the page's example. */
  readonly rule: () => Rule;
  /** The instance's numbers for the letters in the formulas; "|w|" for one that is the number of weights. */
  readonly sizes: Readonly<Record<string, number | "|w|">>;
  readonly cost: CostFormulas;
  /** Whether the form takes no problem without an `init`. Default false. */
  readonly asksForInit?: boolean;
  /** What sets the form apart, where the option does not say it; one sentence. */
  readonly remark?: string;
}

/** A rule in the catalog. */
export interface CatalogEntry {
  /** The exported function that makes the rule. */
  readonly factory: string;
  readonly family: RuleFamily;
  /** The file in src/bilevel that holds it; its header has the formula. */
  readonly file: string;
  /** What the rule computes, in one line. */
  readonly summary: string;
  /** Where its estimate cannot be trusted, or cannot be had; the end of "fails when: …", with a semicolon between reasons. */
  readonly fails: string;
  /** The paper, as in the factory's documentation. */
  readonly source: string;
  readonly forms: readonly [RuleForm, ...RuleForm[]];
}
