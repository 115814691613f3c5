/** Solvers of linear systems that are known only through products, built inside a program. */
export { type KrylovOptions } from "./krylov.ts";
export { conjugateGradient, type ConjugateGradientOptions } from "./conjugate-gradient.ts";
export {
  conjugateGradientNormal,
  type ConjugateGradientNormalOptions,
} from "./conjugate-gradient-normal.ts";
export { dense, type DenseOptions } from "./dense.ts";
export { fixedPoint, type FixedPointOptions } from "./fixed-point.ts";
export { minres, type MinresOptions } from "./minres.ts";
export { neumann, type NeumannOptions } from "./neumann.ts";
export { nystrom, type NystromOptions } from "./nystrom.ts";
export {
  LINEAR_OUTCOMES,
  type LinearCost,
  type LinearNeeds,
  type LinearOutcome,
  type LinearReport,
  type LinearSolution,
  type LinearSolver,
  type LinearSystem,
  type Stopping,
} from "./system.ts";
