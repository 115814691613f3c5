/** What an evaluation says about itself, in numbers and in words. A numerical outcome is a status, not an exception. */
import { tree } from "@jax-js/jax";
import type { Tensor, Tree } from "../program/tensor.ts";
import { judgeActiveSet } from "./active-set-report.ts";
import { judgeAscent } from "./ascent-report.ts";
import { boundInWords, evaluateBound, type BoundContext, type ErrorBound } from "./bounds.ts";
import { judgeLinear, type LinearVerdict } from "./linear-report.ts";
import type { Cost, Measured, Rule } from "./rule.ts";

/** How an evaluation ended. */
export type Status =
  "converged" | "max-steps" | "diverged" | "non-finite" | "singular" | "cancelled";

/** The report of one hypergradient. */
export interface Report {
  readonly status: Status;
  /** The status and its numbers in one sentence. */
  readonly sentence: string;
  /** ‖∇_w L‖ at the follower's answer (of w − P(w − ∇_w L) when a projection P constrains it). */
  readonly innerGradientNorm: number;
  /** The same where the follower started. */
  readonly initialInnerGradientNorm: number;
  /** innerGradientNorm / initialInnerGradientNorm. */
  readonly relativeInnerGradientNorm: number;
  /** Inner steps made. */
  readonly steps: number;
  /** Which results contain NaN or an infinity. */
  readonly nonFinite: {
    readonly value: boolean;
    readonly gradient: boolean;
    readonly w: boolean;
  };
  /** Wall-clock time of the evaluation, compilation excluded. */
  readonly seconds: number;
  readonly cost: Cost;
  /** How far the hypergradient may be from that of the exact inner solution, as far as theory goes. */
  readonly bound: ErrorBound;
  /** The rule's further measurements by name. */
  readonly measured: Readonly<Record<string, number>>;
  /** Sentences on what is probably not meant, such as a hyperparameter that nothing reads. */
  readonly warnings: readonly string[];
}

/** The results that a report is made of. */
export interface Evaluated {
  readonly value: Tensor;
  readonly gradient: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly measured: Measured<Tensor>;
}

/**
 * Reads an evaluation's numbers into a {@link Report}.
 *
 * @throws TypeError when they show that the problem is none for the rule.
 */
export function makeReport(
  rule: Rule,
  cost: Cost,
  evaluated: Evaluated,
  seconds: number,
  warnings: readonly string[] = [],
  context: BoundContext = {},
): Report {
  const measured: Record<string, number> = {};
  for (const [name, scalar] of Object.entries(evaluated.measured)) measured[name] = scalar.item();
  rule.refuse?.(measured);
  const { innerGradientNorm, initialInnerGradientNorm, ...others } = measured as Measured<number>;
  const nonFinite = {
    value: !allFinite(evaluated.value),
    gradient: !allFinite(evaluated.gradient),
    w: !allFinite(evaluated.w),
  };
  const facts: Facts = {
    steps: rule.innerSteps,
    innerGradientNorm,
    initialInnerGradientNorm,
    nonFinite,
    stage: rule.name,
    bias: rule.needs.bias,
  };
  const linear = judgeLinear(others);
  const inner = innerStatusOf(rule, facts);
  const solved = linear ? combine(inner, linear, facts) : inner;
  const first = SENTENCES[solved === "singular" ? solved : inner](facts);
  const activeSet = judgeActiveSet(others);
  const ascent = judgeAscent(others);
  const status = [activeSet, ascent].reduce(
    (status, verdict) => (verdict ? combine(status, verdict, facts) : status),
    solved,
  );
  const bound = evaluateBound(rule.bound, measured, context);
  // Without constants from the user nobody asked, and there is rarely a bound.
  const ofBound = context.constants ? ` ${boundInWords(bound)}` : "";
  const verdicts = [linear, activeSet, ascent].map((verdict) =>
    verdict ? ` ${verdict.sentence}` : "",
  );
  return {
    status,
    sentence: first + verdicts.join("") + biasOf(facts) + ofBound,
    innerGradientNorm,
    initialInnerGradientNorm,
    relativeInnerGradientNorm: ratio(facts),
    steps: facts.steps,
    nonFinite,
    seconds,
    cost,
    bound,
    measured: others,
    warnings,
  };
}

