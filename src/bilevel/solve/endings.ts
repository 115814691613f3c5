/** Why an outer loop ends: pure functions of what it has seen, so that a resumed run ends in the same place. */
import { exhausted, type Budget } from "./budget.ts";
import { stepsWithoutImprovement, type EarlyStopping } from "./early-stopping.ts";
import type { StepRecord } from "./history.ts";
import type { Report } from "../evaluate/report.ts";
import type { Status } from "../rule.ts";

/** How a loop ended, and its numbers in words. */
export interface Ending {
  readonly status: Status;
  readonly sentence: string;
}

/** What may end a loop between two finite steps. */
export interface Limits {
  readonly budget: Budget;
  readonly tolerance: number;
  readonly divergence: number;
  readonly earlyStopping?: EarlyStopping | undefined;
}

/** What a loop has seen between two steps. */
export interface Seen {
  readonly history: readonly StepRecord[];
  /** The record with the smallest outer objective. */
  readonly best: StepRecord | undefined;
  /** Wall-clock time spent by this call. */
  readonly seconds: number;
}

/**
 * Whether the loop ends here.
 *
 * @param stepGradients - inner gradients of one step.
 */
export function endingOf(
  { history, best, seconds }: Seen,
  limits: Limits,
  stepGradients: number,
): Ending | undefined {
  const { budget, tolerance, divergence, earlyStopping } = limits;
  const last = history.at(-1);
  if (last !== undefined && best !== undefined) {
    const bound = divergence * Math.max(1, Math.abs(history[0]!.value));
    if (last.value - best.value > bound) {
      return {
        status: "diverged",
        sentence: `The outer objective diverges: ${show(last.value)} at step ${last.step}, ${show(best.value)} at step ${best.step}; lower the outer learning rate, or constrain lambda.`,
      };
    }
    if (last.projectedGradientNorm <= tolerance && tolerance > 0) {
      return {
        status: "converged",
        sentence: `Converged at step ${last.step}: the hypergradient's norm ${show(last.projectedGradientNorm)} is within the tolerance ${show(tolerance)}; the outer objective is ${show(last.value)}.`,
      };
    }
    if (
      earlyStopping &&
      stepsWithoutImprovement(history, earlyStopping) >= earlyStopping.patience
    ) {
      return {
        status: "converged",
        sentence: `Stopped early at step ${last.step}: no improvement by more than ${earlyStopping.minImprovement ?? 0} in ${earlyStopping.patience} steps; the outer objective is best, ${show(best.value)}, at step ${best.step}.`,
      };
    }
  }
  // However long compiling took, the start is evaluated.
  const elapsed = last === undefined ? -1 : seconds;
  const steps = history.length - 1;
  const innerGradients = history.length * stepGradients;
  const limit = exhausted(budget, { steps, seconds: elapsed, innerGradients }, stepGradients);
  if (limit === undefined) return undefined;
  return {
    status: "max-steps",
    sentence: last
      ? `The budget of ${limit} is spent at step ${last.step}: the outer objective went from ${show(history[0]!.value)} to ${show(last.value)}, the hypergradient's norm is ${show(last.projectedGradientNorm)}.`
      : `The budget of ${limit} is too small for one evaluation, which takes ${stepGradients}.`,
  };
}

/** The ending of a step that produced NaN or infinity. */
export function nonFiniteEnding(record: StepRecord, report: Report): Ending {
  const { value, gradient, w } = report.nonFinite;
  const names = [
    ...(value ? ["the outer objective"] : []),
    ...(gradient ? ["the hypergradient"] : []),
    ...(w ? ["the follower's weights"] : []),
  ];
  const what = names.length > 0 ? names.join(", ") : "lambda after the update";
  const kept =
    record.step === 0
      ? "this is the start, which is returned"
      : `the result is that of step ${record.step - 1}`;
  const advice =
    record.step === 0
      ? "check the data for NaN, and lower the inner learning rate"
      : "lower the outer or the inner learning rate, or constrain lambda";
  return {
    status: "non-finite",
    sentence: `NaN or infinity in ${what} at step ${record.step}; ${kept}; ${advice}.`,
  };
}

/** The ending of a loop that was told to stop. */
export function cancelledEnding(by: "signal" | "caller", last: StepRecord | undefined): Ending {
  const who = by === "signal" ? "Cancelled by its signal" : "Stopped by its caller";
  const where = last
    ? `after step ${last.step}; the outer objective is ${show(last.value)}`
    : "before the first step";
  return { status: "cancelled", sentence: `${who} ${where}.` };
}

function show(value: number): string {
  return String(Number(value.toPrecision(6)));
}
