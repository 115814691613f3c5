/** Rules made for minibatches. */
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import { powerLaw } from "../../optimizers/power-law.ts";
import { amigo } from "./amigo.ts";
import { fsla } from "./fsla.ts";
import { mrbo } from "./mrbo.ts";
import { pzobo } from "./pzobo.ts";
import { saba } from "./saba.ts";
import { soba } from "./soba.ts";
import { srba } from "./srba.ts";
import { stocBio } from "./stocbio.ts";
import { sustain } from "./sustain.ts";
import { ttsa } from "./ttsa.ts";
import { vrbo } from "./vrbo.ts";
import type { CatalogEntry } from "../entry.ts";

export const stochasticRules: readonly CatalogEntry[] = [
  {
    factory: "soba",
    family: "single-loop and stochastic",
    file: "rules/stochastic/soba.ts",
    summary: "one step of the response and one of the linear system, along unbiased directions",
    fails:
      "the inner objective is not strongly convex; constant rates meet noisy minibatches, for then it stops at a distance; it starts cold in every outer step; the problem has an init",
    source:
      'Dagréou et al., "A framework for bilevel optimization that enables stochastic and global variance reduction algorithms", NeurIPS 2022',
    forms: [
      {
        option: "",
        rule: () => soba({ learningRate: powerLaw({ initial: 0.2, power: -1 / 2 }) }),
        sizes: {},
        cost: {
          innerGradients: "1",
          outerGradients: "1",
          hessianVectorProducts: "1",
          crossProducts: "1",
          storedFloats: "|w|",
        },
      },
    ],
  },
  {
    factory: "saba",
    family: "single-loop and stochastic",
    file: "rules/stochastic/saba.ts",
    summary: "soba on a finite sum, with the noise of its batches averaged away by tables",
    fails:
      "the tables do not fit in memory; batches are not drawn uniformly from a fixed set; the inner objective is not strongly convex; the problem has an init",
    source:
      'Dagréou et al., "A framework for bilevel optimization that enables stochastic and global variance reduction algorithms", NeurIPS 2022',
    forms: [
      {
        option: "",
        rule: () => saba({ learningRate: 0.1 }),
        sizes: { n: 1, m: 1 },
        cost: {
          innerGradients: "1",
          outerGradients: "1",
          hessianVectorProducts: "1",
          crossProducts: "1",
          storedFloats: "(1 + 2·n + m)·|w| + (n + m)·|λ|",
        },
        remark: "For n inner and m outer batches, which fixedBatches draws; here all data are one.",
      },
    ],
  },
  {
    factory: "srba",
    family: "single-loop and stochastic",
    file: "rules/stochastic/srba.ts",
    summary: "soba on a finite sum, exact every q steps and corrected batch by batch between",
    fails:
      "the objectives are not means over examples that lie in memory; minibatches come from a sampler; the inner objective is not strongly convex; it starts cold in every outer step; the problem has an init",
    source:
      'Dagréou, Moreau, Vaiter, Ablin, "A lower bound and a near-optimal algorithm for bilevel empirical risk minimization", AISTATS 2024',
    forms: [
      {
        option: "",
        rule: () => srba({ learningRate: 0.1, size: { inner: 16, outer: 16 }, period: 100 }),
        sizes: {},
        cost: {
          innerGradients: "2",
          outerGradients: "2",
          hessianVectorProducts: "2",
          crossProducts: "2",
          storedFloats: "5·|w| + 2·|λ|",
        },
        remark: "On a batch; once in a period it is one of each on all the data instead.",
      },
    ],
  },
  {
    factory: "fsla",
    family: "single-loop and stochastic",
    file: "rules/stochastic/fsla.ts",
    summary:
      "one step of the response, one of the linear system, and a direction that recycles the last",
    fails:
      "the inner objective is not strongly convex; it starts cold in every outer step; the problem has an init",
    source:
      'Li, Gu, Huang, "A fully single loop algorithm for bilevel optimization without Hessian inverse", AAAI 2022',
    forms: [
      {
        option: "",
        rule: () =>
          fsla({ learningRate: powerLaw({ initial: 0.1, power: -1 / 2 }), momentum: 0.5 }),
        sizes: {},
        cost: {
          innerGradients: "1",
          outerGradients: "2",
          hessianVectorProducts: "1",
          crossProducts: "2",
          storedFloats: "|w| + 2·|λ|",
        },
      },
    ],
  },
  {
    factory: "amigo",
    family: "single-loop and stochastic",
    file: "rules/stochastic/amigo.ts",
    summary:
      "a few steps of the response, then a few of the linear system, both from where they were",
    fails:
      "the inner objective is not strongly convex; it starts cold in every outer step; the problem has an init",
    source:
      'Arbel and Mairal, "Amortized implicit differentiation for stochastic bilevel optimization", ICLR 2022',
    forms: [
      {
        option: "",
        rule: () => amigo({ steps: 10, learningRate: 0.1 }),
        sizes: { N: 10, M: 10 },
        cost: {
          innerGradients: "N",
          outerGradients: "1",
          hessianVectorProducts: "M",
          crossProducts: "1",
          storedFloats: "|w|",
        },
      },
    ],
  },
  {
    factory: "stocBio",
    family: "single-loop and stochastic",
    file: "rules/stochastic/stocbio.ts",
    summary: "a few steps of the response, then a cut series with a minibatch for each product",
    fails:
      "the series is cut early, for the leader then rests beside the solution however small its steps; the inner objective is not strongly convex; the problem has an init",
    source:
      'Ji, Yang, Liang, "Bilevel optimization: convergence analysis and enhanced design", ICML 2021',
    forms: [
      {
        option: "",
        rule: () => stocBio({ steps: 10, products: 10, learningRate: 0.1, seriesStep: 0.5 }),
        sizes: { N: 10, J: 10 },
        cost: {
          innerGradients: "N",
          hessianVectorProducts: "J",
          crossProducts: "1",
          storedFloats: "2·|w|",
        },
      },
    ],
  },
  {
    factory: "ttsa",
    family: "single-loop and stochastic",
    file: "rules/stochastic/ttsa.ts",
    summary: "steps of the response, then one random term of the series in the place of its sum",
    fails:
      "the series needs many terms, for the variance grows with their number; the inner objective is not strongly convex; the problem has an init",
    source:
      'Hong et al., "A two-timescale stochastic algorithm framework for bilevel optimization", SIAM J. Optim. 2023; Ghadimi and Wang, "Approximation methods for bilevel programming", 2018, for the estimate and BSA',
    forms: [
      {
        option: "",
        rule: () =>
          ttsa({
            learningRate: powerLaw({ initial: 0.2, power: -2 / 5 }),
            terms: 10,
            seriesStep: 0.5,
          }),
        sizes: { T: 1, N: 10 },
        cost: {
          innerGradients: "T",
          hessianVectorProducts: "N − 1",
          crossProducts: "1",
          storedFloats: "2·|w|",
        },
        remark: "T is 1 unless given; with more it is BSA. Only p of the products matter.",
      },
    ],
  },
  {
    factory: "mrbo",
    family: "single-loop and stochastic",
    file: "rules/stochastic/mrbo.ts",
    summary: "stocBio's direction and the response's, both of which recycle their last value",
    fails:
      "the series is cut early; the inner objective is not strongly convex; it starts cold in every outer step; the problem has an init",
    source: 'Yang, Ji, Liang, "Provably faster algorithms for bilevel optimization", NeurIPS 2021',
    forms: [
      {
        option: "",
        rule: () =>
          mrbo({
            learningRate: powerLaw({ initial: 0.1, power: -1 / 3 }),
            momentum: powerLaw({ initial: 0.9, power: -2 / 3 }),
            seriesStep: 0.1,
          }),
        sizes: { J: 10 },
        cost: {
          innerGradients: "2",
          outerGradients: "2",
          hessianVectorProducts: "2·J",
          crossProducts: "2",
          storedFloats: "4·|w| + 2·|λ|",
        },
      },
    ],
  },
  {
    factory: "vrbo",
    family: "single-loop and stochastic",
    file: "rules/stochastic/vrbo.ts",
    summary:
      "stocBio's direction and the response's on a finite sum, exact every q steps and corrected between",
    fails:
      "the series is cut early; the objectives are not means over examples that lie in memory; minibatches come from a sampler; the inner objective is not strongly convex; it starts cold in every outer step; the problem has an init",
    source: 'Yang, Ji, Liang, "Provably faster algorithms for bilevel optimization", NeurIPS 2021',
    forms: [
      {
        option: "",
        rule: () =>
          vrbo({
            learningRate: 0.1,
            steps: 3,
            products: 10,
            size: { inner: 16, outer: 16 },
            period: 10,
          }),
        sizes: { N: 3, J: 10 },
        cost: {
          innerGradients: "2·(N + 1)",
          outerGradients: "2·(N + 1)",
          hessianVectorProducts: "2·J·(N + 1)",
          crossProducts: "2·(N + 1)",
          storedFloats: "4·|w| + 2·|λ|",
        },
        remark: "On batches; once in a period 1, 1, J and 1 more on all the data.",
      },
    ],
  },
  {
    factory: "sustain",
    family: "single-loop and stochastic",
    file: "rules/stochastic/sustain.ts",
    summary: "ttsa's direction and the response's, both of which recycle their last value",
    fails:
      "the series needs many terms, for the variance grows with their number; the inner objective is not strongly convex; it starts cold in every outer step; the problem has an init",
    source:
      'Khanduri et al., "A near-optimal algorithm for stochastic bilevel optimization via double-momentum", NeurIPS 2021',
    forms: [
      {
        option: "",
        rule: () =>
          sustain({
            learningRate: powerLaw({ initial: 0.1, power: -1 / 3 }),
            momentum: powerLaw({ initial: 0.9, power: -2 / 3 }),
            seriesStep: 0.1,
          }),
        sizes: { N: 10 },
        cost: {
          innerGradients: "2",
          outerGradients: "2",
          hessianVectorProducts: "2·(N − 1)",
          crossProducts: "2",
          storedFloats: "4·|w| + 2·|λ|",
        },
        remark: "Only 2·p of the products matter.",
      },
    ],
  },
  {
    factory: "pzobo",
    family: "single-loop and stochastic",
    file: "rules/stochastic/pzobo.ts",
    summary: "the follower's response along random directions, from differences of what it reaches",
    fails:
      "there are many hyperparameters, for the noise grows with their number; constant rates are to converge; the follower is chaotic or is cut off by rounding at steps of size μ; it starts cold in every outer step; the problem has an init",
    source:
      'Sow, Ji, Liang, "On the convergence theory for Hessian-free bilevel algorithms", NeurIPS 2022',
    forms: [
      {
        option: "",
        rule: () =>
          pzobo({
            steps: 20,
            directions: 5,
            dynamics: gradientDescent({ learningRate: 0.1 }),
          }),
        sizes: { T: 20, Q: 5 },
        cost: {
          innerGradients: "(Q + 1)·T",
          storedFloats: "2·|w| + Q·|λ|",
        },
      },
    ],
  },
];
