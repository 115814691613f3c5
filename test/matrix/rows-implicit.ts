/** Rows of rules that differentiate the inner solution. */
import { gradientDescent, momentum } from "../../src/bilevel/index.ts";
import { implicit, implicitKkt } from "../../src/bilevel/rules/index.ts";
import {
  conjugateGradient,
  conjugateGradientNormal,
  dense,
  fixedPoint,
  minres,
  neumann,
  nystrom,
  type LinearSolver,
} from "../../src/linear/index.ts";
import { solveDense } from "../bilevel/dense.ts";
import {
  agrees,
  asFirstForm,
  biased,
  flags,
  misses,
  on,
  refuses,
  unconfined,
  type Cells,
  type Row,
} from "./cells.ts";
import { dynamicsOf, motionNames, type Column } from "./column.ts";
import { damped, implicitAt, innerSolution, series, throughMotion } from "./theory.ts";

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
const noConstraint = refuses(/inequalities or equalities is required/, "there is no constraint");
const atSolution = "the first weights have no part: it is the derivative of the solution, near w₅";

const slides = {
  kind: "strays",
  leads: { to: [1], tolerance: 0, rate: 0.1, steps: 30, start: "cold" },
  why: "dE/dx = 1 on every branch of inner solutions: the leader slides to its bound x = 1 and never changes the branch",
} as const;

const exact: Cells = {
  ...on(unique, agrees()),
  "P2 saddle": flags("negative curvature"),
  P7: flags("the Hessian is singular, and the system has no solution"),
  P8: slides,
  P9: misses("the follower stays at the wrong minimum beside which it starts"),
  ...on(bounds, unconfined),
  "P12 moving": unconfined,
  init: biased(atSolution),
  ...on(
    motionNames,
    biased("the answer is eight steps from its start, and is differentiated as a solution", 1e-8),
  ),
};

const rowOf = (
  option: string,
  solver: (column: Column) => LinearSolver,
  solve: (column: Column) => Parameters<typeof implicitAt>[2],
  cells: Cells,
): Row => ({
  factory: "implicit",
  option,
  make: (c) => implicit({ solver: solver(c), steps: c.steps, dynamics: dynamicsOf(c) }),
  theory: (c) => implicitAt(c.model, innerSolution(c, c.steps), solve(c)),
  cells,
});

/** Its own Jacobian is differenced where squares of small gradients have roots. */
const eightStepsOfAdam = biased(
  "the answer is eight steps from its start, and is differentiated as a fixed point of Adam's map",
  1e-7,
);

/** Networks, which the other rules see free, have a bound on a bias here. */
const constraintsOf = (c: Column): NonNullable<Column["constraints"]> =>
  c.constraints ?? c.bounded?.constraints ?? {};

/** A bound on a bias, under which each of the dynamics takes as many steps as gradient descent. */
const onNetworks = {
  ...on(["net", "conv", ...motionNames], agrees(1e-6, "what the steps leave")),
  ...on(["net Adam", "conv Adam"], agrees(2e-2, "Adam's steps of 0.02 do not come to rest")),
};

/** Few, so that the series' bias shows; where the Hessian is singular, enough to notice. */
const terms = (c: Column): number => (c.lacks.length > 0 ? 50 : 4);

