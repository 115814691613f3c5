/**
 * Which rules of the catalog can tune a table, each with options made for it, and why the others cannot. The follower is
 * strongly convex with one answer, sees all rows at every step, and has tens of outer steps.
 */
import { conjugateGradient } from "../../../linear/index.ts";
import { ruleCatalog } from "../../../bilevel/rules/catalog.ts";
import type { Dynamics } from "../../../bilevel/dynamics.ts";
import { gradientDescent } from "../../../bilevel/optimizers/gradient-descent.ts";
import type { Rule } from "../../../bilevel/rule.ts";
import { amigo } from "../../../bilevel/rules/stochastic/amigo.ts";
import { bda } from "../../../bilevel/rules/without-unique-solution/bda.ts";
import { darts, type DartsOptions } from "../../../bilevel/rules/explicit/darts.ts";
import { f2sa } from "../../../bilevel/rules/stochastic/f2sa.ts";
import { forward } from "../../../bilevel/rules/explicit/forward.ts";
import { fsla } from "../../../bilevel/rules/stochastic/fsla.ts";
import { implicit } from "../../../bilevel/rules/implicit/implicit.ts";
import { mrbo } from "../../../bilevel/rules/stochastic/mrbo.ts";
import { oneStage } from "../../../bilevel/rules/explicit/one-stage.ts";
import { pzobo } from "../../../bilevel/rules/stochastic/pzobo.ts";
import { realTime } from "../../../bilevel/rules/explicit/real-time.ts";
import { reverse } from "../../../bilevel/rules/explicit/reverse.ts";
import { soba } from "../../../bilevel/rules/stochastic/soba.ts";
import { stocBio } from "../../../bilevel/rules/stochastic/stocbio.ts";
import { sustain } from "../../../bilevel/rules/stochastic/sustain.ts";
import { truncated } from "../../../bilevel/rules/explicit/truncated.ts";
import { ttsa } from "../../../bilevel/rules/stochastic/ttsa.ts";
import {
  valuePenalty,
  type ValuePenaltyOptions,
} from "../../../bilevel/rules/without-unique-solution/value-penalty.ts";
import { autoRule } from "../search-record.ts";
import { closestNames, quote } from "../../../data/words.ts";

/** What a rule's options are made of. */
export interface RuleSizes {
  /** Steps of the problem's own dynamics, from `innerStepsFor`. */
  readonly steps: number;
  readonly dynamics: Dynamics;
  /** Plain gradient steps, from `gradientStepsFor`. */
  readonly gradientSteps: number;
  /** Of a plain gradient step: one over the largest curvature in scaled coordinates. */
  readonly learningRate: number;
}

/** How a rule of the catalog tunes a table. */
export interface TuneRule {
  /** "own": over the weights, with the problem's dynamics. "scaled": over scaled weights, with plain gradient steps. */
  readonly coordinates: "own" | "scaled";
  /** The rule, and the call as one would write it without the dynamics. */
  make(sizes: RuleSizes): { readonly call: string; readonly rule: Rule };
}

