// The learners by their names, with the settings that each understands.

import {
  adam,
  clipped,
  gradientDescent,
  inverseTimeDecay,
  type Optimizer,
} from "../../bilevel/index.ts";
import { implicit, reverse, truncated } from "../../bilevel/rules/index.ts";
import { call, type RuleCall, ruleCall } from "../../bilevel/internal.ts";
import { anil } from "../anil.ts";
import { convolutionalEncoder } from "../encoder.ts";
import { firstOrderMaml, maml } from "../maml.ts";
import { hyperRepresentation } from "../hyper-representation.ts";
import { imaml } from "../imaml.ts";
import { joint } from "../joint.ts";
import { matching } from "../matching.ts";
import { prototypical } from "../prototypical.ts";
import { reptile } from "../reptile.ts";
import type { DescentOptions } from "../descent-learner.ts";
import type { Learner } from "../learner.ts";
import { firstOrder } from "../../bilevel/rules/index.ts";
import { conjugateGradient } from "../../linear/index.ts";
import { FewshotError } from "../fewshot-error.ts";
import {
  trainingEpisode,
  type LearnerName,
  type LearnerSettings,
  type RuleName,
  type TrainSettings,
} from "./settings.ts";

/** The best of a few that were tried on Omniglot. */
interface InnerDefaults {
  readonly steps: number;
  /** Of training episodes with so many classes. */
  rate(ways: number): number;
}

/** Of a linear classifier that starts at zero. */
const ofHead: InnerDefaults = { steps: 16, rate: () => 0.05 };

/** Of all weights, in proportion to the number of classes as in {@link testRateOf}. */
const ofNetwork: InnerDefaults = { steps: 5, rate: (ways) => 0.02 * ways };

interface Entry {
  /** Rules that give its hypergradient, the default first; none where it has its own. */
  readonly rules: readonly RuleName[];
  /** T in training and the follower's learning rate, where it makes steps. */
  readonly inner?: InnerDefaults;
  /** Whether the follower's learning rate can be a hyperparameter. */
  readonly learnsInnerRate?: boolean;
  /** The leader's learning rate. */
  readonly rate: number;
  /** Images a class in training, where they are not those of the test. */
  readonly train?: { readonly shots: number; readonly queries: number };
  /** Whether λ has a head for a number of classes, so that training and test have the same ways. */
  readonly hasHead: boolean;
  make(options: { encoder: Learner["encoder"]; stepShots?: number } & DescentOptions): Learner;
}

const entries: Readonly<Record<LearnerName, Entry>> = {
  "hyper-representation": {
    rules: ["reverse", "truncated", "implicit", "firstOrder"],
    inner: ofHead,
    learnsInnerRate: true,
    rate: 0.001,
    hasHead: false,
    make: hyperRepresentation,
  },
  maml: {
    rules: ["reverse", "firstOrder"],
    inner: ofNetwork,
    learnsInnerRate: true,
    rate: 0.003,
    hasHead: true,
    make: maml,
  },
  "first-order-maml": {
    rules: [],
    inner: ofNetwork,
    rate: 0.003,
    hasHead: true,
    make: firstOrderMaml,
  },
  anil: {
    rules: ["reverse", "firstOrder"],
    inner: ofHead,
    learnsInnerRate: true,
    rate: 0.001,
    hasHead: true,
    make: anil,
  },
  imaml: {
    rules: [],
    inner: { ...ofNetwork, steps: 10 },
    rate: 0.003,
    hasHead: true,
    // With the published proximity of 2 and no damping, accuracy on Omniglot fell in training.
    make: (options) =>
      imaml({
        proximity: 0.5,
        solver: conjugateGradient({ maxSteps: 5, rtol: 1e-3, damping: 2 }),
        ...options,
      }),
  },
  reptile: {
    rules: [],
    inner: { steps: 5, rate: (ways) => 0.08 * ways },
    rate: 0.5,
    // As its authors do; the query images only give the loss that is shown.
    train: { shots: 10, queries: 5 },
    hasHead: true,
    make: reptile,
  },
  prototypical: { rules: [], rate: 0.003, hasHead: false, make: prototypical },
  matching: { rules: [], rate: 0.003, hasHead: false, make: matching },
  joint: {
    rules: [],
    inner: ofHead,
    rate: 0.003,
    hasHead: false,
    make: joint,
  },
};

/** The learner that settings describe. */
export function makeLearner(settings: LearnerSettings): Learner {
  const { learner, filters, variant, rule } = settings;
  const { innerSteps, innerRate, learnInnerRate, stepShots } = settings;
  return entries[learner].make({
    encoder: convolutionalEncoder({ filters, variant }),
    steps: innerSteps,
    learningRate: innerRate,
    ...(learnInnerRate === undefined ? {} : { learnRate: learnInnerRate === "yes" }),
    ...(rule === undefined
      ? {}
      : { rule: ({ steps, dynamics }) => rules[rule](steps).make({ dynamics }) }),
    stepShots,
  });
}

/** Classes of the episodes of a test, and the follower's learning rate where another is asked for. */
export interface TestOptions {
  ways: number;
  innerRate?: number | undefined;
}

