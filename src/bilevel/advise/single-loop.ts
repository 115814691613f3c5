/**
 * Rules whose answer goes on from one outer step to the next, for a strongly convex inner objective: with all the data at
 * once, and on minibatches.
 */
import type { AdviseContext, Considered, Draft } from "./draft.ts";
import { flatnessOf } from "./judgement.ts";
import type { MeasuredProblem } from "./measure.ts";
import { powerLaw } from "../optimizers/power-law.ts";
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

function scaleOf({ anywhere, atAnswer, noise, finiteSum }: MeasuredProblem): Scale {
  const onBatches = noise?.largestCurvature ?? finiteSum?.largestCurvature ?? 0;
  return {
    smallest: atAnswer.smallest,
    largest: Math.max(anywhere.largest, onBatches),
    isFalling: noise !== undefined,
  };
}

/** A rate and how it is written. */
interface Written {
  readonly value: Rate;
  readonly text: string;
}

function written(initial: number, power?: string): Written {
  const rounded = Number(initial.toPrecision(2));
  if (power === undefined) return { value: rounded, text: String(rounded) };
  const [above, below] = power.split("/").map(Number);
  return {
    value: powerLaw({ initial: rounded, power: above! / below! }),
    text: `powerLaw({ initial: ${rounded}, power: ${power.replace("/", " / ")} })`,
  };
}

const WARM =
  "Start warm, and let the leader move slowly: it is right only once the answer has caught up.";

function draftSoba({ largest, isFalling }: Scale, { noise }: MeasuredProblem): Draft {
  const rate = written(0.5 / largest, isFalling ? "-1/2" : undefined);
  return {
    call: `soba({ learningRate: ${rate.text} })`,
    why: noise
      ? "its directions are unbiased on every minibatch, and rates that fall average their noise away."
      : "one step of the answer and one of the linear system, which go on from one outer step to the next.",
    caution: noise
      ? `${WARM} Let the leader's rate fall alike.`
      : `${WARM} A step on all the data costs as much as its gradient; minibatches make it cheaper.`,
    rule: soba({ learningRate: rate.value }),
  };
}

function draftAmigo({ largest, isFalling }: Scale, { noise }: MeasuredProblem): Draft {
  const rate = written(0.5 / largest, isFalling ? "-1/2" : undefined);
  return {
    call: `amigo({ steps: 10, learningRate: ${rate.text} })`,
    why: "ten steps of the answer and ten of the linear system keep both close to their solutions from one outer step to the next.",
    caution: noise?.inner
      ? `${WARM} Each of its steps can have its own inner minibatch, with perStep: 20.`
      : WARM,
    rule: amigo({ steps: 10, learningRate: rate.value }),
  };
}

function draftSaba({ largest }: Scale, { fixed }: AdviseContext): Considered {
  if (!fixed || fixed.inner * fixed.outer === 1) {
    const why = "its tables need a finite set of batches: draw them with fixedBatches.";
    return { drafts: [], ruledOut: [{ factory: "saba", why }] };
  }
  // A third of 1/L, as for SAGA.
  const rate = written(0.3 / largest);
  const { inner, outer } = fixed;
  const draft = {
    call: `saba({ learningRate: ${rate.text}, batches: { inner: ${inner}, outer: ${outer} } })`,
    why: `the data are a finite sum of ${inner} inner and ${outer} outer batches: tables of what each contributed average the noise away, at constant rates.`,
    caution: `${WARM} The tables grow with the number of batches and are empty at first.`,
    rule: saba({ learningRate: rate.value, batches: fixed }),
  };
  return { drafts: [draft], ruledOut: [] };
}

const NO_SUM =
  "it draws its own batches: give all the data as plain arrays, over whose examples both objectives are means.";

