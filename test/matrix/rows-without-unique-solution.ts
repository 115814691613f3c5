/** Rows of rules for followers with many inner solutions, or with an inner objective that is not convex. */
import {
  bda,
  bome,
  gradientPenalty,
  iaptt,
  logBarrier,
  moreauEnvelope,
  valuePenalty,
  type BdaOptions,
} from "../../src/bilevel/rules/index.ts";
import { box, gradientDescent, linearRamp } from "../../src/bilevel/index.ts";
import {
  agrees,
  asFirstForm,
  biased,
  flags,
  lacks,
  misses,
  on,
  ownSteps,
  refuses,
  unclaimed,
  unconfined,
  type Cell,
  type Cells,
  type Row,
} from "./cells.ts";
import { sinusoidalOptimum } from "../bilevel/problems-without-unique-answer.ts";
import { dynamicsOf, motionNames, type Column } from "./column.ts";
import {
  barred,
  bomeDirection,
  enveloped,
  gradientPenalized,
  innerSolution,
  penalized,
  unrolled,
} from "./theory.ts";

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
const bounds = ["P12 free", "P12 bound", "P12 plane"] as const;
const noInit = refuses(/init/, "it drops the derivative of the first weights");
const noMinimum = lacks("a minimum");
const notConvex = unclaimed("it assumes a convex inner objective");
const ownBasin = unclaimed(
  "it compares with the minimum of its own basin, and here the leader must leave it",
);

const harmonic = (sign: number) => (t: number) => (sign * 0.5) / (t + 1);
const AGGREGATED = 12;
const ofBda = (c: Column): BdaOptions => {
  const { projection } = c.constraints ?? {};
  const dynamics = dynamicsOf(c);
  const steps = Math.min(c.steps, AGGREGATED);
  return projection ? { steps, dynamics, projection } : { steps, dynamics };
};
const aggregated = (sign: number) => (c: Column) =>
  unrolled(c, {
    steps: Math.min(c.steps, AGGREGATED),
    share: harmonic(sign),
    ...(c.startDerivative ? { startDerivative: c.startDerivative } : {}),
  });
const mixed = biased(
  "the outer objective takes part in the steps, which solve the inner problem only in the limit",
);
const bdaCells = (p7: Cell): Cells => ({
  ...on(unique, mixed),
  "P2 saddle": noMinimum,
  P7: p7,
  ...on(["P8", "P9"], notConvex),
  ...on(["P12 free", "P12 plane"], mixed),
  "P12 bound": agrees(1e-9, "both objectives' steps end on the bound"),
  "P12 moving": unconfined,
  init: mixed,
  ...on(motionNames, mixed),
});

/** Near the answer that a penalty leads to: E pulls it to the leader's basin of P9. */
const basin = (c: Column): number[] =>
  c.name === "P9" ? [...c.exact.w] : innerSolution(c, c.steps);
/** x + y − 2 = π/2 in P9. */
const INNER_MAXIMUM = 2 + Math.PI / 2 - sinusoidalOptimum(1).x;
/** At most the largest curvature: the largest row sum of a Hessian. */
const largestRow = (c: Column, level: "inner" | "outer"): number =>
  Math.max(
    ...c.model[level]
      .hessian([...c.exact.w])
      .map((row) => row.reduce((sum, v) => sum + Math.abs(v), 0)),
  );

const barrier = { tau: 0.3, margin: 0.5, mu: 0.01, theta: 0.01 };
const GAMMA = 10;
const byPenalty = biased("the penalty 10 leaves a bias of the order of 1/10");
const penaltyCells: Cells = {
  ...on(unique, byPenalty),
  "P2 saddle": noMinimum,
  P7: byPenalty,
  P8: ownBasin,
  P9: byPenalty,
  ...on([...bounds, "P12 moving"], unconfined),
  init: noInit,
  ...ownSteps,
};

