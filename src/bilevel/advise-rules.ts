/** From measurements to rules: what the inner solutions look like, which rules that admits, and in which order. */
import type { Advice, InnerSolutions, RuledOut } from "./advise.ts";
import type { Dynamics } from "./dynamics.ts";
import { flatnessOf, type MeasuredProblem } from "./measure.ts";
import { gradientDescent } from "./optimizers/gradient-descent.ts";
import { linearRamp } from "./optimizers/linear-ramp.ts";
import { planMemory, type Plan } from "./plan.ts";
import type { Projection } from "./projections.ts";
import type { Rule, Tolerance } from "./rule.ts";
import { bda } from "./rules/bda.ts";
import { iaptt } from "./rules/iaptt.ts";
import { moreauEnvelope } from "./rules/moreau-envelope.ts";
import { valuePenalty } from "./rules/value-penalty.ts";

/** A rule before its cost is known. */
export interface Draft {
  readonly call: string;
  readonly why: string;
  readonly caution: string;
  readonly rule: Rule;
  /** Where more is kept than the estimate's stored numbers. */
  readonly bytes?: number;
}

/** What the rules are made with. */
export interface AdviseContext {
  readonly steps: number;
  readonly dynamics: Dynamics;
  readonly projection: Projection | undefined;
  readonly bytes: number;
  readonly hasInit: boolean;
}

interface Judgement {
  readonly drafts: Draft[];
  /** What was found, in words. */
  readonly found: string;
  /** Why there is no draft. */
  readonly none?: string;
}

/** The rules that the measurements admit, best first, and those that they forbid. */
export function adviseRules(
  measured: MeasuredProblem,
  context: AdviseContext,
): Pick<Advice, "innerSolutions" | "isSolved" | "ruledOut"> & Judgement {
  const innerSolutions = judgeSolutions(measured);
  const isSolved = isWithin(measured, SOLVED);
  const found = describe(measured, innerSolutions, isSolved, context.steps);
  const verdict = { innerSolutions, isSolved, found };
  if (measured.diverges) return { ...verdict, drafts: [], ruledOut: [] };
  if (innerSolutions === "unique") {
    return { ...verdict, ...forUnique(measured, context, isSolved) };
  }
  return { ...verdict, ...forMany(measured, context, innerSolutions, isSolved) };
}

/** The gradient's fall at which the report calls the inner problem solved, and at which implicit rules come first. */
const SOLVED = { relative: 1e-3, absolute: 1e-6 };
const WELL_SOLVED = { relative: 1e-6, absolute: 1e-9 };

function isWithin(measured: MeasuredProblem, { relative, absolute }: Tolerance): boolean {
  const { diverges, relativeGradientNorm, gradientNorm } = measured;
  return !diverges && (relativeGradientNorm <= relative || gradientNorm <= absolute);
}

function judgeSolutions(measured: MeasuredProblem): InnerSolutions {
  const { atAnswer, anywhere, spread, endSpread, startSpread, solvedStarts, starts } = measured;
  const zero = flatnessOf(measured);
  const isNegative = ({ smallest, largest }: typeof atAnswer): boolean =>
    smallest < -zero * Math.max(largest, -smallest);
  if (isNegative(atAnswer)) return "several";
  // A few products may miss a flat direction; ends that stay apart along it do not.
  const isPositive =
    atAnswer.smallest > zero * atAnswer.largest &&
    (atAnswer.isExhausted || endSpread <= AGREE * startSpread);
  if (!isPositive) return isNegative(anywhere) ? "several" : "flat";
  if (spread > AGREE * startSpread) return "several";
  // Where the curvature changes its sign on the way, only starts that all end at one point speak for a single one.
  return isNegative(anywhere) && solvedStarts < starts ? "several" : "unique";
}

/** Ends are one point when they lie this much closer together than their starts. */
const AGREE = 1e-3;

