/** Rules for an inner problem with flat directions, several solutions, or none that is certain. */
import { percent, type AdviseContext, type Considered, type Draft } from "./advise-draft.ts";
import { flatnessOf, noiseFloor } from "./advise-judgement.ts";
import type { MeasuredProblem } from "./measure.ts";
import { gradientDescent } from "./optimizers/gradient-descent.ts";
import { linearRamp } from "./optimizers/linear-ramp.ts";
import { bda } from "./rules/bda.ts";
import { iaptt } from "./rules/iaptt.ts";
import { moreauEnvelope } from "./rules/moreau-envelope.ts";
import { slBamm } from "./rules/sl-bamm.ts";
import { valuePenalty } from "./rules/value-penalty.ts";

/** Best first. */
export function forMany(
  measured: MeasuredProblem,
  { steps, dynamics, projection, hasInit, isNoisy }: AdviseContext,
  innerSolutions: "flat" | "several",
  isSolved: boolean,
): Considered {
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
  const averaged = isOuterCurved(measured) && penalties.length > 0 ? [average(rate)] : [];
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
  const drafts = isSolved ? [...penalties, ...starts] : [...starts, ...penalties];
  return { drafts: drafts.map(noisy), ruledOut };
}

/** Whether E is strongly convex in the weights where the follower went. */
function isOuterCurved(measured: MeasuredProblem): boolean {
  const { smallest, largest, isExhausted } = measured.outerAtAnswer;
  return isExhausted && smallest > flatnessOf(measured) * largest;
}

function average(rate: number): Draft {
  return {
    call: `slBamm({ learningRate: ${rate} })`,
    why: "the outer objective is curved in the weights, and a share of it makes the inner one curved too.",
    caution:
      "Wrong where the outer objective is not strongly convex in the weights. Start warm, with slBammLeaderRate for the leader: right only after many outer steps.",
    rule: slBamm({ learningRate: rate }),
  };
}
