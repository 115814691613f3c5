/** Rules that differentiate the follower's steps. */
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import { momentum } from "../../optimizers/momentum.ts";
import { closedForm } from "./closed-form.ts";
import { darts } from "./darts.ts";
import { displacement } from "./displacement.ts";
import { firstOrder } from "./first-order.ts";
import { forward } from "./forward.ts";
import { oneStage } from "./one-stage.ts";
import { realTime } from "./real-time.ts";
import { reverse } from "./reverse.ts";
import { truncated } from "./truncated.ts";
import type { CatalogEntry } from "../entry.ts";

export const explicitRules: readonly CatalogEntry[] = [
  {
    factory: "reverse",
    family: "explicit",
    file: "rules/explicit/reverse.ts",
    summary:
      "the exact derivative of E after T inner steps, carried back from the last to the first",
    fails:
      "T states do not fit in memory; T steps end far from the inner solution, which is then not what is judged; there are several inner solutions, and the first weights decide among them",
    source:
      'Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, algorithm 1; Griewank, Walther, "Evaluating derivatives", chapter 12, for checkpoints',
    forms: [
      {
        option: "",
        rule: () => reverse({ steps: 100, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 100 },
        cost: {
          innerGradients: "T",
          hessianVectorProducts: "T",
          crossProducts: "T",
          storedFloats: "T·|w|",
        },
      },
      {
        option: 'checkpoints: n or "sqrt"',
        rule: () =>
          reverse({
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
            checkpoints: "sqrt",
          }),
        sizes: { T: 100, n: 10 },
        cost: {
          innerGradients: "2·T",
          hessianVectorProducts: "T",
          crossProducts: "T",
          storedFloats: "(T/n + n)·|w|",
        },
        remark: "Every n-th state is kept, T/n rounded up; the others are made again.",
      },
      {
        option: "checkpoints: { slots: c }",
        rule: () =>
          reverse({
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
            checkpoints: { slots: 10 },
          }),
        // r = 3 is the least with binomial(10 + r, 10) ≥ 100, and b = binomial(13, 11).
        sizes: { T: 100, c: 10, r: 3, b: 78 },
        cost: {
          innerGradients: "1 + r·T − b",
          hessianVectorProducts: "T",
          crossProducts: "T",
          storedFloats: "c·|w|",
        },
        remark:
          "The binomial schedule: r is the least number with binomial(c + r, c) ≥ T, and b = binomial(c + r, c + 1).",
      },
    ],
  },
  {
    factory: "forward",
    family: "explicit",
    file: "rules/explicit/forward.ts",
    summary: "the same derivative as reverse, carried along with the steps",
    fails:
      "there are many hyperparameters, for each costs as much as a run of its own; an objective uses lax.reduceWindow, which jax-js cannot batch",
    source:
      'Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, algorithm 2',
    forms: [
      {
        option: "",
        rule: () => forward({ steps: 100, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 100 },
        cost: {
          innerGradients: "T",
          hessianVectorProducts: "T·|λ|",
          crossProducts: "T·|λ|",
          storedFloats: "|λ|·|w|",
        },
      },
    ],
  },
  {
    factory: "realTime",
    family: "explicit",
    file: "rules/explicit/real-time.ts",
    summary: "forward mode of a follower that is never restarted: the leader moves every T steps",
    fails:
      "the leader moves fast, for earlier tangents belong to earlier hyperparameters; there are many hyperparameters; the problem has an init",
    source:
      'Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, section 3.3',
    forms: [
      {
        option: "",
        rule: () => realTime({ steps: 10, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 10 },
        cost: {
          innerGradients: "T",
          hessianVectorProducts: "T·|λ|",
          crossProducts: "T·|λ|",
          storedFloats: "|λ|·|w|",
        },
        remark: "T is the formula's Δ, the steps between two moves of the leader.",
      },
      {
        option: 'tangents: "reset"',
        rule: () =>
          realTime({
            steps: 10,
            dynamics: gradientDescent({ learningRate: 0.1 }),
            tangents: "reset",
          }),
        sizes: { T: 10 },
        cost: {
          innerGradients: "T",
          hessianVectorProducts: "T·|λ|",
          crossProducts: "T·|λ|",
          storedFloats: "|λ|·|w|",
        },
        remark: "The tangents start at 0 in every outer step.",
      },
    ],
  },
  {
    factory: "truncated",
    family: "explicit",
    file: "rules/explicit/truncated.ts",
    summary: "reverse mode through the last K of T steps",
    fails:
      "the follower forgets slowly, so that the dropped steps still matter (the report's remainingAdjoint tells); the problem has an init",
    source: 'Shaban et al., "Truncated back-propagation for bilevel optimization", AISTATS 2019',
    forms: [
      {
        option: "",
        rule: () =>
          truncated({ steps: 100, keep: 20, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 100, K: 20 },
        cost: {
          innerGradients: "T",
          hessianVectorProducts: "K",
          crossProducts: "K",
          storedFloats: "K·|w|",
        },
      },
    ],
  },
  {
    factory: "oneStage",
    family: "explicit",
    file: "rules/explicit/one-stage.ts",
    summary: "the direct effect of λ on the last step alone",
    fails:
      "the size of the gradient matters: a step size stands in the place of the inverse Hessian, at the inner solution too; the problem has an init",
    source:
      'Luketina et al., "Scalable gradient-based tuning of continuous regularization hyperparameters", ICML 2016, for γ = 0; Lee et al., "Online hyperparameter meta-learning with hypergradient distillation", ICLR 2022, for the sum',
    forms: [
      {
        option: "",
        rule: () => oneStage({ steps: 5, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 5 },
        cost: { innerGradients: "T", crossProducts: "1", storedFloats: "|w|" },
      },
      {
        option: "discount: γ",
        rule: () =>
          oneStage({ steps: 5, dynamics: gradientDescent({ learningRate: 0.1 }), discount: 0.9 }),
        sizes: { T: 5 },
        cost: { innerGradients: "T", crossProducts: "T", storedFloats: "|w|" },
        remark: "The discounted sum over all steps, each judged by E right after it.",
      },
    ],
  },
  {
    factory: "darts",
    family: "explicit",
    file: "rules/explicit/darts.ts",
    summary: "the outer gradient after one virtual step, while the follower trains on",
    fails:
      "the weights' past matters, which it takes as given; the problem has an init; with the finite difference, an objective has a stop-gradient, which it differentiates through, or ∇_λ L is large in float32",
    source:
      'Liu, Simonyan, Yang, "DARTS: differentiable architecture search", ICLR 2019, equations 6 to 8',
    forms: [
      {
        option: "order: 2",
        rule: () =>
          darts({
            learningRate: 0.025,
            order: 2,
            dynamics: momentum({ learningRate: 0.025, momentum: 0.9 }),
          }),
        sizes: {},
        cost: { innerGradients: "2", crossProducts: "1", storedFloats: "|w|" },
      },
      {
        option: 'order: 2, difference: "finite"',
        rule: () => darts({ learningRate: 0.025, order: 2, difference: "finite" }),
        sizes: {},
        cost: { innerGradients: "2", crossProducts: "1", storedFloats: "|w|" },
        remark:
          "The cross product is a difference of two gradients ∇_λ L at weights 0.01 to either side: it needs no second derivative, rounds, and differentiates through stop-gradients.",
      },
      {
        option: "order: 1",
        rule: () => darts({ learningRate: 0.025, order: 1 }),
        sizes: {},
        cost: { innerGradients: "1" },
        remark: "The direct gradient ∇_λ E alone: 0 where λ acts only through the weights.",
      },
    ],
  },
  {
    factory: "closedForm",
    family: "explicit",
    file: "rules/explicit/closed-form.ts",
    summary: "the derivative of E through a follower that init computes, without any step",
    fails:
      "init does not solve the inner problem, for its weights are judged as they are (the inner gradient norm tells)",
    source: 'Bertinetto et al., "Meta-learning with differentiable closed-form solvers", ICLR 2019',
    forms: [
      {
        option: "",
        rule: () => closedForm(),
        sizes: {},
        cost: {},
        asksForInit: true,
        remark: "The work is init's own, forward and back.",
      },
    ],
  },
  {
    factory: "firstOrder",
    family: "explicit",
    file: "rules/explicit/first-order.ts",
    summary:
      "the outer gradient after T steps, carried to the first weights as if the steps were the identity",
    fails:
      "λ acts through the steps: it sees how λ moves the first weights, through init, and E, and nothing else; the steps are many or long, so that they are far from the identity",
    source:
      'Finn et al., "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017, section 5.2',
    forms: [
      {
        option: "",
        rule: () => firstOrder({ steps: 5, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 5 },
        cost: { innerGradients: "T", storedFloats: "|w|" },
      },
    ],
  },
  {
    factory: "displacement",
    family: "explicit",
    file: "rules/explicit/displacement.ts",
    summary:
      "the way back from where the follower ends to its first weights, as Reptile's leader goes it",
    fails:
      "the outer objective matters, for it does not read it; the problem has no init that makes the first weights of λ: it is 0 then",
    source:
      'Nichol, Achiam, Schulman, "On first-order meta-learning algorithms", arXiv:1803.02999, 2018, algorithm 1',
    forms: [
      {
        option: "",
        rule: () => displacement({ steps: 5, dynamics: gradientDescent({ learningRate: 0.1 }) }),
        sizes: { T: 5 },
        cost: { innerGradients: "T", storedFloats: "2·|w|" },
      },
    ],
  },
];