function draftSrba({ largest }: Scale, { finiteSum }: MeasuredProblem): Considered {
  if (!finiteSum) return { drafts: [], ruledOut: [{ factory: "srba", why: NO_SUM }] };
  const rate = written(0.3 / largest);
  const { size, count } = finiteSum;
  const period = count.inner;
  const draft = {
    call: `srba({ learningRate: ${rate.text}, size: { inner: ${size.inner}, outer: ${size.outer} }, period: ${period} })`,
    why: `both objectives are means over examples: a step sees one of ${count.inner} batches, and corrects what all the data said every ${period} steps.`,
    caution: WARM,
    rule: srba({ learningRate: rate.value, size, period }),
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
  const rate = written(0.3 / largest);
  const { size, count } = finiteSum;
  const [period, steps] = [count.inner, 3];
  const draft = {
    call: `vrbo({ steps: ${steps}, products: ${products}, learningRate: ${rate.text}, seriesStep: ${seriesStep}, size: { inner: ${size.inner}, outer: ${size.outer} }, period: ${period} })`,
    why: `both objectives are means over examples: ${steps} steps of the answer, each of which corrects the leader's direction too.`,
    caution: `${bias} ${WARM}`,
    rule: vrbo({ steps, products, learningRate: rate.value, seriesStep, size, period }),
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
  const rate = written(0.5 / largest, isFalling ? "-1/3" : undefined);
  const momentum = isFalling ? written(0.9, "-2/3") : written(0.5);
  const constant = written(0.5 / largest, isFalling ? "-1/2" : undefined);
  const products = terms - 1;
  const recycled = `learningRate: ${rate.text}, seriesStep: ${step}, momentum: ${momentum.text}`;
  const storm = { learningRate: rate.value, seriesStep: step, momentum: momentum.value };
  const bias = `Biased by the terms beyond the first ${terms}, 1 % where the curvature is least.`;
  const perStep = (n: number): string =>
    noise?.inner ? ` Each product can have its own inner minibatch, with perStep: ${n}.` : "";
  const drafts = [
    {
      call: `mrbo({ products: ${products}, ${recycled} })`,
      why: "the directions of answer and leader are corrected from one outer step to the next, which lowers the noise of minibatches.",
      caution: `${bias} ${WARM}${perStep(terms)}`,
      rule: mrbo({ products, ...storm }),
    },
    {
      call: `stocBio({ steps: 10, products: ${products}, learningRate: ${constant.text}, seriesStep: ${step} })`,
      why: "a fresh series in each outer step: only the answer has to catch up.",
      caution: `${bias} ${WARM}${perStep(10 + products)}`,
      rule: stocBio({ steps: 10, products, learningRate: constant.value, seriesStep: step }),
    },
    {
      call: `sustain({ terms: ${terms}, ${recycled} })`,
      why: "directions corrected from one outer step to the next, with one random term of the series in the place of its sum.",
      caution: `${bias} Its variance grows with the ${terms} terms. ${WARM}${perStep(terms)}`,
      rule: sustain({ terms, ...storm }),
    },
  ];
  const corrected = draftVrbo(scale, measured, { products, seriesStep: step, bias });
  return { drafts: [...corrected.drafts, ...drafts], ruledOut: corrected.ruledOut };
}

function draftF2sa({ smallest, largest }: Scale, { outerAtAnswer, noise }: MeasuredProblem): Draft {
  const outer = Math.max(0, outerAtAnswer.largest);
  const multiplier = Number(Math.min(1000, 100 * Math.max(1, outer / smallest)).toPrecision(2));
  const ofValue = written(0.5 / largest);
  const ofAnswer = written(0.5 / (largest * multiplier + outer));
  const noisy = noise ? " The noise of minibatches grows with the multiplier." : "";
  return {
    call: `f2sa({ steps: 10, learningRate: ${ofAnswer.text}, valueLearningRate: ${ofValue.text}, multiplier: ${multiplier}, increment: 0 })`,
    why: "first derivatives alone: the difference of two gradients stands for all products.",
    caution: `Biased by O(1/multiplier).${noisy} ${WARM}`,
    rule: f2sa({
      steps: 10,
      learningRate: ofAnswer.value,
      valueLearningRate: ofValue.value,
      multiplier,
      increment: 0,
    }),
  };
}