function forUnique(
  measured: MeasuredProblem,
  { steps, dynamics, projection, bytes, hasInit }: AdviseContext,
  isSolved: boolean,
): { drafts: Draft[]; ruledOut: RuledOut[]; none: string } {
  const { ranking, sentence: none } = planMemory({
    steps,
    bytes,
    weights: measured.weights,
    state: measured.state,
    hyperparameters: measured.hyperparameters,
    preparedFloats: measured.preparedFloats,
    bytesPerFloat: measured.bytesPerFloat,
    gradientsPerStep: dynamics.gradientsPerStep,
    solverSteps: solverSteps(measured),
  });
  const ruledOut: RuledOut[] = [];
  if (!isSolved) {
    const why = `the ${steps} steps leave ${percent(measured.relativeGradientNorm)} of the inner gradient: they do not reach the solution that it differentiates.`;
    ruledOut.push({ factory: "implicit", why });
  } else if (projection) {
    const why = "at a projected answer the inner gradient need not vanish.";
    ruledOut.push({ factory: "implicit", why });
  }
  if (hasInit) {
    ruledOut.push({ factory: "truncated", why: "it drops the derivative through init." });
  }
  const isAdmitted = ({ call }: Plan): boolean =>
    !ruledOut.some(({ factory }) => call.startsWith(`${factory}(`));
  const isWellSolved = isWithin(measured, WELL_SOLVED);
  const work = ({ cost }: Plan): number =>
    cost.innerGradients + 2 * (cost.hessianVectorProducts + cost.crossProducts);
  const early = (plan: Plan): boolean =>
    plan.kind === "exact" || (plan.kind === "implicit" && isWellSolved);
  const admitted = ranking.filter(isAdmitted);
  const ordered = [
    ...admitted.filter(early).sort((a, b) => work(a) - work(b)),
    ...admitted.filter((plan) => !early(plan)),
  ];
  const drafts = ordered.map((plan): Draft => {
    const { call, sentence } = plan;
    const options = projection ? { dynamics, projection } : { dynamics };
    const why = `${WHY[plan.kind]}; ${sentence}`;
    return { call, why, caution: cautionOf(plan, isSolved), rule: plan.rule(options), bytes: plan.bytes }; // prettier-ignore
  });
  return { drafts, ruledOut, none };
}

const WHY: Readonly<Record<Plan["kind"], string>> = {
  exact: "the inner solution is unique and this is the exact derivative of the steps towards it",
  implicit: "the inner solution is unique, curved everywhere, and the steps reach it",
  biased: "nothing exact fits, and the last steps matter most",
};

function cautionOf({ kind, call }: Plan, isSolved: boolean): string {
  if (kind === "implicit") {
    return "Wrong where other hyperparameters leave the inner problem unsolved or singular; its report says so.";
  }
  const after = isSolved
    ? ""
    : " The steps do not solve the inner problem: it is their derivative, not the solution's; make more of them.";
  if (kind === "biased") return `Biased, by what the first steps still matter.${after}`;
  const pooling = call.startsWith("forward")
    ? " An objective with lax.reduceWindow cannot be batched over the hyperparameters."
    : "";
  return `Wrong where other hyperparameters make the steps diverge.${pooling}${after}`;
}

/** Iterations that lower conjugate gradients' error to 1e-6 by the condition number's bound, or that end it. */
function solverSteps({ atAnswer, weights }: MeasuredProblem): number {
  const kappa = atAnswer.largest / atAnswer.smallest;
  return Math.max(1, Math.min(weights, Math.ceil((Math.sqrt(kappa) / 2) * Math.log(2e6))));
}

