/**
 * Rules whose response goes on from one outer step to the next, for a strongly convex inner objective: with all the data at
 * once, and on minibatches.
 */
import type { AdviseContext, Considered, Draft } from "./draft.ts";
import { flatnessOf } from "./judgement.ts";
import type { MeasuredProblem } from "./measure.ts";
import { powerLaw } from "../optimizers/power-law.ts";
import { call, quotient, ruleCall, type Expression } from "../rule-call.ts";
import { amigo } from "../rules/stochastic/amigo.ts";
import { f2sa } from "../rules/stochastic/f2sa.ts";
import type { Rate } from "../estimate/levels.ts";
import { mrbo } from "../rules/stochastic/mrbo.ts";
import { saba } from "../rules/stochastic/saba.ts";
import { soba } from "../rules/stochastic/soba.ts";
import { srba } from "../rules/stochastic/srba.ts";
import { stocBio } from "../rules/stochastic/stocbio.ts";
import { sustain } from "../rules/stochastic/sustain.ts";
import { vrbo } from "../rules/stochastic/vrbo.ts";

/** The rules that the measurements admit, best first: those without a lasting bias before those with one. */
export function singleLoop(measured: MeasuredProblem, context: AdviseContext): Considered {
  const { isStochastic } = context;
  const names = isStochastic
    ? ["saba", "srba", "soba", "amigo", "vrbo", "mrbo", "stocBio", "sustain", "f2sa"]
    : ["soba", "amigo", "f2sa"];
  const why = obstacle(measured, context);
  if (why !== undefined)
    return { drafts: [], ruledOut: names.map((factory) => ({ factory, why })) };
  const scale = scaleOf(measured);
  const single = [draftSoba(scale, measured), draftAmigo(scale, measured)];
  const first = draftF2sa(scale, measured);
  if (!isStochastic) return { drafts: [...single, first], ruledOut: [] };
  const tables = draftSaba(scale, context);
  const corrected = draftSrba(scale, measured);
  const series = seriesRules(scale, measured);
  return {
    drafts: [...tables.drafts, ...corrected.drafts, ...single, ...series.drafts, first],
    ruledOut: [...tables.ruledOut, ...corrected.ruledOut, ...series.ruledOut],
  };
}

/** Why none of them can be had. */
function obstacle(
  measured: MeasuredProblem,
  { projection, hasInit }: AdviseContext,
): string | undefined {
  const { smallest, largest } = measured.anywhere;
  if (smallest < -flatnessOf(measured) * Math.max(largest, -smallest)) {
    return `it assumes a strongly convex inner objective, whose curvature is ${smallest.toPrecision(2)} somewhere.`;
  }
  if (projection) return "it takes no projection.";
  if (hasInit) return "it does not differentiate through init.";
  return undefined;
}

/** What sets the rates: no curvature of L exceeds `largest`, none where the follower went is below `smallest`. */
interface Scale {
  readonly smallest: number;
  readonly largest: number;
  /** Rates fall where minibatches are noisy. */
  readonly isFalling: boolean;
}

function scaleOf({ anywhere, atResponse, noise, finiteSum }: MeasuredProblem): Scale {
  const onBatches = noise?.largestCurvature ?? finiteSum?.largestCurvature ?? 0;
  return {
    smallest: atResponse.smallest,
    largest: Math.max(anywhere.largest, onBatches),
    isFalling: noise !== undefined,
  };
}

/** Two digits of a rate; one that falls where a power is given. */
function rateOf(initial: number, power?: Expression<number>): number | Expression<Rate> {
  const rounded = Number(initial.toPrecision(2));
  return power === undefined ? rounded : call({ powerLaw }, { initial: rounded, power });
}

const WARM =
  "Start warm, and let the leader move slowly: it is right only once the response has caught up.";

function draftSoba({ largest, isFalling }: Scale, { noise }: MeasuredProblem): Draft {
  const learningRate = rateOf(0.5 / largest, isFalling ? quotient(-1, 2) : undefined);
  return {
    call: ruleCall({ soba }, { learningRate }),
    why: noise
      ? "its directions are unbiased on every minibatch, and rates that fall average their noise away."
      : "one step of the response and one of the linear system, which go on from one outer step to the next.",
    caution: noise
      ? `${WARM} Let the leader's rate fall alike.`
      : `${WARM} A step on all the data costs as much as its gradient; minibatches make it cheaper.`,
  };
}

function draftAmigo({ largest, isFalling }: Scale, { noise }: MeasuredProblem): Draft {
  const learningRate = rateOf(0.5 / largest, isFalling ? quotient(-1, 2) : undefined);
  return {
    call: ruleCall({ amigo }, { steps: 10, learningRate }),
    why: "ten steps of the response and ten of the linear system keep both close to their solutions from one outer step to the next.",
    caution: noise?.inner
      ? `${WARM} Each of its steps can have its own inner minibatch, with perStep: 20.`
      : WARM,
  };
}

function draftSaba({ largest }: Scale, { fixed }: AdviseContext): Considered {
  if (!fixed || fixed.inner * fixed.outer === 1) {
    const why = "its tables need a finite set of batches: draw them with fixedBatches.";
    return { drafts: [], ruledOut: [{ factory: "saba", why }] };
  }
  // A third of 1/L, as for SAGA.
  const learningRate = rateOf(0.3 / largest);
  const { inner, outer } = fixed;
  const draft = {
    call: ruleCall({ saba }, { learningRate, batches: { inner, outer } }),
    why: `the data are a finite sum of ${inner} inner and ${outer} outer batches: tables of what each contributed average the noise away, at constant rates.`,
    caution: `${WARM} The tables grow with the number of batches and are empty at first.`,
  };
  return { drafts: [draft], ruledOut: [] };
}

