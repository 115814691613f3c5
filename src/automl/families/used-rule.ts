/** What a result says of the rule: which one, what it reported at the step that was kept, and what it cost. */
import type { Cost, Rule, StepRecord } from "../../bilevel/index.ts";
import { type Evaluated, isBiasedByStart, makeReport } from "../../bilevel/internal.ts";
import { type Tensor, tensor } from "../../program/index.ts";
import type { TuneAdvice, UsedRule } from "./search-record.ts";

/** After a search; `kept` is its best step's record, `cost` that of all steps. */
export function usedRule(
  chosen: { readonly name: string; readonly advice?: TuneAdvice },
  { rule, call }: { readonly rule: Rule; readonly call: string },
  kept: StepRecord | undefined,
  cost: Cost,
): UsedRule {
  const report = kept && makeReport(rule, cost, numbersOf(kept), 0);
  return {
    name: chosen.name,
    call,
    bias:
      rule.needs.bias ??
      (kept && isBiasedByStart(kept.measured) ? rule.needs.warmBias : null) ??
      null,
    status: report?.status ?? "not-run",
    sentence: report?.sentence ?? "No step of the search gave finite numbers.",
    innerGradients: cost.innerGradients,
    products:
      cost.hessianVectorProducts +
      cost.crossProducts +
      (cost.outerHessianVectorProducts ?? 0) +
      (cost.outerCrossProducts ?? 0),
    storedBytes: 4 * cost.storedFloats,
    advice: chosen.advice,
  };
}

/** A step as the numbers that its report is made of; norms stand for the arrays. */
function numbersOf(step: StepRecord): Evaluated {
  const scalar = (value: number): Tensor => tensor(Float64Array.of(value), { shape: [] });
  const further = Object.entries(step.measured).map(
    ([name, value]) => [name, scalar(value)] as const,
  );
  return {
    value: scalar(step.value),
    gradient: scalar(step.gradientNorm),
    w: scalar(step.innerGradientNorm),
    measured: {
      ...Object.fromEntries(further),
      innerGradientNorm: scalar(step.innerGradientNorm),
      initialInnerGradientNorm: scalar(step.initialInnerGradientNorm),
    },
  };
}
