/** Rules whose variables all move a little in each outer step, where they go on from: start warm. */
import { f2sa } from "./f2sa.ts";
import { slBamm } from "./sl-bamm.ts";
import type { CatalogEntry } from "../entry.ts";

export const singleLoopRules: readonly CatalogEntry[] = [
  {
    factory: "slBamm",
    family: "single-loop and stochastic",
    file: "rules/stochastic/sl-bamm.ts",
    summary:
      "one step of the response and one of the linear system, on an average of both objectives",
    fails:
      "the outer objective is not strongly convex in the weights; it starts cold in every outer step; the problem has an init",
    source:
      'Liu et al., "Averaged method of multipliers for bi-level optimization without lower-level strong convexity", ICML 2023',
    forms: [
      {
        option: "",
        rule: () => slBamm({ learningRate: 0.1 }),
        sizes: {},
        cost: {
          innerGradients: "1",
          outerGradients: "1",
          hessianVectorProducts: "1",
          outerHessianVectorProducts: "1",
          crossProducts: "1",
          outerCrossProducts: "1",
          storedFloats: "|w|",
        },
      },
    ],
  },
  {
    factory: "f2sa",
    family: "single-loop and stochastic",
    file: "rules/stochastic/f2sa.ts",
    summary: "first derivatives alone: a difference of two gradients in the place of the product",
    fails:
      "the inner objective is not strongly convex; the multiplier stays small (bias) or outgrows the learning rate (divergence); the problem has an init",
    source:
      'Kwon et al., "A fully first-order method for stochastic bilevel optimization", ICML 2023',
    forms: [
      {
        option: "",
        rule: () => f2sa({ steps: 10, learningRate: 0.01 }),
        sizes: { T: 10 },
        cost: { innerGradients: "2·T + 2", outerGradients: "T + 1", storedFloats: "|w|" },
      },
    ],
  },
];
