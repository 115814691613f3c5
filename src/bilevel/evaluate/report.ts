/** What an evaluation says about itself, in numbers and in words. A numerical outcome is a status, not an exception. */
import { tree } from "@jax-js/jax";
import type { Tensor, Tree } from "../../program/index.ts";
import { boundInWords, evaluateBound, type BoundContext, type ErrorBound } from "../bounds.ts";
import { judgeCoefficients, residualOf, type Residual } from "../estimate/follower-measure.ts";
import type { Cost, Measured, Rule, Status, Verdict } from "../rule.ts";

/** The report of one hypergradient. */
export interface Report {
  readonly status: Status;
  /** The status and its numbers in one sentence. */
  readonly sentence: string;
  /** ‖∇_w L‖ at the follower's response (of w − P(w − ∇_w L) when a projection P constrains it). */
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
  const gradientNorm = { start: initialInnerGradientNorm, end: innerGradientNorm };
  const facts: Facts = {
    steps: rule.innerSteps,
    residual: residualOf(measured) ?? gradientNorm,
    nonFinite,
    stage: rule.name,
    bias: rule.needs.bias,
  };
  const outside = judgeCoefficients(others);
  const verdicts = [...(rule.judge?.(measured) ?? []), ...outside];
  const { status, headline } = judge(innerStatusOf(rule, facts), verdicts, facts);
  const bound = evaluateBound(rule.bound, measured, context);
  const sentences = [
    SENTENCES[headline](facts),
    ...verdicts.map(({ sentence }) => sentence),
    ...(rule.needs.bias ? [`The hypergradient is biased: ${rule.needs.bias}.`] : []),
    // Without constants from the user nobody asked, and there is rarely a bound.
    ...(context.constants ? [boundInWords(bound)] : []),
  ];
  return {
    status,
    sentence: sentences.join(" "),
    innerGradientNorm,
    initialInnerGradientNorm,
    relativeInnerGradientNorm: ratio(gradientNorm),
    steps: facts.steps,
    nonFinite,
    seconds,
    cost,
    bound,
    measured: others,
    warnings: [...warnings, ...outside.map(({ sentence }) => sentence)],
  };
}

/** The numbers that a status' sentence may quote. */
export interface Facts {
  readonly steps: number;
  /** What tells whether the follower is solved: ‖∇_w L‖, or the residual of its own dynamics. */
  readonly residual: Residual;
  readonly nonFinite: Report["nonFinite"];
  /** What ended, for example the rule's name. */
  readonly stage: string;
  /** See {@link Needs.bias}. */
  readonly bias?: string | undefined;
}

/** The sentence of each status. */
export const SENTENCES: Readonly<Record<Status, (facts: Facts) => string>> = {
  converged: (f) =>
    `The inner problem is solved: its ${nameOf(f)} fell to ${norms(f)} in ${f.steps} steps.`,
  "max-steps": (f) =>
    `The inner problem is not solved after ${f.steps} steps (${nameOf(f)} ${norms(f)})${f.bias ? "" : ": the hypergradient is that of the follower after these steps"}; raise steps or the learning rate to approach the solution.`,
  diverged: (f) =>
    `The inner problem diverges: its ${nameOf(f)} grew to ${norms(f)} in ${f.steps} steps; lower the inner learning rate.`,
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

function innerStatusOf({ tolerance }: Rule, { residual, steps, nonFinite }: Facts): Status {
  const { start, end } = residual;
  if (nonFinite.value || nonFinite.gradient || nonFinite.w || !Number.isFinite(end))
    return "non-finite";
  if (end <= tolerance.relative * start || isAtRest(residual, steps, tolerance.absolute))
    return "converged";
  // A step or two of a good optimizer may raise the norm; a thousandfold rise is no transient.
  if (end > 1e3 * Math.max(start, tolerance.absolute)) return "diverged";
  return "max-steps";
}

/**
 * Whether what is left counts as nothing. Small steps make a small ‖Φ(w) − w‖ anywhere, so it is the distance to the fixed
 * point that must be small: at most ‖Φ(w) − w‖/(1 − c), for a residual that falls by the factor c in each step.
 */
function isAtRest({ start, end, rounding }: Residual, steps: number, absolute: number): boolean {
  if (rounding === undefined || steps === 0) return end <= absolute;
  if (end <= rounding) return true;
  return end < start && end / (1 - (end / start) ** (1 / steps)) <= absolute;
}

/** The status of the follower and of all that was looked at besides, and the one whose sentence opens the report. */
function judge(
  inner: Status,
  verdicts: readonly Verdict[],
  facts: Facts,
): { status: Status; headline: Status } {
  let [status, headline] = [inner, inner];
  for (const verdict of verdicts) {
    status = combine(status, verdict, facts);
    const isRefuted = headline === "converged" || verdict.headline === status;
    if (verdict.headline !== undefined && isRefuted) headline = verdict.headline;
  }
  return { status, headline };
}

function combine(inner: Status, { status }: Verdict, { nonFinite }: Facts): Status {
  // Without a unique solution a direct solver has nothing finite to give: that is the reason to name.
  if (status === "singular" && !nonFinite.w && !nonFinite.value) return status;
  if (inner === "converged") return status ?? inner;
  return inner === "max-steps" && status === "diverged" ? status : inner;
}

function ratio({ start, end }: Residual): number {
  return start === 0 ? (end === 0 ? 0 : Infinity) : end / start;
}

function nameOf({ residual }: Facts): string {
  return residual.rounding === undefined ? "gradient norm" : "residual ‖Φ(w) − w‖";
}

function norms({ residual }: Facts): string {
  const part = `${(100 * ratio(residual)).toPrecision(3)}% of its start`;
  return `${residual.end.toExponential(2)}, ${residual.start === 0 ? "from 0" : part}`;
}

function listNonFinite(nonFinite: Report["nonFinite"]): string {
  const names = [
    ...(nonFinite.w ? ["the follower's weights"] : []),
    ...(nonFinite.value ? ["the outer objective"] : []),
    ...(nonFinite.gradient ? ["the hypergradient"] : []),
  ];
  return names.length > 0 ? names.join(", ") : "the inner gradient";
}