const NO_SUM =
  "it draws its own batches: give all the data as plain arrays, over whose examples both objectives are means.";

function draftSrba({ largest }: Scale, { finiteSum }: MeasuredProblem): Considered {
  if (!finiteSum) return { drafts: [], ruledOut: [{ factory: "srba", why: NO_SUM }] };
  const learningRate = rateOf(0.3 / largest);
  const { size, count } = finiteSum;
  const period = count.inner;
  const draft = {
    call: ruleCall({ srba }, { learningRate, size, period }),
    why: `both objectives are means over examples: a step sees one of ${count.inner} batches, and corrects what all the data said every ${period} steps.`,
    caution: WARM,
    // Two evaluations on a batch in each step, one on all the data in a period.
    share: 1 / Math.min(count.inner, count.outer) + 1 / (2 * period),
  };
  return { drafts: [draft], ruledOut: [] };
}

function draftVrbo(
  { largest }: Scale,
  { finiteSum }: MeasuredProblem,
  series: { readonly products: number; readonly seriesStep: number; readonly bias: string },
): Considered {
  if (!finiteSum) return { drafts: [], ruledOut: [{ factory: "vrbo", why: NO_SUM }] };
  const { products, seriesStep, bias } = series;
  const learningRate = rateOf(0.3 / largest);
  const { size, count } = finiteSum;
  const [period, steps] = [count.inner, 3];
  const draft = {
    call: ruleCall({ vrbo }, { steps, products, learningRate, seriesStep, size, period }),
    why: `both objectives are means over examples: ${steps} steps of the response, each of which corrects the leader's direction too.`,
    caution: `${bias} ${WARM}`,
    // Of its steps + 1 corrections, two evaluations each, half a one is on all the data once in a period.
    share: 1 / Math.min(count.inner, count.outer) + 1 / (2 * (steps + 1) * period),
  };
  return { drafts: [draft], ruledOut: [] };
}

/** Rules that cut the inverse Hessian's series, as long as a hundred terms bring it within 1 %. */
function seriesRules(scale: Scale, measured: MeasuredProblem): Considered {
  const { smallest, largest, isFalling } = scale;
  const { noise } = measured;
  const step = Number((0.9 / largest).toPrecision(2));
  const terms = Math.max(2, Math.ceil(Math.log(0.01) / Math.log1p(-step * smallest)));
  if (!(terms <= 100)) {
    const why = `it cuts a series that needs ${terms} terms here to come within 1 %.`;
    return {
      drafts: [],
      ruledOut: ["vrbo", "mrbo", "stocBio", "sustain"].map((factory) => ({ factory, why })),
    };
  }
  const learningRate = rateOf(0.5 / largest, isFalling ? quotient(-1, 3) : undefined);
  const momentum = isFalling ? rateOf(0.9, quotient(-2, 3)) : rateOf(0.5);
  const ofStocBio = rateOf(0.5 / largest, isFalling ? quotient(-1, 2) : undefined);
  const products = terms - 1;
  const recycled = { learningRate, seriesStep: step, momentum };
  const bias = `Biased by the terms beyond the first ${terms}, 1 % where the curvature is least.`;
  const perStep = (n: number): string =>
    noise?.inner ? ` Each product can have its own inner minibatch, with perStep: ${n}.` : "";
  const drafts = [
    {
      call: ruleCall({ mrbo }, { products, ...recycled }),
      why: "the directions of response and leader are corrected from one outer step to the next, which lowers the noise of minibatches.",
      caution: `${bias} ${WARM}${perStep(terms)}`,
    },
    {
      call: ruleCall(
        { stocBio },
        { steps: 10, products, learningRate: ofStocBio, seriesStep: step },
      ),
      why: "a fresh series in each outer step: only the response has to catch up.",
      caution: `${bias} ${WARM}${perStep(10 + products)}`,
    },
    {
      call: ruleCall({ sustain }, { terms, ...recycled }),
      why: "directions corrected from one outer step to the next, with one random term of the series in the place of its sum.",
      caution: `${bias} Its variance grows with the ${terms} terms. ${WARM}${perStep(terms)}`,
    },
  ];
  const corrected = draftVrbo(scale, measured, { products, seriesStep: step, bias });
  return { drafts: [...corrected.drafts, ...drafts], ruledOut: corrected.ruledOut };
}

function draftF2sa(
  { smallest, largest }: Scale,
  { outerAtResponse, noise }: MeasuredProblem,
): Draft {
  const outer = Math.max(0, outerAtResponse.largest);
  const multiplier = Number(Math.min(1000, 100 * Math.max(1, outer / smallest)).toPrecision(2));
  const valueLearningRate = rateOf(0.5 / largest);
  const learningRate = rateOf(0.5 / (largest * multiplier + outer));
  const noisy = noise ? " The noise of minibatches grows with the multiplier." : "";
  return {
    call: ruleCall(
      { f2sa },
      { steps: 10, learningRate, valueLearningRate, multiplier, increment: 0 },
    ),
    why: "first derivatives alone: the difference of two gradients stands for all products.",
    caution: `Biased by O(1/multiplier).${noisy} ${WARM}`,
  };
}
