/**
 * Which rules of the catalog can tune a table, each with options made for it, and why the others cannot. The follower is
 * strongly convex with one response, sees all rows at every step, and has tens of outer steps.
 */
import { conjugateGradient } from "../../../linear/index.ts";
import { call, type RuleCall, ruleCall, ruleCatalog } from "../../../bilevel/internal.ts";
import {
  amigo,
  bda,
  darts,
  f2sa,
  forward,
  fsla,
  implicit,
  mrbo,
  oneStage,
  pzobo,
  realTime,
  reverse,
  soba,
  stocBio,
  sustain,
  truncated,
  ttsa,
  valuePenalty,
} from "../../../bilevel/rules/index.ts";
import { type Dynamics, gradientDescent, type Rule } from "../../../bilevel/index.ts";
import { autoRule } from "../search-record.ts";
import { closestNames, quote } from "../../../data/internal.ts";

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
  reverse: unrolled(({ steps }) => ruleCall({ reverse }, { steps })),
  forward: unrolled(({ steps }) => ruleCall({ forward }, { steps })),
  realTime: unrolled(({ steps }) => ruleCall({ realTime }, { steps })),
  truncated: unrolled(({ steps }) =>
    ruleCall({ truncated }, { steps, keep: Math.ceil(steps / 5) }),
  ),
  oneStage: unrolled(({ steps }) => ruleCall({ oneStage }, { steps })),
  darts: scaled(({ learningRate }) =>
    ruleCall(
      { darts },
      {
        learningRate,
        order: 2,
      },
    ),
  ),
  // In float32, badly conditioned systems take more steps than there are weights, and leave some 1e-4.
  implicit: unrolled(({ steps }) =>
    ruleCall(
      { implicit },
      { steps, solver: call({ conjugateGradient }, { maxSteps: 100, rtol: 1e-4 }) },
    ),
  ),
  bda: scaled(({ gradientSteps: steps, learningRate }) =>
    ruleCall({ bda }, { steps, dynamics: call({ gradientDescent }, { learningRate }) }),
  ),
  // 50: its response then lies about 2 % of the way from the inner solution to the minimum of E.
  valuePenalty: scaled(({ gradientSteps, learningRate }) =>
    ruleCall(
      { valuePenalty },
      {
        penalty: 50,
        steps: gradientSteps,
        learningRate,
        valueStart: "warm",
      },
    ),
  ),
  // The response's steps meet the curvature of E + 10·L: the other half of 20 is left for that of E.
  f2sa: scaled(({ gradientSteps, learningRate }) =>
    ruleCall(
      { f2sa },
      {
        steps: gradientSteps,
        learningRate: Number((learningRate / 20).toPrecision(3)),
        valueLearningRate: learningRate,
        multiplier: 10,
        increment: 0,
      },
    ),
  ),
  soba: scaled(({ learningRate }) => ruleCall({ soba }, { learningRate })),
  fsla: scaled(({ learningRate }) => ruleCall({ fsla }, { learningRate })),
  amigo: scaled(({ gradientSteps, learningRate }) =>
    ruleCall(
      { amigo },
      {
        steps: gradientSteps,
        learningRate,
      },
    ),
  ),
  stocBio: scaled(({ gradientSteps, learningRate }) =>
    ruleCall(
      { stocBio },
      {
        steps: gradientSteps,
        products: gradientSteps,
        learningRate,
      },
    ),
  ),
  ttsa: scaled(({ gradientSteps, learningRate }) =>
    ruleCall(
      { ttsa },
      {
        steps: gradientSteps,
        terms: gradientSteps,
        learningRate,
      },
    ),
  ),
  pzobo: unrolled(({ steps }) => ruleCall({ pzobo }, { steps })),
  // The gradients have no noise to average away, so that hardly anything is recycled.
  mrbo: scaled(({ learningRate }) => ruleCall({ mrbo }, { learningRate, momentum: 0.9 })),
  sustain: scaled(({ learningRate }) => ruleCall({ sustain }, { learningRate, momentum: 0.9 })),
};

/** Why each of the others does not apply; the end of "<name> does not apply: …". */
export const inapplicableRules: Readonly<Record<string, string>> = {
  implicitKkt: "it is for followers under constraints, and this one has none",
  closedForm: "it is for followers whose weights init computes, and this one takes steps",
  firstOrder: "the coefficients act through the steps, which it does not differentiate",
  displacement:
    "it reads no validation loss, and the first weights do not depend on the coefficients",
  iaptt:
    "it moves the follower's start, which decides nothing where the inner solution is unique as here",
  gradientPenalty:
    "columns that nearly repeat others make the inner Hessian nearly singular, where it stops at false stationary points",
  logBarrier: "its barrier has to fall over hundreds of outer steps, and a search has tens",
  bome: "its response and its leader share one descent, which the search's Adam takes apart",
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

/** A rule with the problem's own dynamics. */
function unrolled(callFor: (sizes: RuleSizes) => RuleCall): TuneRule {
  return {
    coordinates: "own",
    make: (sizes) => {
      const made = callFor(sizes);
      return { call: made.text, rule: made.make({ dynamics: sizes.dynamics }) };
    },
  };
}

/** A rule that makes steps of its own. */
function scaled(callFor: (sizes: RuleSizes) => RuleCall): TuneRule {
  return {
    coordinates: "scaled",
    make: (sizes) => {
      const made = callFor(sizes);
      return { call: made.text, rule: made.make() };
    },
  };
}