/** The numbers that a status' sentence may quote. */
export interface Facts {
  readonly steps: number;
  readonly innerGradientNorm: number;
  readonly initialInnerGradientNorm: number;
  readonly nonFinite: Report["nonFinite"];
  /** What ended, for example the rule's name. */
  readonly stage: string;
  /** See {@link Needs.bias}. */
  readonly bias?: string | undefined;
}

/** The sentence of each status. */
export const SENTENCES: Readonly<Record<Status, (facts: Facts) => string>> = {
  converged: (f) =>
    `The inner problem is solved: its gradient norm fell to ${norms(f)} in ${f.steps} steps.`,
  "max-steps": (f) =>
    `The inner problem is not solved after ${f.steps} steps (gradient norm ${norms(f)})${f.bias ? "" : ": the hypergradient is that of the follower after these steps"}; raise steps or the learning rate to approach the solution.`,
  diverged: (f) =>
    `The inner problem diverges: its gradient norm grew to ${norms(f)} in ${f.steps} steps; lower the inner learning rate.`,
  "non-finite": (f) =>
    `NaN or infinity in ${listNonFinite(f.nonFinite)} after ${f.steps} steps; lower the inner learning rate, or look for a division by zero, a logarithm of zero or NaN in the data.`,
  singular: (f) =>
    `The inner Hessian is singular or not positive along a direction that ${f.stage} met: the inner solution is not unique; add a regularizer, damping, or use a rule that needs no unique solution.`,
  cancelled: (f) => `Cancelled after ${f.steps} steps.`,
};

/** True when no leaf contains NaN or an infinity. */
export function allFinite(values: Tree<Tensor>): boolean {
  return tree.leaves<Tensor>(values).every((leaf) => {
    if (leaf.dtype === "float16") return leaf.data.every((bits) => (bits & 0x7c00) !== 0x7c00);
    return leaf.data.every(Number.isFinite);
  });
}

function innerStatusOf(rule: Rule, facts: Facts): Status {
  const { innerGradientNorm: end, initialInnerGradientNorm: start, nonFinite } = facts;
  if (nonFinite.value || nonFinite.gradient || nonFinite.w || !Number.isFinite(end))
    return "non-finite";
  if (end <= rule.tolerance.relative * start || end <= rule.tolerance.absolute) return "converged";
  // A step or two of a good optimizer may raise the norm; a thousandfold rise is no transient.
  if (end > 1e3 * Math.max(start, rule.tolerance.absolute)) return "diverged";
  return "max-steps";
}

/** The status where a linear system or an active set was looked at, at the follower's answer. */
function combine(inner: Status, linear: LinearVerdict, { nonFinite }: Facts): Status {
  const { status } = linear;
  // Without a unique solution a direct solver has nothing finite to give: that is the reason to name.
  if (status === "singular" && !nonFinite.w && !nonFinite.value) return status;
  if (inner === "converged") return status ?? inner;
  return inner === "max-steps" && status === "diverged" ? status : inner;
}

function ratio(facts: Facts): number {
  const { innerGradientNorm: end, initialInnerGradientNorm: start } = facts;
  return start === 0 ? (end === 0 ? 0 : Infinity) : end / start;
}

function biasOf({ bias }: Facts): string {
  return bias ? ` The hypergradient is biased: ${bias}.` : "";
}

function norms(facts: Facts): string {
  return `${facts.innerGradientNorm.toExponential(2)}, ${(100 * ratio(facts)).toPrecision(3)}% of its start`;
}

function listNonFinite(nonFinite: Report["nonFinite"]): string {
  const names = [
    ...(nonFinite.w ? ["the follower's weights"] : []),
    ...(nonFinite.value ? ["the outer objective"] : []),
    ...(nonFinite.gradient ? ["the hypergradient"] : []),
  ];
  return names.length > 0 ? names.join(", ") : "the inner gradient";
}