function forMany(
  measured: MeasuredProblem,
  { steps, dynamics, projection, hasInit }: AdviseContext,
  innerSolutions: "flat" | "several",
  isSolved: boolean,
): { drafts: Draft[]; ruledOut: RuledOut[] } {
  const isConvex = innerSolutions === "flat";
  const why = isConvex
    ? "the inner objective is flat along a direction: there its answer is wherever it starts."
    : "there are several inner solutions, or none with positive curvature: its answer depends on the start.";
  const ruledOut = ["reverse", "forward", "truncated", "implicit"].map((factory) => ({
    factory,
    why,
  }));
  const project = projection ? { projection } : {};
  const aggregated = ["", ', checkpoints: "sqrt"'].map((option): Draft => {
    const checkpoints = option === "" ? {} : { checkpoints: "sqrt" as const };
    return {
      call: `bda({ steps: ${steps}${option} })`,
      why: "the outer objective takes part in the steps and decides along the flat directions.",
      caution:
        "Wrong where the inner objective is not convex; the distance to the leader's choice falls slowly with the steps.",
      rule: bda({ steps, dynamics, ...project, ...checkpoints }),
    };
  });
  const auxiliary: Draft = {
    call: `iaptt({ steps: ${steps}, auxiliary: gradientDescent({ learningRate: 0.1 }) })`,
    why: "the leader moves the follower's start as well, and with it the solution that is reached.",
    caution: isSolved
      ? "The steps solve the inner problem, so that the start hardly matters and local answers hold it; start warm."
      : "Start warm: a cold start never moves; the learning rate of its start is a guess.",
    rule: iaptt({
      steps,
      dynamics,
      auxiliary: gradientDescent({ learningRate: 0.1 }),
      ...project,
    }),
  };
  const { largest, smallest } = measured.anywhere;
  const rate = Number((0.5 / Math.max(largest, -smallest, Number.EPSILON)).toPrecision(2));
  const valueSteps = Math.min(steps, 25);
  const penalty: Draft = {
    call: `valuePenalty({ penalty: linearRamp({ from: 1, to: 50, steps: 2000 }), steps: 1, valueSteps: ${valueSteps}, learningRate: ${rate} })`,
    why: "it differentiates through no inner step: the gap to the inner minimum is a penalty.",
    caution:
      "Biased by O(1/penalty); it finds the best answer near the solution where it starts, not the best of all. Start warm.",
    rule: valuePenalty({
      penalty: linearRamp({ from: 1, to: 50, steps: 2000 }),
      steps: 1,
      valueSteps,
      learningRate: rate,
    }),
  };
  const proximal = 1 + 2 * Math.max(0, -smallest);
  const envelope: Draft = {
    call: `moreauEnvelope({ learningRate: ${rate}, proximalWeight: ${Number(proximal.toPrecision(3))} })`,
    why: "one cheap step of each variable at a time, for inner objectives that are weakly convex.",
    caution: "Biased by O(1/penalty), and slow: it needs many outer steps. Start warm.",
    rule: moreauEnvelope({
      learningRate: rate,
      proximalWeight: Number(proximal.toPrecision(3)),
    }),
  };
  // Neither of the penalty rules takes a projection, and only aggregation an init.
  const penalties = projection || hasInit ? [] : [penalty, envelope];
  const starts = hasInit ? [] : [auxiliary];
  if (isConvex) return { drafts: [...aggregated, ...penalties], ruledOut };
  ruledOut.push({ factory: "bda", why: "it assumes a convex inner objective." });
  return { drafts: isSolved ? [...penalties, ...starts] : [...starts, ...penalties], ruledOut };
}

function describe(
  measured: MeasuredProblem,
  innerSolutions: InnerSolutions,
  isSolved: boolean,
  steps: number,
): string {
  if (measured.diverges) return `The follower diverges in ${steps} steps.`;
  const { smallest, largest } = measured.atAnswer;
  const curvature = `curvature from ${smallest.toPrecision(2)} to ${largest.toPrecision(2)}`;
  const bound = measured.atAnswer.isExhausted ? "" : "; the least may be smaller still";
  const solutions: Record<InnerSolutions, string> = {
    unique: `The inner solution is unique as far as ${measured.starts} starts show (${curvature}${bound})`,
    flat: measured.atAnswer.isExhausted
      ? `The inner objective has a flat direction (${curvature}), so that its solution is not unique`
      : `The inner objective has directions that are flat, or so nearly that the starts end apart (${curvature}${bound})`,
    several: `The inner objective is not convex and has several solutions or none that is certain (${curvature} where the follower went, ${measured.anywhere.smallest.toPrecision(2)} at the least)`,
  };
  const left = percent(measured.relativeGradientNorm);
  const solved = isSolved
    ? `${steps} steps solve it (${left} of the gradient is left)`
    : `${steps} steps do not solve it (${left} of the gradient is left)`;
  return `${solutions[innerSolutions]}; ${solved}.`;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toPrecision(2)}%`;
}