export const rowsWithoutUniqueSolution: readonly Row[] = [
  {
    factory: "bda",
    option: "",
    make: (c) => bda(ofBda(c)),
    theory: aggregated(1),
    isConfined: true,
    cells: bdaCells(mixed),
  },
  {
    factory: "bda",
    option: 'attitude: "pessimistic"',
    make: (c) => bda({ ...ofBda(c), attitude: "pessimistic" }),
    theory: aggregated(-1),
    isConfined: true,
    cells: { ...bdaCells(mixed), ...asFirstForm },
  },
  {
    factory: "iaptt",
    option: "",
    make: (c) => {
      const { projection } = c.constraints ?? {};
      const dynamics = dynamicsOf(c);
      const options = {
        steps: c.steps,
        dynamics,
        auxiliary: gradientDescent({ learningRate: 0.1 }),
      };
      return iaptt(projection ? { ...options, projection } : options);
    },
    theory: (c) => unrolled(c, { steps: c.steps, isCut: true }),
    isConfined: true,
    cells: {
      ...on(unique, agrees(1e-9, "E is largest where the trajectory ends: nothing is cut")),
      ...on(
        ["P1", "P3", "P4", "P10", "P11", "P14", "leaves", "net"],
        biased("the trajectory is cut where E is largest"),
      ),
      "P2 saddle": noMinimum,
      P7: misses("one evaluation does not move the start"),
      P8: {
        kind: "arrives",
        leads: {
          to: [(11 * Math.PI) / 4],
          tolerance: 0.15,
          rate: 0.1,
          steps: 500,
          rule: () =>
            iaptt({
              steps: 40,
              dynamics: gradientDescent({ learningRate: 5e-4 }),
              auxiliary: gradientDescent({ learningRate: 0.1 }),
              projection: box({ lower: -2, upper: 2 }),
            }),
        },
        why: "the published steps of 0.1 oscillate by that much around the optimum",
      },
      P9: misses("its start has no influence once the follower converges"),
      ...on(bounds, agrees(1e-9, "E is largest where the trajectory ends: nothing is cut")),
      "P12 moving": unconfined,
      init: noInit,
      ...on(motionNames, biased("the trajectory is cut where E is largest", 1e-8)),
      ...on(
        ["conv", "net Adam", "conv momentum", "conv Nesterov", "conv contraction"],
        agrees(1e-8, "E is largest where the trajectory ends: nothing is cut"),
      ),
    },
  },
  {
    factory: "iaptt",
    option: 'truncation: "none"',
    make: (c) => {
      const { projection } = c.constraints ?? {};
      const dynamics = dynamicsOf(c);
      const options = {
        steps: c.steps,
        dynamics,
        auxiliary: gradientDescent({ learningRate: 0.5 }),
        truncation: "none" as const,
      };
      return iaptt(projection ? { ...options, projection } : options);
    },
    theory: (c) => unrolled(c, { steps: c.steps }),
    still: (c) => (c.name === "P7" ? 60 : 0),
    isConfined: true,
    cells: {
      ...on(unique, agrees()),
      "P2 saddle": noMinimum,
      P7: agrees(1e-9, "the start moves to the leader's choice of the free weights"),
      P8: unclaimed("as with truncation"),
      P9: misses("its start has no influence once the follower converges"),
      ...on(bounds, agrees()),
      "P12 moving": unconfined,
      init: noInit,
      ...on(motionNames, agrees(1e-8)),
    },
  },
  {
    factory: "valuePenalty",
    option: "",
    make: (c) =>
      valuePenalty({
        penalty: c.name === "P9" ? linearRamp({ from: 1, to: GAMMA, steps: 50 }) : GAMMA,
        steps: c.name === "P9" ? 5 : 12 * c.steps,
        learningRate: c.rate,
        valueSteps: c.steps,
        valueStart: c.lacks.length > 0 ? "response" : "warm",
      }),
    theory: (c) => penalized(c.model, GAMMA, basin(c)),
    still: (c) => (c.name === "P9" ? 120 : 0),
    cells: penaltyCells,
  },
  {
    factory: "gradientPenalty",
    option: "",
    make: (c) => {
      // The penalty's curvature is that of E and of 2γ·H².
      const rate = 0.9 / Math.max(largestRow(c, "outer"), 2 * largestRow(c, "inner") ** 2);
      return gradientPenalty({ penalty: GAMMA, steps: 60 * c.steps, learningRate: rate });
    },
    theory: (c) => gradientPenalized(c.model, GAMMA, c.name === "P9" ? [INNER_MAXIMUM] : basin(c)),
    cells: {
      ...penaltyCells,
      P9: flags("it climbs to an inner maximum, whose gradient vanishes too"),
      net: biased(
        "the penalty 10 leaves a bias; its condition number is the square of the problem's",
        1e-6,
      ),
      conv: unclaimed(
        "its penalty has the square of the condition number 61, for which the column has too few steps",
      ),
      P11: {
        kind: "strays",
        leads: { of: "w", to: [(2 * Math.PI) / 3], tolerance: 1e-12, rate: 0.5, steps: 5 },
        why: "the start is a false stationary point of the penalty, however large it is",
      },
    },
  },
  {
    factory: "logBarrier",
    option: "",
    make: (c) =>
      logBarrier({
        barrier: barrier.tau,
        margin: barrier.margin,
        valueRegularization: barrier.mu,
        regularization: barrier.theta,
        learningRate: 1,
        steps: c.name === "P7" ? 3000 : 600,
        // Along free weights the minimizer moves by its regularization alone.
        valueSteps: c.name === "P7" ? 4000 : 2 * c.steps,
        valueLearningRate: c.rate,
      }),
    theory: (c) => barred(c.model, barrier, basin(c), innerSolution(c, c.steps)),
    cells: {
      ...penaltyCells,
      ...on(
        [...unique, "P7", "P9"],
        biased("the barrier and its margin are part of the answer", 1e-5),
      ),
    },
  },
  {
    factory: "bome",
    option: "",
    make: (c) => bome({ steps: 10, learningRate: c.rate, responseLearningRate: 0.05 }),
    theory: (c) => bomeDirection(c, 10, 0.5),
    cells: {
      ...penaltyCells,
      ...on(unique, biased("one joint direction, by its formula")),
      P2: {
        kind: "arrives",
        leads: {
          to: [1.3766566908935443, -0.5515177426250534],
          tolerance: 0.03,
          rate: 0.05,
          steps: 600,
        },
        why: "ten steps estimate the inner minimum: it rests 0.0289 beside the optimum",
      },
      P7: {
        kind: "arrives",
        leads: { to: [1, 1], tolerance: 0.02, rate: 0.05, steps: 800 },
        why: "what its slow direction leaves after 800 steps",
      },
      P9: unclaimed(
        "its multiplier comes from one direction; where it leads is not known in closed form",
      ),
    },
  },
  {
    factory: "moreauEnvelope",
    option: "",
    make: (c) => moreauEnvelope({ penalty: GAMMA, proximalWeight: 0.5, learningRate: c.rate }),
    theory: (c) => enveloped(c.model, GAMMA, 0.5, basin(c)),
    // Along free weights E alone moves the answer, by a tenth of its gradient.
    still: (c) => (c.lacks.length > 0 ? 10 : 2) * c.steps,
    cells: penaltyCells,
  },
];
