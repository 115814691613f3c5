/** The rules that the planner weighs, each with the counts of its own estimate. */
import { conjugateGradient } from "../../linear/index.ts";
import type { Plan, PlanOptions } from "./types.ts";
import type { Cost } from "../rule.ts";
import { call, ruleCall, type RuleCall } from "../rule-call.ts";
import { forward } from "../rules/explicit/forward.ts";
import { implicit } from "../rules/implicit/implicit.ts";
import { reverse } from "../rules/explicit/reverse.ts";
import { truncated } from "../rules/explicit/truncated.ts";

/** A plan's sizes, all of them. */
export type Sizes = Required<PlanOptions>;

/** A plan before it is held against the budget. */
export interface Draft extends Pick<Plan, "kind" | "cost"> {
  readonly call: RuleCall;
  /** Bytes besides the stored numbers. */
  readonly tableBytes?: number;
  /** What would make it wrong, or sets it apart; the end of its sentence. */
  readonly remark: string;
}

/** The drafts in the order in which equal work is ranked. */
export function planDrafts(sizes: Sizes): Draft[] {
  return [
    wholeReverse(sizes),
    ...squareRoot(sizes),
    ...slots(sizes),
    forwardMode(sizes),
    implicitly(sizes),
    ...lastSteps(sizes),
  ];
}

function wholeReverse(sizes: Sizes): Draft {
  const { steps, state } = sizes;
  return {
    kind: "exact",
    call: ruleCall({ reverse }, { steps }),
    cost: unrolled(sizes, steps, steps, steps * state),
    remark: "keeps every state and makes none again",
  };
}

function squareRoot(sizes: Sizes): Draft[] {
  const { steps, state } = sizes;
  if (steps === 1) return [];
  const n = Math.ceil(Math.sqrt(steps));
  return [
    {
      kind: "exact",
      call: ruleCall({ reverse }, { steps, checkpoints: "sqrt" }),
      cost: unrolled(sizes, 2 * steps, steps, (Math.ceil(steps / n) + n) * state),
      remark: `keeps every ${ordinal(n)} state and makes the others again`,
    },
  ];
}

/** With as many slots as fit, and fewer than there are steps; with one slot when none fits. */
function slots(sizes: Sizes): Draft[] {
  const { steps, state, bytes, bytesPerFloat } = sizes;
  if (steps === 1) return [];
  // The schedule's integers: a row of the slots, and at most four for each step but the last.
  const perSlot = state * bytesPerFloat + 4;
  const most = Math.floor((bytes - 16 * (steps - 1)) / perSlot);
  const c = Math.max(1, Math.min(most, steps - 1));
  return [
    {
      kind: "exact",
      call: ruleCall({ reverse }, { steps, checkpoints: { slots: c } }),
      cost: unrolled(sizes, evaluations(steps, c), steps, c * state),
      tableBytes: 4 * c + 16 * (steps - 1),
      remark: `keeps at most ${count(c, "state")} at once and makes the others again by the binomial schedule`,
    },
  ];
}

function forwardMode(sizes: Sizes): Draft {
  const { steps, state, hyperparameters, preparedFloats } = sizes;
  const kept = hyperparameters * (state + preparedFloats);
  return {
    kind: "exact",
    call: ruleCall({ forward }, { steps }),
    cost: unrolled(sizes, steps, steps * hyperparameters, kept),
    remark: `carries ${count(hyperparameters, "tangent")} along, whatever the number of steps`,
  };
}

function implicitly(sizes: Sizes): Draft {
  const { steps, state, weights, solverSteps } = sizes;
  const options = { maxSteps: solverSteps };
  const linear = conjugateGradient(options).cost(weights, false);
  return {
    kind: "implicit",
    call: ruleCall({ implicit }, { steps, solver: call({ conjugateGradient }, options) }),
    cost: {
      ...unrolled(sizes, steps, linear.products, state + linear.storedFloats),
      crossProducts: 1,
      reportProducts: linear.reportProducts,
    },
    remark:
      "right only where the inner solution is unique, its Hessian positive definite, and the steps come close to it",
  };
}

/** With as many of the last steps as fit, and fewer than all. */
function lastSteps(sizes: Sizes): Draft[] {
  const { steps, state, bytes, bytesPerFloat } = sizes;
  if (steps === 1) return [];
  const most = Math.floor(bytes / (state * bytesPerFloat));
  const keep = Math.max(1, Math.min(most, steps - 1));
  return [
    {
      kind: "biased",
      call: ruleCall({ truncated }, { steps, keep }),
      cost: unrolled(sizes, steps, keep, keep * state),
      remark: `biased: it leaves out how the first ${count(steps - keep, "step")} depend${steps - keep === 1 ? "s" : ""} on the hyperparameters`,
    },
  ];
}

function unrolled(
  { gradientsPerStep }: Sizes,
  forwardSteps: number,
  products: number,
  storedFloats: number,
): Cost {
  return {
    innerGradients: forwardSteps * gradientsPerStep,
    hessianVectorProducts: products,
    crossProducts: products,
    storedFloats,
    reportGradients: 2,
  };
}

/** 1 + r·T − binomial(c + r, c + 1), where r is the least with binomial(c + r, c) ≥ T. */
function evaluations(steps: number, slots: number): number {
  let r = 0;
  let binomial = 1;
  while (binomial < steps) {
    r += 1;
    binomial = (binomial * (slots + r)) / r;
  }
  return 1 + r * steps - (binomial * r) / (slots + 1);
}

/** 1 state, 2 states. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

function ordinal(n: number): string {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${suffix}`;
}
