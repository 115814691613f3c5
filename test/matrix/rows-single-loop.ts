/** Rows of single-loop and stochastic rules, with all the data at once: where they come to rest while λ stands still. */
import {
  amigo,
  f2sa,
  fsla,
  mrbo,
  pzobo,
  saba,
  slBamm,
  soba,
  srba,
  stocBio,
  sustain,
  ttsa,
  vrbo,
} from "../../src/bilevel/rules/index.ts";
import { type Rule } from "../../src/bilevel/index.ts";
import { solveDense, type Matrix } from "../bilevel/dense.ts";
import {
  agrees,
  biased,
  lacks,
  misses,
  on,
  ownSteps,
  refuses,
  unclaimed,
  unconfined,
  type Cells,
  type Row,
} from "./cells.ts";
import { dot, plus, type Vector } from "./model.ts";
import { dynamicsOf, motionNames, type Column, type ProblemName } from "./column.ts";
import { randomDirections } from "./random-directions.ts";
import { averaged, implicitAt, innerSolution, penalized, series, unrolled } from "./theory.ts";

const unique = [
  "P1",
  "P2",
  "P3",
  "P4",
  "P5",
  "P6",
  "P10",
  "P11",
  "P13",
  "P14",
  "leaves",
  "net",
  "conv",
] as const;
const bounds = ["P12 free", "P12 bound", "P12 plane", "P12 moving"] as const;
const noInit = refuses(/init/, "it drops the derivative of the first weights");

const exact: Cells = {
  ...on(unique, agrees()),
  "P2 saddle": lacks("a minimum"),
  P7: misses("y2 stays where it starts: the leader stops at 0.505 in the place of 1"),
  P8: lacks("a unique inner solution"),
  P9: misses("the follower stays at the wrong minimum beside which it starts"),
  ...on(bounds, unconfined),
  init: noInit,
  ...ownSteps,
};
const cut = (why: string): Cells => ({ ...exact, ...on(unique, biased(why)), P11: agrees() });

/** Along free weights an average of both objectives has a tenth of the curvature. */
const still = (c: Column): number => (c.name === "P7" ? 8 : 2) * c.steps;
/** H⁺v of the blocks with curvature: the rest of v has no part in the leader's direction. */
const pseudo = (hessian: Matrix, v: Vector): Vector =>
  solveDense(
    hessian.map((row, i) => row.map((h, j) => (i === j && h === 0 ? 1 : h))),
    v.map((x, i) => (hessian[i]![i] === 0 ? 0 : x)),
  );
const atRest = (solve: (c: Column) => (hessian: Matrix, v: Vector) => Vector) => (c: Column) =>
  implicitAt(c.model, innerSolution(c, c.steps), solve(c));
const rowOf = (
  factory: string,
  make: (c: Column) => Rule,
  solve: (c: Column) => (hessian: Matrix, v: Vector) => Vector,
  cells: Cells,
): Row => ({ factory, option: "", make, theory: atRest(solve), still, cells });

/** Of rules that draw their own batches. */
const ofExamples = {
  ...on(
    ["P1", "P5", "P6", "P7", "P9", "P10", "P11"],
    refuses(
      /the inner data must be arrays that share their first axis/,
      "its data are not examples",
    ),
  ),
  ...on(
    ["P2", "P13"],
    refuses(
      /must be means over the examples/,
      "its objective is not a mean over the rows of its data",
    ),
  ),
};
const drawn = { directions: 3, seed: 4 };
const curved: readonly ProblemName[] = ["P3", "P4", "leaves", "net", "conv", ...motionNames];
const isLinear = ({ name }: Column): boolean => !curved.includes(name);

const mu = 0.2;
const GAMMA = 10;

