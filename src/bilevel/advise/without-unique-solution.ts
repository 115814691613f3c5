/** Rules for an inner problem with flat directions, several solutions, or none that is certain. */
import { percent, type AdviseContext, type Considered, type Draft } from "./draft.ts";
import { flatnessOf, noiseFloor } from "./judgement.ts";
import type { Curvature } from "./curvature.ts";
import type { MeasuredProblem } from "./measure.ts";
import { gradientDescent } from "../optimizers/gradient-descent.ts";
import { linearRamp } from "../optimizers/linear-ramp.ts";
import { call, ruleCall } from "../rule-call.ts";
import { bda } from "../rules/without-unique-solution/bda.ts";
import { iaptt } from "../rules/without-unique-solution/iaptt.ts";
import { moreauEnvelope } from "../rules/without-unique-solution/moreau-envelope.ts";
import { slBamm } from "../rules/stochastic/sl-bamm.ts";
import { valuePenalty } from "../rules/without-unique-solution/value-penalty.ts";

/** Best first. */
export function forMany(
  measured: MeasuredProblem,
  context: AdviseContext,
  innerSolutions: "flat" | "several",
  isSolved: boolean,
): Considered {
  const { steps, dynamics, projection, hasInit, isNoisy } = context;
  const isConvex = innerSolutions === "flat";
  const why = isConvex
    ? "the inner objective is flat along a direction: there its response is wherever it starts."
    : "there are several inner solutions, or none with positive curvature: its response depends on the start.";
  const ruledOut = ["reverse", "forward", "truncated", "implicit"].map((factory) => ({
    factory,
    why,
  }));
  const aggregated = ([undefined, "sqrt"] as const).map((checkpoints): Draft => ({
    call: ruleCall({ bda }, { steps, checkpoints }),
    given: { dynamics, projection },
    why: "the outer objective takes part in the steps and decides along the flat directions.",
    caution:
      "Wrong where the inner objective is not convex; the distance to the leader's choice falls slowly with the steps.",
  }));
  // Neither of the penalty rules takes a projection, and only aggregation an init.
  const isFree = !projection && !hasInit;
  const penalties = isFree ? [draftValuePenalty(measured, steps), draftEnvelope(measured)] : [];
  const averaged = isFree && isOuterCurved(measured) ? [draftSlBamm(measured)] : [];
  const noisy = ({ caution, ...draft }: Draft): Draft => ({
    ...draft,
    caution: isNoisy
      ? `${caution} Made for gradients on all the data: minibatches hold the inner gradient at ${percent(noiseFloor(measured))} of its start; make them larger.`
      : caution,
  });
  if (isConvex) {
    return { drafts: [...aggregated, ...penalties, ...averaged].map(noisy), ruledOut };
  }
  for (const factory of ["bda", "slBamm"]) {
    ruledOut.push({ factory, why: "it assumes a convex inner objective." });
  }
  if (isSolved) {
    const why = `the ${steps} steps solve the inner problem, so that moving their start changes nothing near a solution: it stays at the one where it begins.`;
    ruledOut.push({ factory: "iaptt", why });
    const none =
      "No rule is left for several solutions with a projection or an init; fewer or smaller steps, which do not solve the inner problem, leave iaptt.";
    return { drafts: penalties.map(noisy), ruledOut, none };
  }
  const starts = hasInit ? [] : [draftIaptt(context)];
  return { drafts: [...starts, ...penalties].map(noisy), ruledOut };
}

function draftIaptt({ steps, dynamics, projection }: AdviseContext): Draft {
  return {
    call: ruleCall(
      { iaptt },
      { steps, auxiliary: call({ gradientDescent }, { learningRate: 0.1 }) },
    ),
    given: { dynamics, projection },
    why: "the leader moves the follower's start as well, and with it the solution that is reached.",
    caution: "Start warm: a cold start never moves; the learning rate of its start is a guess.",
  };
}

/** The weight of a penalty. */
const growing = call({ linearRamp }, { from: 1, to: 50, steps: 2000 });

/** γ·L + E, its steps divided by 1 + γ, is nowhere more curved than the more curved of the two. */
function draftValuePenalty(measured: MeasuredProblem, steps: number): Draft {
  const { inner, outer } = scaleOf(measured);
  return {
    call: ruleCall(
      { valuePenalty },
      {
        penalty: growing,
        steps: 1,
        valueSteps: Math.min(steps, 25),
        learningRate: rounded(0.5 / Math.max(inner, outer)),
        valueLearningRate: rounded(0.5 / inner),
      },
    ),
    why: "it differentiates through no inner step: the gap to the inner minimum is a penalty.",
    caution:
      "Biased by O(1/penalty); it finds the best response near the solution where it starts, not the best of all. Start warm.",
  };
}

/** The response's steps are on E/c + L with c = 1 at first, those of θ on L + ½γ‖θ − y‖². */
function draftEnvelope(measured: MeasuredProblem): Draft {
  const { inner, outer } = scaleOf(measured);
  const proximalWeight = rounded(1 + 2 * Math.max(0, -measured.anywhere.smallest));
  return {
    call: ruleCall(
      { moreauEnvelope },
      {
        penalty: growing,
        learningRate: rounded(0.5 / (outer + inner)),
        proximalLearningRate: rounded(0.5 / (inner + proximalWeight)),
        proximalWeight,
      },
    ),
    why: "one cheap step of each variable at a time, for inner objectives that are weakly convex.",
    caution: "Biased by O(1/penalty), and slow: it needs many outer steps. Start warm.",
  };
}

function draftSlBamm(measured: MeasuredProblem): Draft {
  const { inner, outer } = scaleOf(measured);
  const rate = rounded(0.5 / Math.max(inner, outer));
  return {
    call: ruleCall({ slBamm }, { learningRate: rate, auxiliaryLearningRate: rate }),
    why: "the outer objective is curved in the weights, and a share of it makes the inner one curved too.",
    caution:
      "Wrong where the outer objective is not strongly convex in the weights. Start warm, with slBammLeaderRate for the leader: right only after many outer steps.",
  };
}

/** The most that each objective curves, up or down. */
function scaleOf({ anywhere, outerAtResponse }: MeasuredProblem): { inner: number; outer: number } {
  const most = ({ smallest, largest }: Curvature): number => Math.max(largest, -smallest, 0);
  return { inner: Math.max(most(anywhere), Number.EPSILON), outer: most(outerAtResponse) };
}

function rounded(x: number): number {
  return Number(x.toPrecision(2));
}

/** Whether E is strongly convex in the weights where the follower went. */
function isOuterCurved(measured: MeasuredProblem): boolean {
  const { smallest, largest, isExhausted } = measured.outerAtResponse;
  return isExhausted && smallest > flatnessOf(measured) * largest;
}
