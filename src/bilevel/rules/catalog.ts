/**
 * The catalog of hypergradient rules: the cheat-sheet as data. What a rule needs and how it is biased it says itself,
 * through a small instance; the formulas of its cost are checked against its counts.
 */
import type { CatalogEntry, CostFormulas, RuleFamily, RuleForm } from "./entry.ts";
import { explicitRules } from "./explicit/catalog.ts";
import { implicitRules } from "./implicit/catalog.ts";
import { singleLoopRules } from "./stochastic/single-loop-catalog.ts";
import { stochasticRules } from "./stochastic/catalog.ts";
import { rulesWithoutUniqueSolution } from "./without-unique-solution/catalog.ts";
import type { ErrorTheory } from "../bounds.ts";
import type { Needs } from "../rule.ts";

export type { CatalogEntry, CostFormulas, RuleFamily, RuleForm };

/** Every exported rule, family by family. */
export const ruleCatalog: readonly CatalogEntry[] = [
  ...explicitRules,
  ...implicitRules,
  ...rulesWithoutUniqueSolution,
  ...singleLoopRules,
  ...stochasticRules,
];

/** The families in the order of the catalog, each with a sentence on when to look there. */
export const ruleFamilies: Readonly<Record<RuleFamily, string>> = {
  explicit:
    "The follower's steps are differentiated, all or some of them, from wherever it starts.",
  implicit: "The inner solution is differentiated: memory does not grow with the steps.",
  "without a unique inner solution":
    "The inner problem has many solutions, or is not convex: the rules above then depend on the start.",
  "single-loop and stochastic":
    "All variables move a little in each outer step and go on from there: start warm.",
};

/** What the problem must have, in words; first derivatives go without saying. */
export function needsInWords(needs: Needs): string {
  const words = [
    ...(needs.secondDerivatives ? ["second derivatives"] : []),
    ...(needs.strongConvexity
      ? ["strong convexity"]
      : needs.uniqueInnerSolution
        ? ["a unique inner solution"]
        : []),
  ];
  return words.length === 0 ? "first derivatives" : words.join(", ");
}

/** The work of one estimate, such as "T ∇L, T H·v, T C·v": gradients, then products with ∇²_ww and ∇²_λw. */
export function costInWords(cost: CostFormulas): string {
  const words = COST_WORDS.flatMap(([key, word]) => {
    const formula = cost[key];
    if (formula === undefined) return [];
    const isSum = /[+−]/.test(formula.replace(/\([^()]*\)/g, ""));
    return [`${isSum ? `(${formula})` : formula} ${word}`];
  });
  return words.length === 0 ? "no inner work" : words.join(", ");
}

/** What theory says of the distance from the exact hypergradient, in one line; see {@link ErrorTheory}. */
export function theoryInWords(theory: ErrorTheory | undefined): string {
  if (theory === undefined) return "none; the rule declares no theory of its error";
  if (theory.kind === "none") return `none; ${theory.why}`;
  return `${theory.formula.replaceAll("\n", "; ")}; if ${theory.assumptions.join(", and ")}`;
}

const COST_WORDS: readonly (readonly [keyof CostFormulas, string])[] = [
  ["innerGradients", "∇L"],
  ["outerGradients", "∇E"],
  ["hessianVectorProducts", "H·v"],
  ["outerHessianVectorProducts", "H·v of E"],
  ["crossProducts", "C·v"],
  ["outerCrossProducts", "C·v of E"],
];
