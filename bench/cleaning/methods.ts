/** The rules that clean: how each is set, how it sees the data, and what its steps cost. */
import {
  amigo,
  bda,
  bome,
  darts,
  f2sa,
  fsla,
  gradientPenalty,
  iaptt,
  implicit,
  logBarrier,
  moreauEnvelope,
  mrbo,
  oneStage,
  reverse,
  saba,
  slBamm,
  soba,
  srba,
  stocBio,
  sustain,
  truncated,
  ttsa,
  valuePenalty,
} from "../../src/bilevel/rules/index.ts";
import { gradientDescent, linearRamp, type Cost, type Rule } from "../../src/bilevel/index.ts";
import { conjugateGradient, neumann, nystrom, type LinearSolver } from "../../src/linear/index.ts";

/** A rule and how it sees the data. */
export interface Method {
  readonly rule: Rule;
  /** Rows in a minibatch of each level. */
  readonly size: number;
  /** Absent: all rows in every step. "fixed" batches are always the same rows; "own": the rule draws them itself. */
  readonly batches?: "random" | "fixed" | "own";
  /** Of the outer steps of a rule that alternates: one in `period` works on all rows. */
  readonly period?: number;
}

/** Minibatches of each level that make up all its rows. */
const batchCount = 10;

/**
 * The follower's step. Half the largest eigenvalue of [X 1]ᵀ[X 1]/n bounds the curvature at weights 1: 2.6 on MNIST and 10
 * on Fashion-MNIST with the pixels centred; weights of mean ½ halve it.
 */
export const innerRate = 0.3;
/** Of the rules whose response moves along several gradients at once. */
const cautiousRate = innerRate / 3;
const dynamics = gradientDescent({ learningRate: innerRate });

/** The methods by title, for a number of rows of each level. */
export function methods(rows: number): Readonly<Record<string, Method>> {
  return Object.fromEntries(
    Object.entries(settings(rows)).map(([title, method]) => [
      title,
      { ...method, size: rows / batchCount },
    ]),
  );
}

function settings(rows: number): Record<string, Omit<Method, "size">> {
  const size = rows / batchCount;
  const solved = (solver: LinearSolver): { rule: Rule } => ({
    rule: implicit({ steps: 20, dynamics, solver }),
  });
  const series = { learningRate: innerRate, products: 10 };
  return {
    "reverse, T = 20": { rule: reverse({ steps: 20, dynamics }) },
    "truncated, T = 20, K = 5": { rule: truncated({ steps: 20, keep: 5, dynamics }) },
    "one-stage, T = 1": { rule: oneStage({ steps: 1, dynamics }) },
    "DARTS, second order": { rule: darts({ learningRate: innerRate, order: 2 }) },
    "implicit, T = 20, CG 10": solved(conjugateGradient({ maxSteps: 10, damping })),
    "implicit, T = 20, Neumann 10": solved(neumann({ maxSteps: 10, step: innerRate })),
    "implicit, T = 20, Nyström 10": solved(nystrom({ rank: 10, rho: damping })),
    "BDA, T = 20": { rule: bda({ steps: 20, dynamics }) },
    "IAPTT, T = 20": { rule: iaptt({ steps: 20, dynamics, auxiliary: dynamics }) },
    "value penalty, T = 1": {
      rule: valuePenalty({
        steps: 1,
        learningRate: innerRate,
        penalty: linearRamp({ from: 1, to: 20, steps: 125 }),
        valueStart: "warm",
      }),
    },
    "gradient penalty, T = 10": {
      rule: gradientPenalty({ steps: 10, learningRate: innerRate / 6, penalty: 1 }),
    },
    "F2SA, T = 1": {
      rule: f2sa({
        steps: 1,
        learningRate: innerRate / 6,
        valueLearningRate: innerRate,
        multiplier: 5,
        increment: 0,
      }),
    },
    "BOME, T = 10": {
      rule: bome({ steps: 10, learningRate: innerRate, responseLearningRate: innerRate }),
    },
    "Moreau envelope": {
      rule: moreauEnvelope({ learningRate: cautiousRate }),
    },
    "log barrier, T = 10": {
      rule: logBarrier({ steps: 10, valueSteps: 10, learningRate: innerRate, valueStart: "warm" }),
    },
    "sl-BAMM": { rule: slBamm({ learningRate: innerRate, auxiliaryLearningRate: innerRate }) },
    SOBA: { rule: soba({ learningRate: innerRate }), batches: "random" },
    SABA: {
      rule: saba({
        learningRate: cautiousRate,
        batches: { inner: batchCount, outer: batchCount },
      }),
      batches: "fixed",
    },
    SRBA: {
      rule: srba({
        learningRate: innerRate,
        size: { inner: size, outer: size },
        period: srbaPeriod,
      }),
      batches: "own",
      period: srbaPeriod,
    },
    FSLA: { rule: fsla({ learningRate: innerRate }), batches: "random" },
    "AmIGO, T = 10": {
      rule: amigo({ steps: 10, learningRate: innerRate }),
      batches: "random",
    },
    "StocBiO, T = 10": { rule: stocBio({ ...series, steps: 10 }), batches: "random" },
    "TTSA, T = 1": { rule: ttsa({ learningRate: innerRate, terms: 10 }), batches: "random" },
    MRBO: { rule: mrbo(series), batches: "random" },
    SUSTAIN: { rule: sustain({ learningRate: innerRate, terms: 10 }), batches: "random" },
  };
}

/** Added to the Hessian's diagonal by the linear solvers, for it is singular. */
const damping = 0.01;
const srbaPeriod = 10;

/**
 * Work of an outer step in gradients over all rows: each gradient counts as the share of the rows it sees, a product with a
 * second derivative as two gradients.
 */
export function gradientUnits(cost: Cost, { batches, period }: Method): number {
  const products = cost.hessianVectorProducts + cost.crossProducts;
  const outer = cost.outerGradients ?? 1;
  const outerProducts = (cost.outerHessianVectorProducts ?? 0) + (cost.outerCrossProducts ?? 0);
  const units = cost.innerGradients + outer + 2 * (products + outerProducts);
  if (batches === undefined) return units;
  const onBatch = units / batchCount;
  // A step on all rows takes each of its derivatives once, a step on a batch at two points.
  return period === undefined ? onBatch : onBatch + (units / 2 - onBatch) / period;
}