export const implicitRows: readonly Row[] = [
  rowOf(
    "solver: conjugateGradient",
    () => conjugateGradient({ maxSteps: 50, rtol: 1e-14 }),
    () => solveDense,
    exact,
  ),
  rowOf(
    "solver: neumann",
    (c) => neumann({ step: c.rate, maxSteps: terms(c) }),
    (c) => series(terms(c), c.rate),
    { ...exact, ...asFirstForm, ...on(unique, biased("four terms of the series")), P11: agrees() },
  ),
  rowOf(
    "solver: minres",
    () => minres({ maxSteps: 50, rtol: 1e-14 }),
    () => solveDense,
    {
      ...exact,
      ...asFirstForm,
      "P2 saddle": agrees(1e-9, "MINRES solves indefinite systems"),
    },
  ),
  rowOf(
    "solver: nystrom",
    (c) => nystrom({ rank: c.start.length, rho: 1e-2 }),
    () => damped(1e-2),
    {
      ...exact,
      ...asFirstForm,
      ...on(unique, biased("the damping 0.01 is part of the answer")),
      P11: agrees(),
    },
  ),
  rowOf(
    "solver: dense",
    () => dense(),
    () => solveDense,
    { ...exact, ...asFirstForm },
  ),
  {
    factory: "implicit",
    option: "solver: fixedPoint",
    make: (c) => {
      const { projection } = c.constraints ?? {};
      const solver = fixedPoint({ maxSteps: Math.max(c.steps, c.moved ? 4000 : 200), rtol: 1e-14 });
      const options = { solver, steps: c.steps, dynamics: dynamicsOf(c) };
      return implicit(projection ? { ...options, projection } : options);
    },
    theory: (c) =>
      c.moved
        ? throughMotion(c, c.moved, c.steps)
        : implicitAt(c.model, innerSolution(c, c.steps), solveDense),
    isConfined: true,
    cells: {
      ...exact,
      "P2 saddle": flags("the dynamics do not contract", "diverged"),
      "net Adam": eightStepsOfAdam,
      "conv Adam": flags("the dynamics do not contract", "diverged"),
      ...on(bounds, agrees()),
    },
  },
  {
    factory: "implicit",
    option: 'solver: conjugateGradientNormal, through: "dynamics"',
    make: (c) => {
      const { projection } = c.constraints ?? {};
      const options = {
        solver: conjugateGradientNormal({ maxSteps: c.moved ? 2000 : 100, rtol: 1e-14 }),
        through: "dynamics" as const,
        steps: c.steps,
        // Five steps are compared with five steps of gradient descent; all others converge.
        dynamics:
          c.startDerivative || c.moved
            ? dynamicsOf(c)
            : momentum({ learningRate: c.rate / 2, momentum: 0.3 }),
      };
      return implicit(projection ? { ...options, projection } : options);
    },
    theory: (c) =>
      c.moved
        ? throughMotion(c, c.moved, c.steps)
        : implicitAt(c.model, innerSolution(c, c.steps), solveDense),
    isConfined: true,
    cells: {
      ...exact,
      "P2 saddle": agrees(1e-9, "the normal equations are definite"),
      ...on(["net Adam", "conv Adam"], eightStepsOfAdam),
      ...on(bounds, agrees()),
    },
  },
  {
    factory: "implicitKkt",
    option: "",
    make: (c) => {
      const { projection, ...constraints } = constraintsOf(c);
      const steps = c.bounded?.steps ?? c.steps;
      const options = { ...constraints, steps, dynamics: dynamicsOf(c) };
      return implicitKkt(projection ? { ...options, projection } : options);
    },
    theory: (c) => c.bounded?.exact ?? c.exact,
    isConfined: true,
    cells: {
      ...on([...unique, "P2 saddle", "P7", "P8", "P9", "init"], noConstraint),
      ...on([...bounds, "leaves"], agrees()),
      ...onNetworks,
      "P12 moving": unconfined,
    },
  },
  {
    factory: "implicitKkt",
    option: "penalty: ρ",
    make: (c) => {
      const { inequalities, equalities } = constraintsOf(c);
      return implicitKkt({
        ...(inequalities ? { inequalities } : {}),
        ...(equalities ? { equalities } : {}),
        penalty: 1,
        steps: 6 * (c.bounded?.steps ?? c.steps),
        dynamics: c.moved ? dynamicsOf(c) : gradientDescent({ learningRate: c.rate / 2 }),
      });
    },
    theory: (c) => c.bounded?.exact ?? c.exact,
    isConfined: true,
    cells: {
      ...on([...unique, "P2 saddle", "P7", "P8", "P9", "init"], noConstraint),
      ...on([...bounds, "P12 moving", "leaves"], agrees(1e-8, "the multipliers converge linearly")),
      ...onNetworks,
    },
  },
];
