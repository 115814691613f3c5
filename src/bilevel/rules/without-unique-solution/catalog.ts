/** Rules for followers with many inner solutions, or with an inner objective that is not convex. */
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import { linearRamp } from "../../optimizers/linear-ramp.ts";
import { box } from "../../projections.ts";
import { bda } from "./bda.ts";
import { bome } from "./bome.ts";
import { gradientPenalty } from "./gradient-penalty.ts";
import { iaptt } from "./iaptt.ts";
import { logBarrier } from "./log-barrier.ts";
import { moreauEnvelope } from "./moreau-envelope.ts";
import { valuePenalty } from "./value-penalty.ts";
import type { CatalogEntry, CostFormulas } from "../entry.ts";

/** T steps on a mixture of both objectives, differentiated. */
const aggregated: CostFormulas = {
  innerGradients: "T",
  outerGradients: "T",
  hessianVectorProducts: "T",
  outerHessianVectorProducts: "T",
  crossProducts: "T",
  outerCrossProducts: "T",
  storedFloats: "T·|w|",
};

/** T steps from a start that moves, differentiated. */
const unrolled: CostFormulas = {
  innerGradients: "T",
  hessianVectorProducts: "T",
  crossProducts: "T",
  storedFloats: "T·|w|",
};

/** Q steps of the minimizer, T of the response. */
const twoDescents: CostFormulas = {
  innerGradients: "Q + T + 2",
  outerGradients: "T + 1",
  storedFloats: "|w|",
};

export const rulesWithoutUniqueSolution: readonly CatalogEntry[] = [
  {
    factory: "bda",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/bda.ts",
    summary:
      "reverse mode through steps on both objectives, which pick the leader's choice among the inner solutions",
    fails:
      "the inner objective is not convex; the outer share's sum is finite, so that the follower stalls; T states do not fit in memory",
    source:
      'Liu et al., "A generic first-order algorithmic framework for bi-level programming beyond lower-level singleton", ICML 2020; the same authors\' TPAMI 2022 version for the pessimistic form',
    forms: [
      {
        option: "",
        rule: () => bda({ steps: 64, dynamics: gradientDescent({ learningRate: 0.5 }) }),
        sizes: { T: 64 },
        cost: aggregated,
      },
      {
        option: 'attitude: "pessimistic"',
        rule: () =>
          bda({
            steps: 64,
            dynamics: gradientDescent({ learningRate: 0.5 }),
            attitude: "pessimistic",
          }),
        sizes: { T: 64 },
        cost: aggregated,
        remark: "The inner solution that is worst for the leader.",
      },
    ],
  },
  {
    factory: "iaptt",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/iaptt.ts",
    summary:
      "reverse mode from a start that the leader moves too, cut where the trajectory is worst for the leader",
    fails:
      "it starts cold in every outer step, for then the start never moves; T states do not fit in memory; the problem has an init",
    source:
      'Liu et al., "Towards gradient-based bilevel optimization with non-convex followers and beyond", NeurIPS 2021, algorithm 1',
    forms: [
      {
        option: "",
        rule: () =>
          iaptt({
            steps: 40,
            dynamics: gradientDescent({ learningRate: 5e-4 }),
            auxiliary: gradientDescent({ learningRate: 0.1 }),
            projection: box({ lower: -2, upper: 2 }),
          }),
        sizes: { T: 40 },
        cost: unrolled,
        remark: "T evaluations of E come on top.",
      },
      {
        option: 'truncation: "none"',
        rule: () =>
          iaptt({
            steps: 40,
            dynamics: gradientDescent({ learningRate: 5e-4 }),
            auxiliary: gradientDescent({ learningRate: 0.1 }),
            truncation: "none",
          }),
        sizes: { T: 40 },
        cost: unrolled,
        remark: "IA-GM: through all T steps.",
      },
    ],
  },
  {
    factory: "valuePenalty",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/value-penalty.ts",
    summary: "first derivatives alone: the gap to the inner minimum is a penalty",
    fails:
      "the penalty stays small, or the gap grows slower than quadratically (no Polyak–Łojasiewicz inequality); the problem has an init",
    source: 'Shen, Chen, "On penalty-based bilevel gradient descent method", ICML 2023',
    forms: [
      {
        option: "",
        rule: () =>
          valuePenalty({
            penalty: linearRamp({ from: 1, to: 50, steps: 2000 }),
            steps: 5,
            learningRate: 0.5,
          }),
        sizes: { T: 5, Q: 5 },
        cost: twoDescents,
        remark: "Q is the formula's Q1, the steps that estimate the inner minimum; T is Q2.",
      },
    ],
  },
  {
    factory: "gradientPenalty",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/gradient-penalty.ts",
    summary: "the inner gradient's squared norm is a penalty",
    fails:
      "the inner Hessian is singular along the inner gradient: false stationary points, which no penalty removes; the problem has an init",
    source: 'Shen, Chen, "On penalty-based bilevel gradient descent method", ICML 2023',
    forms: [
      {
        option: "",
        rule: () => gradientPenalty({ penalty: 10, steps: 5, learningRate: 0.1 }),
        sizes: { T: 5 },
        cost: {
          innerGradients: "T + 1",
          outerGradients: "T + 1",
          hessianVectorProducts: "T",
          crossProducts: "1",
        },
      },
    ],
  },
  {
    factory: "logBarrier",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/log-barrier.ts",
    summary: "first derivatives alone: the response stays inside a bound on the inner objective",
    fails:
      "barrier, margin and regularization do not go to 0, or go there faster than the response follows; the problem has an init",
    source:
      'Liu et al., "A value-function-based interior-point method for non-convex bi-level optimization", ICML 2021',
    forms: [
      {
        option: "",
        rule: () => logBarrier({ steps: 25, valueSteps: 50, learningRate: 0.1 }),
        sizes: { T: 25, Q: 50 },
        cost: twoDescents,
        remark: "Q is the formula's Q1, T its Q2; evaluations for the line searches come on top.",
      },
    ],
  },
  {
    factory: "bome",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/bome.ts",
    summary: "first derivatives alone: one joint descent of λ and w that lowers the gap",
    fails:
      "few steps estimate the inner minimum, for its fixed points then lie off; the inner objective has no Polyak–Łojasiewicz inequality; the problem has an init",
    source:
      'Ye et al., "BOME! Bilevel optimization made easy: a simple first-order approach", NeurIPS 2022',
    forms: [
      {
        option: "",
        rule: () => bome({ steps: 10, learningRate: 0.2, responseLearningRate: 0.05 }),
        sizes: { T: 10 },
        cost: { innerGradients: "T + 2", outerGradients: "1", storedFloats: "|w|" },
      },
    ],
  },
  {
    factory: "moreauEnvelope",
    family: "without a unique inner solution",
    file: "rules/without-unique-solution/moreau-envelope.ts",
    summary:
      "first derivatives alone: the gap to a minimum near the response is a penalty, single loop",
    fails:
      "the proximal weight is below the inner objective's weak convexity; the penalty stays small; the problem has an init",
    source: 'Liu et al., "Moreau envelope for nonconvex bi-level optimization", ICML 2024',
    forms: [
      {
        option: "",
        rule: () => moreauEnvelope({ learningRate: 0.1 }),
        sizes: {},
        cost: { innerGradients: "3", outerGradients: "1", storedFloats: "|w|" },
      },
    ],
  },
];
