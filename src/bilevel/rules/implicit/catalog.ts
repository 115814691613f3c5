/** Rules that differentiate the inner solution: free, with each linear solver, and under constraints. */
import type { numpy as np } from "@jax-js/jax";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
  nystrom,
} from "../../../linear/index.ts";
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import { momentum } from "../../optimizers/momentum.ts";
import { box } from "../../projections.ts";
import { implicit } from "./implicit.ts";
import { implicitKkt } from "./implicit-kkt.ts";
import type { CatalogEntry, CostFormulas } from "../entry.ts";

/** T steps, then J products in the solver. */
const withProducts = (products: string, storedFloats: string): CostFormulas => ({
  innerGradients: "T",
  hessianVectorProducts: products,
  crossProducts: "1",
  storedFloats,
});

export const implicitRules: readonly CatalogEntry[] = [
  {
    factory: "implicit",
    family: "implicit",
    file: "rules/implicit/implicit.ts",
    summary:
      "the derivative of the inner solution near the follower's response, by a linear system",
    fails:
      "the follower stops far from an inner solution; the system is singular there, or indefinite for a solver that needs a positive definite one (the report names it); the inner objective has kinks",
    source:
      'Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016; Grazzi et al., "On the iteration complexity of hypergradient computation", ICML 2020, for the dynamics',
    forms: [
      {
        option: "solver: conjugateGradient",
        rule: () =>
          implicit({
            solver: conjugateGradient({ maxSteps: 20, rtol: 1e-8 }),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, J: 20 },
        cost: withProducts("J", "4·|w|"),
        remark: "J is the most iterations; warmStart starts at the last solution.",
      },
      {
        option: "solver: neumann",
        rule: () =>
          implicit({
            solver: neumann({ maxSteps: 50 }),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, J: 50 },
        cost: withProducts("J + 10", "3·|w|"),
        remark:
          "10 products estimate the step; each term lowers the error by a factor of some 1 − 1/κ, κ being the Hessian's condition number.",
      },
      {
        option: "solver: minres",
        rule: () =>
          implicit({
            solver: minres({ maxSteps: 20 }),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, J: 20 },
        cost: withProducts("J", "6·|w|"),
        remark: "For indefinite and singular but consistent systems.",
      },
      {
        option: "solver: nystrom",
        rule: () =>
          implicit({
            solver: nystrom({ rank: 10 }),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, k: 10 },
        cost: withProducts("k", "(k + 1)·|w|"),
        remark: "k columns of the Hessian; exact for the damped system when its rank is k or less.",
      },
      {
        option: "solver: dense",
        rule: () =>
          implicit({
            solver: dense(),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100 },
        cost: withProducts("|w|", "(|w| + 1)·|w|"),
        remark: "For a few hundred weights, and as an oracle.",
      },
      {
        option: "solver: fixedPoint",
        rule: () =>
          implicit({
            solver: fixedPoint({ maxSteps: 50 }),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, J: 50 },
        cost: withProducts("J", "3·|w|"),
        remark: "Through the dynamics, which may be any contraction, projected too.",
      },
      {
        option: 'solver: conjugateGradientNormal, through: "dynamics"',
        rule: () =>
          implicit({
            solver: conjugateGradientNormal({ maxSteps: 20 }),
            through: "dynamics",
            steps: 100,
            dynamics: momentum({ learningRate: 0.1, momentum: 0.9 }),
          }),
        sizes: { T: 100, J: 20 },
        cost: withProducts("2·J + 1", "8·|w|"),
        remark:
          "For systems that are not symmetric, such as those of momentum, whose state has 2·|w| numbers.",
      },
    ],
  },
  {
    factory: "implicitKkt",
    family: "implicit",
    file: "rules/implicit/implicit-kkt.ts",
    summary: "the derivative of a constrained inner solution, on the constraints active there",
    fails:
      "an active constraint's multiplier is 0, for the response then has a kink; the active constraints' gradients are linearly dependent; the Lagrangian is not convex along them (the report names each); the follower stops far from the constrained solution",
    source:
      'Xu, Zhu, "Efficient gradient approximation method for constrained bilevel optimization", AAAI 2023',
    forms: [
      {
        option: "",
        rule: () =>
          implicitKkt({
            inequalities: (w: np.Array) => w.sub(1),
            projection: box({ upper: 1 }),
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, J: 100, m: "|w|" },
        cost: {
          innerGradients: "T + 1",
          hessianVectorProducts: "J",
          crossProducts: "1",
          storedFloats: "|w| + (m + 5)·(|w| + m)",
        },
        remark: "m is the number of constraints, J the most iterations of minres.",
      },
      {
        option: "penalty: ρ",
        rule: () =>
          implicitKkt({
            inequalities: (w: np.Array) => w.sub(1),
            penalty: 2,
            steps: 100,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 100, J: 100, m: "|w|" },
        cost: {
          innerGradients: "T + 1",
          hessianVectorProducts: "J",
          crossProducts: "1",
          storedFloats: "|w| + m + (m + 5)·(|w| + m)",
        },
        remark: "Without a projection, the method of multipliers leads to the constraints.",
      },
    ],
  },
];
