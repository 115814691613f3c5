/** Rules for an inner problem with a single solution: those that differentiate the steps towards it, and single-loop ones. */
import type { Plan, RuledOut } from "./types.ts";
import { percent, type AdviseContext, type Considered, type Draft } from "./draft.ts";
import { isWithin, noiseFloor, WELL_SOLVED } from "./judgement.ts";
import { singleLoop } from "./single-loop.ts";
import type { MeasuredProblem } from "./measure.ts";
import { planMemory } from "./plan.ts";
import type { Needs } from "../rule.ts";

/** Best first; single-loop rules lead where minibatches keep the follower from its solution. */
export function forUnique(
  measured: MeasuredProblem,
  context: AdviseContext,
  isSolved: boolean,
): Considered {
  const { steps, dynamics, projection, bytes, hasInit, isNoisy } = context;
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
  if (isNoisy) {
    const why = "the linear system of one minibatch is not that of all the data.";
    ruledOut.push({ factory: "implicit", why });
  } else if (!isSolved) {
    const why = `the ${steps} steps leave ${percent(measured.relativeGradientNorm)} of the inner gradient: they do not reach the solution that it differentiates.`;
    ruledOut.push({ factory: "implicit", why });
  } else if (projection) {
    const why =
      "at a projected response the inner gradient need not vanish; implicitKkt takes the constraints as functions.";
    ruledOut.push({ factory: "implicit", why });
  }
  if (hasInit) {
    ruledOut.push({ factory: "truncated", why: "it drops the derivative through init." });
  }
  const isAdmitted = (plan: Plan): boolean =>
    !ruledOut.some(({ factory }) => factory === plan.factory);
  const isWellSolved = isWithin(measured, WELL_SOLVED);
  const work = ({ cost }: Plan): number =>
    cost.innerGradients + 2 * (cost.hessianVectorProducts + cost.crossProducts);
  const early = (plan: Plan): boolean =>
    plan.kind === "exact" || (plan.kind === "implicit" && isWellSolved);
  // A schedule with as many slots as there are steps saves nothing beside keeping every state.
  const isWorth = (plan: Plan): boolean =>
    !ranking.some(
      (other) =>
        other.factory === plan.factory && other.bytes < plan.bytes && work(other) <= work(plan),
    );
  const admitted = ranking.filter((plan) => isAdmitted(plan) && isWorth(plan));
  const ordered = [
    ...admitted.filter(early).sort((a, b) => work(a) - work(b)),
    ...admitted.filter((plan) => !early(plan)),
  ];
  const drafts = ordered.map((plan): Draft => {
    const { factory, call: text, rule: make, sentence, bytes } = plan;
    const given = { dynamics, projection };
    const { needs } = make(given);
    const caution =
      cautionOf(plan, needs, isSolved) +
      ofWarmStart(needs, measured) +
      ofMinibatches(measured, context);
    const call = { factory, text, make: () => make(given) };
    return { call, why: `${WHY[plan.kind]}; ${sentence}`, caution, bytes };
  });
  const others = singleLoop(measured, context);
  return {
    drafts: isNoisy ? [...others.drafts, ...drafts] : [...drafts, ...others.drafts],
    ruledOut: [...ruledOut, ...others.ruledOut],
    none,
  };
}

const WHY: Readonly<Record<Plan["kind"], string>> = {
  exact: "the inner solution is unique and this is the exact derivative of the steps towards it",
  implicit: "the inner solution is unique, curved everywhere, and the steps reach it",
  biased: "nothing exact fits, and the last steps matter most",
};

function cautionOf({ kind }: Plan, needs: Needs, isSolved: boolean): string {
  if (kind === "implicit") {
    return "Wrong where other hyperparameters leave the inner problem unsolved or singular; its report says so.";
  }
  const after = isSolved
    ? ""
    : " The steps do not solve the inner problem: it is their derivative, not the solution's; make more of them.";
  if (kind === "biased") return `Biased, by what the first steps still matter.${after}`;
  const pooling = needs.batching
    ? " An objective with lax.reduceWindow cannot be batched over the hyperparameters."
    : "";
  return `Wrong where other hyperparameters make the steps diverge.${pooling}${after}`;
}

/** What a warm start hides, by the part of the inner gradient that the steps leave. */
function ofWarmStart(needs: Needs, { relativeGradientNorm: left }: MeasuredProblem): string {
  if (needs.warmBias === undefined || left <= 0.01) return "";
  return ` From a warm start, which is what solve does by itself, it is biased: it sees about ${percent(1 - Math.min(left, 1))} of the solution's derivative (as much as the steps remove of the inner gradient), so start cold, or make more steps.`;
}

/** What minibatches do to a rule that differentiates the follower's steps. */
function ofMinibatches(measured: MeasuredProblem, { steps, isNoisy }: AdviseContext): string {
  if (!measured.noise?.inner) return "";
  return isNoisy
    ? ` With a minibatch for each of the ${steps} steps (perStep: ${steps}) the follower never comes to rest: their noise holds the inner gradient at ${percent(noiseFloor(measured))} of its start, and this is the derivative of one noisy run; make the minibatches larger.`
    : ` Give each of the ${steps} steps its own minibatch, with perStep: ${steps}.`;
}

/** Iterations that lower conjugate gradients' error to 1e-6 by the condition number's bound, or that end it. */
function solverSteps({ atResponse, weights }: MeasuredProblem): number {
  const kappa = atResponse.largest / atResponse.smallest;
  return Math.max(1, Math.min(weights, Math.ceil((Math.sqrt(kappa) / 2) * Math.log(2e6))));
}
