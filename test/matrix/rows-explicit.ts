/** Rows of rules that differentiate the follower's steps. */
import {
  closedForm,
  darts,
  displacement,
  firstOrder,
  forward,
  oneStage,
  realTime,
  reverse,
  truncated,
} from "../../src/bilevel/rules/index.ts";
import { type UnrolledOptions } from "../../src/bilevel/index.ts";
import {
  agrees,
  asFirstForm,
  biased,
  lacks,
  misses,
  on,
  refuses,
  unclaimed,
  unconfined,
  type Cells,
  type Row,
} from "./cells.ts";
import { apply, transpose } from "../bilevel/dense.ts";
import { dynamicsOf, motionNames, type Column } from "./column.ts";
import { plus } from "./model.ts";
import { greedy, unrolled, type Answer, type Place } from "./theory.ts";

const withSteps = (column: Column, steps = column.steps): UnrolledOptions => {
  const { projection } = column.constraints ?? {};
  const dynamics = dynamicsOf(column);
  return projection ? { steps, dynamics, projection } : { steps, dynamics };
};

const slides = {
  kind: "strays",
  leads: { to: [1], tolerance: 0, rate: 0.1, steps: 30, start: "cold" },
  why: "dE/dx = 1 on every branch of inner solutions: the leader slides to its bound x = 1 and never changes the branch",
} as const;
const stays =
  "y2 stays where it starts: the leader stops at (1 + 0.01)/2 = 0.505 in the place of 1";
const wrongBranch = "the follower stays at the wrong minimum beside which it starts";
const unique = [
  "P1",
  "P2",
  "P3",
  "P4",
  "P5",
  "P6",
  "P10",
  "P13",
  "P14",
  "leaves",
  "net",
  "conv",
] as const;

const exact: Cells = {
  ...on(unique, agrees()),
  "P2 saddle": lacks("a minimum"),
  P7: misses(stays),
  P8: slides,
  P9: misses(wrongBranch),
  P11: agrees(),
  ...on(["P12 free", "P12 bound", "P12 plane"], agrees()),
  "P12 moving": unconfined,
  init: agrees(1e-14, "the derivative of the same five steps"),
  ...on(motionNames, agrees(1e-8, "the derivative of the same steps, which is differenced")),
};

const withoutInit = [
  ...unique,
  "P2 saddle",
  "P7",
  "P8",
  "P9",
  "P11",
  "P12 free",
  "P12 bound",
  "P12 plane",
  "P12 moving",
  ...motionNames,
] as const;

const dropsStart = refuses(/init/, "it drops the steps through which the first weights matter");
const all = (column: Column) => unrolled(column, { steps: column.steps, ...startOf(column) });
const startOf = ({ startDerivative }: Column) => (startDerivative ? { startDerivative } : {});

/** Cells of a rule that keeps less than all steps. */
const partial = (why: string): Cells => ({
  ...exact,
  ...on(unique, biased(why)),
  P7: misses(`${stays}, and ${why}`),
  P8: unclaimed("a part of the derivative along a branch that the leader must leave"),
  P9: misses(wrongBranch),
  ...on(["P12 free", "P12 plane"], biased(why)),
  "P12 bound": agrees(1e-9, "no step moves the answer off its bound"),
  init: dropsStart,
  ...on(motionNames, biased(why, 1e-8)),
});