/**
 * The learner at test.
 *
 * @throws as {@link testRateOf}.
 */
export function makeTestLearner(settings: TrainSettings, options: TestOptions): Learner {
  const innerRate = testRateOf(settings, options);
  return makeLearner({ ...settings, ...(innerRate !== undefined && { innerRate }) });
}

/**
 * The follower's learning rate at test; undefined where it makes no steps or learned its rate. At its start, where all of N
 * classes are as likely, the largest curvature of their mean cross-entropy is proportional to 1/N: unless another rate is
 * asked for, that of the training is multiplied by the ratio of the ways.
 *
 * @throws FewshotError when a rate is asked for that the model has no use for.
 */
export function testRateOf(
  settings: TrainSettings,
  { ways, innerRate: asked }: TestOptions,
): number | undefined {
  const { learner, innerRate, learnInnerRate } = settings;
  const isFixed = innerRate !== undefined && learnInnerRate !== "yes";
  if (asked !== undefined && !isFixed) {
    const reason = descends(learner) ? "it learned its own" : `${learner} makes no steps`;
    throw new FewshotError(`\`innerRate\` is not for this model: ${reason}; leave the option out`);
  }
  if (!isFixed) return undefined;
  return asked ?? (innerRate * ways) / trainingEpisode(settings).ways;
}

/**
 * How the leader moves. Reptile's goes a share of the way to where the followers ended. The others' is Adam on gradients
 * of norm 1 at most: where the inner rate is learned, it rises to the edge where the follower's steps diverge, and hypergradients explode.
 */
export function makeOptimizer({ learner, rate }: TrainSettings): Optimizer {
  const learningRate = inverseTimeDecay({ initial: rate, decay: 1e-5 });
  if (learner === "reptile") return gradientDescent({ learningRate });
  return clipped(adam({ learningRate }), { norm: 1 });
}

/**
 * The defaults of the leader's rate; where the follower makes steps, of their number and rate; where training episodes are
 * others than at test, of their shots and queries.
 */
export function defaultsOf(learner: LearnerName): Pick<Entry, "inner" | "rate" | "train"> {
  const { inner, rate, train } = entries[learner];
  return { rate, ...(inner && { inner }), ...(train && { train }) };
}

/** Whether the learner's follower makes steps, so that T means something. */
export function descends(learner: LearnerName): boolean {
  return entries[learner].inner !== undefined;
}

/** Whether the learner tells apart as many classes as it was trained for, and no other number. */
export function hasHead(learner: LearnerName): boolean {
  return entries[learner].hasHead;
}

/** Whether its followers change the encoder, so that statistics of training images do not fit what they end with. */
export function adaptsEncoder(learner: LearnerName): boolean {
  return ["maml", "first-order-maml", "imaml", "reptile"].includes(learner);
}

/** Refuses settings that the learner does not have. */
export function checkLearnerOptions(settings: TrainSettings): void {
  const { learner, rule, innerSteps, innerRate, learnInnerRate, stepShots, trainWays } = settings;
  const { rules, hasHead, learnsInnerRate } = entries[learner];
  if (rule !== undefined && !rules.includes(rule)) {
    const remedy =
      rules.length === 0 ? "leave the option out" : `it takes ${rules.join(", ")} instead`;
    throw new FewshotError(`\`rule\` ${rule} is not for \`learner\` ${learner}; ${remedy}`);
  }
  if (!descends(learner) && (innerSteps !== undefined || innerRate !== undefined)) {
    const option = innerSteps === undefined ? "innerRate" : "innerSteps";
    throw new FewshotError(
      `\`${option}\` is not for \`learner\` ${learner}, whose response has a closed form; leave the option out`,
    );
  }
  if (learnInnerRate !== undefined && learnsInnerRate !== true) {
    throw new FewshotError(
      `\`learnInnerRate\` is not for \`learner\` ${learner}, which cannot learn it; leave the option out`,
    );
  }
  if (learnInnerRate === "yes" && rule === "implicit") {
    throw new FewshotError(
      "`learnInnerRate` yes does not go with `rule` implicit, whose equation does not know by which steps the response was found; use `rule` reverse",
    );
  }
  if (stepShots !== undefined && learner !== "reptile") {
    throw new FewshotError(
      `\`stepShots\` is not for \`learner\` ${learner}, whose steps see the whole support set; leave the option out`,
    );
  }
  if (hasHead && trainWays !== undefined && trainWays !== settings.ways) {
    throw new FewshotError(
      `\`trainWays\` is not for \`learner\` ${learner}, whose classifier has as many outputs as classes; leave the option out`,
    );
  }
}

/** The rules by their names, for T steps of the learner's dynamics. */
const rules: Readonly<Record<RuleName, (steps: number) => RuleCall>> = {
  reverse: (steps) => ruleCall({ reverse }, { steps }),
  truncated: (steps) => ruleCall({ truncated }, { steps, keep: Math.ceil(steps / 2) }),
  implicit: (steps) =>
    ruleCall(
      { implicit },
      { steps, solver: call({ conjugateGradient }, { maxSteps: 10, rtol: 1e-3 }) },
    ),
  firstOrder: (steps) => ruleCall({ firstOrder }, { steps }),
};