export const singleLoopRows: readonly Row[] = [
  {
    factory: "slBamm",
    option: "",
    make: (c) => slBamm({ aggregation: mu, learningRate: c.rate, auxiliaryLearningRate: c.rate }),
    theory: (c) => averaged(c.model, mu, innerSolution(c, c.steps)),
    still,
    cells: {
      ...exact,
      ...on(["P8", "P9"], unclaimed("it assumes a convex inner objective")),
      ...on([...unique, "P7"], biased("a share of 0.2 of E is in the inner problem")),
    },
  },
  {
    factory: "f2sa",
    option: "",
    make: (c) =>
      f2sa({
        multiplier: GAMMA,
        increment: 0,
        steps: 12 * c.steps,
        learningRate: c.rate / (1 + GAMMA),
        valueLearningRate: c.rate,
      }),
    theory: (c) => penalized(c.model, GAMMA, innerSolution(c, c.steps)),
    cells: {
      ...exact,
      ...on([...unique, "P7"], biased("the multiplier 10 leaves a bias of the order of 1/10")),
    },
  },
  rowOf(
    "soba",
    (c) => soba({ learningRate: c.rate }),
    () => pseudo,
    exact,
  ),
  rowOf(
    "saba",
    (c) => saba({ learningRate: c.rate }),
    () => pseudo,
    exact,
  ),
  rowOf(
    "srba",
    (c) => srba({ learningRate: c.rate / 2, size: c.batch ?? { inner: 1, outer: 1 }, period: 5 }),
    () => pseudo,
    {
      ...exact,
      ...ofExamples,
    },
  ),
  rowOf(
    "fsla",
    (c) => fsla({ learningRate: c.rate, momentum: 0.5 }),
    () => pseudo,
    exact,
  ),
  rowOf(
    "amigo",
    (c) => amigo({ learningRate: c.rate, steps: 5 }),
    () => pseudo,
    exact,
  ),
  rowOf(
    "stocBio",
    (c) => stocBio({ learningRate: c.rate, products: 3, seriesStep: c.rate }),
    (c) => series(4, c.rate),
    cut("four terms of the series"),
  ),
  rowOf(
    "ttsa",
    (c) => ttsa({ learningRate: c.rate, terms: 1, seriesStep: c.rate }),
    (c) => series(1, c.rate),
    cut("one term of the series"),
  ),
  rowOf(
    "mrbo",
    (c) => mrbo({ learningRate: c.rate, products: 3, seriesStep: c.rate, momentum: 0.5 }),
    (c) => series(4, c.rate),
    cut("four terms of the series"),
  ),
  rowOf(
    "vrbo",
    (c) =>
      vrbo({
        learningRate: c.rate / 2,
        seriesStep: c.rate,
        steps: 3,
        products: 3,
        size: c.batch ?? { inner: 1, outer: 1 },
        period: 5,
      }),
    (c) => series(4, c.rate),
    { ...cut("four terms of the series"), ...ofExamples },
  ),
  rowOf(
    "sustain",
    (c) => sustain({ learningRate: c.rate, terms: 1, seriesStep: c.rate, momentum: 0.5 }),
    (c) => series(1, c.rate),
    cut("one term of the series"),
  ),
  {
    factory: "pzobo",
    option: "",
    make: (c) => {
      const { projection } = c.constraints ?? {};
      const dynamics = dynamicsOf(c);
      // Where the response is not linear in λ, a difference is off by a multiple of μ.
      const smoothing = isLinear(c) ? 0.01 : 1e-6;
      const options = { steps: c.steps, dynamics, smoothing, ...drawn };
      return pzobo(projection ? { ...options, projection } : options);
    },
    theory: async (c) => {
      const { gradient, w } = unrolled(c, { steps: c.steps });
      const direct = c.model.outer.leader([...w]);
      const response = plus([...gradient], -1, direct);
      const directions = await randomDirections(c.lambda, drawn);
      const sum = directions.reduce(
        (sum, u) => plus(sum, dot(response, u) / drawn.directions, u),
        direct,
      );
      return { gradient: sum, w };
    },
    isConfined: true,
    cells: {
      ...exact,
      ...on(unique, biased("three random directions stand for all")),
      ...on(curved, biased("three random directions, along which the response is curved", 1e-3)),
      P7: misses("y2 stays where it starts"),
      P8: unclaimed("a part of the derivative along a branch that the leader must leave"),
      P11: agrees(),
      ...on(["P12 free", "P12 plane"], biased("three random directions stand for all")),
      "P12 bound": agrees(1e-9, "the answer does not respond"),
    },
  },
];