/** The rules that apply, by their names in the catalog. */
export const tuneRules: Readonly<Record<string, TuneRule>> = {
  reverse: unrolled("reverse", reverse),
  forward: unrolled("forward", forward),
  realTime: unrolled("realTime", realTime),
  truncated: {
    coordinates: "own",
    make: ({ steps, dynamics }) => {
      const options = { steps, keep: Math.ceil(steps / 5) };
      return {
        call: written("truncated", options),
        rule: truncated({ ...options, dynamics }),
      };
    },
  },
  oneStage: unrolled("oneStage", oneStage),
  darts: scaled<DartsOptions>("darts", darts, ({ learningRate }) => ({
    learningRate,
    order: 2,
  })),
  implicit: {
    coordinates: "own",
    make: ({ steps, dynamics }) => {
      // In float32, badly conditioned systems take more steps than there are weights, and leave some 1e-4.
      const solver = { maxSteps: 100, rtol: 1e-4 };
      return {
        call: `implicit({ steps: ${steps}, solver: ${written("conjugateGradient", solver)} })`,
        rule: implicit({ steps, dynamics, solver: conjugateGradient(solver) }),
      };
    },
  },
  bda: {
    coordinates: "scaled",
    make: ({ gradientSteps: steps, learningRate }) => ({
      call: `bda({ steps: ${steps}, dynamics: gradientDescent({ learningRate: ${learningRate} }) })`,
      rule: bda({ steps, dynamics: gradientDescent({ learningRate }) }),
    }),
  },
  // 50: its answer then lies about 2 % of the way from the inner solution to the minimum of E.
  valuePenalty: scaled<ValuePenaltyOptions>(
    "valuePenalty",
    valuePenalty,
    ({ gradientSteps, learningRate }) => ({
      penalty: 50,
      steps: gradientSteps,
      learningRate,
      valueStart: "warm",
    }),
  ),
  // The answer's steps meet the curvature of E + 10·L: the other half of 20 is left for that of E.
  f2sa: scaled("f2sa", f2sa, ({ gradientSteps, learningRate }) => ({
    steps: gradientSteps,
    learningRate: Number((learningRate / 20).toPrecision(3)),
    valueLearningRate: learningRate,
    multiplier: 10,
    increment: 0,
  })),
  soba: scaled("soba", soba, ({ learningRate }) => ({ learningRate })),
  fsla: scaled("fsla", fsla, ({ learningRate }) => ({ learningRate })),
  amigo: scaled("amigo", amigo, ({ gradientSteps, learningRate }) => ({
    steps: gradientSteps,
    learningRate,
  })),
  stocBio: scaled("stocBio", stocBio, ({ gradientSteps, learningRate }) => ({
    steps: gradientSteps,
    products: gradientSteps,
    learningRate,
  })),
  ttsa: scaled("ttsa", ttsa, ({ gradientSteps, learningRate }) => ({
    steps: gradientSteps,
    terms: gradientSteps,
    learningRate,
  })),
  pzobo: unrolled("pzobo", pzobo),
  // The gradients have no noise to average away, so that hardly anything is recycled.
  mrbo: scaled("mrbo", mrbo, ({ learningRate }) => ({ learningRate, momentum: 0.9 })),
  sustain: scaled("sustain", sustain, ({ learningRate }) => ({ learningRate, momentum: 0.9 })),
};

/** Why each of the others does not apply; the end of "<name> does not apply: …". */
export const inapplicableRules: Readonly<Record<string, string>> = {
  implicitKkt: "it is for followers under constraints, and this one has none",
  iaptt:
    "it moves the follower's start, which decides nothing where the inner solution is unique as here",
  gradientPenalty:
    "columns that nearly repeat others make the inner Hessian nearly singular, where it stops at false stationary points",
  logBarrier: "its barrier has to fall over hundreds of outer steps, and a search has tens",
  bome: "its answer and its leader share one descent, which the search's Adam takes apart",
  moreauEnvelope: "its penalty has to grow over thousands of outer steps, and a search has tens",
  slBamm: "it needs an outer objective that is strongly convex in the weights, and this one is not",
  saba: "it averages the noise of minibatches away, and on all rows there is none: it is soba then",
  vrbo: "it corrects minibatches by passes over all rows, and here every step is one: it is stocBio then",
  srba: "it corrects minibatches by passes over all rows, and here every step is one: it is soba then",
};

/** Why `name` cannot be the rule, as a sentence without a full stop; `undefined` when it can. */
export function refusalOf(name: string): string | undefined {
  if (name === autoRule || Object.hasOwn(tuneRules, name)) return undefined;
  const names = [...Object.keys(tuneRules), autoRule];
  const all = `the rules that apply are ${names.join(", ")}`;
  const catalog = ruleCatalog.map(({ factory }) => factory);
  if (catalog.includes(name)) {
    const why = inapplicableRules[name] ?? "nothing is known of options for it that suit a table";
    return `${name} does not apply: ${why}; ${all}`;
  }
  const close = closestNames(name, [...catalog, autoRule]);
  return close.length > 0
    ? `there is no rule ${quote(name)}; perhaps ${close.map(quote).join(" or ")} is meant`
    : `there is no rule ${quote(name)}; ${all}`;
}

function unrolled(
  name: string,
  factory: (options: { steps: number; dynamics: Dynamics }) => Rule,
): TuneRule {
  return {
    coordinates: "own",
    make: ({ steps, dynamics }) => ({
      call: written(name, { steps }),
      rule: factory({ steps, dynamics }),
    }),
  };
}

function scaled<T extends object>(
  name: string,
  factory: (options: T) => Rule,
  optionsFor: (sizes: RuleSizes) => T,
): TuneRule {
  return {
    coordinates: "scaled",
    make: (sizes) => {
      const options = optionsFor(sizes);
      return { call: written(name, options), rule: factory(options) };
    },
  };
}

/** `reverse({ steps: 4 })` */
function written(name: string, options: object): string {
  const pairs = Object.entries(options).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${name}({ ${pairs.join(", ")} })`;
}