export const explicitRows: readonly Row[] = [
  {
    factory: "reverse",
    option: "",
    make: (c) => reverse(withSteps(c)),
    theory: all,
    isConfined: true,
    cells: exact,
  },
  {
    factory: "reverse",
    option: 'checkpoints: n or "sqrt"',
    make: (c) => reverse({ ...withSteps(c), checkpoints: "sqrt" }),
    theory: all,
    isConfined: true,
    cells: { ...exact, ...asFirstForm },
  },
  {
    factory: "reverse",
    option: "checkpoints: { slots: c }",
    make: (c) => reverse({ ...withSteps(c), checkpoints: { slots: 10 } }),
    theory: all,
    isConfined: true,
    cells: { ...exact, ...asFirstForm },
  },
  {
    factory: "forward",
    option: "",
    make: (c) => forward(withSteps(c)),
    theory: all,
    isConfined: true,
    cells: exact,
  },
  {
    factory: "realTime",
    option: "",
    make: (c) => realTime(withSteps(c)),
    theory: all,
    isConfined: true,
    cells: { ...exact, init: dropsStart },
  },
  {
    factory: "realTime",
    option: 'tangents: "reset"',
    make: (c) => realTime({ ...withSteps(c), tangents: "reset" }),
    theory: all,
    isConfined: true,
    cells: { ...exact, ...asFirstForm, init: dropsStart },
  },
  {
    factory: "truncated",
    option: "",
    make: (c) => truncated({ ...withSteps(c), keep: Math.min(3, c.steps) }),
    theory: (c) => unrolled(c, { steps: c.steps, keep: Math.min(3, c.steps) }),
    isConfined: true,
    cells: partial("of the steps only the last three are differentiated"),
  },
  {
    factory: "oneStage",
    option: "",
    make: (c) => oneStage(withSteps(c)),
    theory: (c) => unrolled(c, { steps: c.steps, keep: 1 }),
    isConfined: true,
    cells: partial("the step size stands in the place of the inverse Hessian"),
  },
  {
    factory: "oneStage",
    option: "discount: γ",
    make: (c) => oneStage({ ...withSteps(c), discount: 0.9 }),
    theory: (c) => greedy(c, c.steps, 0.9),
    isConfined: true,
    cells: {
      ...partial("the direct parts are summed with 0.9 for each later step"),
      "P12 bound": agrees(1e-2, "0.9^t is left of the steps before the bound was reached"),
    },
  },
  {
    factory: "darts",
    option: "order: 2",
    make: (c) => darts({ learningRate: c.rate, order: 2, dynamics: dynamicsOf(c) }),
    theory: (c) => unrolled(virtualStep(c), { steps: 1 }),
    cells: dartsCells("one step is taken, and differentiated"),
  },
  {
    factory: "darts",
    option: 'order: 2, difference: "finite"',
    make: (c) =>
      darts({ learningRate: c.rate, order: 2, difference: "finite", dynamics: dynamicsOf(c) }),
    theory: (c) => unrolled(virtualStep(c), { steps: 1 }),
    cells: {
      ...dartsCells("one step is taken, and differentiated"),
      ...asFirstForm,
      // The finite difference is exact for quadratics alone; elsewhere the error is of the order of ε².
      P9: misses(wrongBranch, 1e-4),
      P10: biased("one step is taken, and differentiated by differences", 1e-4),
    },
  },
  {
    factory: "darts",
    option: "order: 1",
    make: (c) => darts({ learningRate: c.rate, order: 1, dynamics: dynamicsOf(c) }),
    theory: ({ model, start }) => ({ gradient: model.outer.leader(start), w: start }),
    cells: dartsCells("no step is taken; the direct part alone is left"),
  },
  {
    factory: "closedForm",
    option: "",
    make: () => closedForm(),
    theory: (c) => unrolled(c, { steps: 0, ...startOf(c) }),
    cells: {
      ...on(withoutInit, refuses(/must have an init/, "the follower is what init computes")),
      init: biased(
        "the weights that init gives are judged as they are, and are no solution",
        1e-14,
      ),
    },
  },
  {
    factory: "firstOrder",
    option: "",
    make: (c) => firstOrder(withSteps(c)),
    theory: (c) => unrolled(c, { steps: c.steps, keep: 0, ...startOf(c) }),
    isConfined: true,
    cells: {
      ...partial("no step is differentiated"),
      init: biased("the steps are taken for the identity", 1e-14),
    },
  },
  {
    factory: "displacement",
    option: "",
    make: (c) => displacement(withSteps(c)),
    theory: displaced,
    isConfined: true,
    cells: {
      ...partial("it is 0 where no first weights depend on λ"),
      P11: biased("it is 0 where no first weights depend on λ"),
      init: biased("it is the way back to the first weights, whatever E is", 1e-14),
    },
  },
];

/** (∂w_0/∂λ)ᵀ (w_0 − w_T) */
function displaced(c: Column): Answer {
  const { w } = unrolled(c, { steps: c.steps, keep: 0 });
  const back = plus(c.start, -1, w);
  const { startDerivative } = c;
  const still = c.model.outer.leader(w).map(() => 0);
  return { gradient: startDerivative ? apply(transpose(startDerivative), back) : still, w };
}

/** The virtual step is one of gradient descent, whatever moves the follower. */
const virtualStep = (c: Column): Place => ({ ...c, projection: undefined, moved: undefined });

function dartsCells(why: string): Cells {
  return {
    ...partial(why),
    P11: biased(
      "the gradient is right, as λ does not reach L; the answer is that of one step or none",
    ),
    ...on(["P12 free", "P12 bound", "P12 plane"], unconfined),
  };
}
