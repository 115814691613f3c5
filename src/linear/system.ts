/**
 * What a linear solver is: a plain value that adds to a program the solution of A·q = b, where A is known only through
 * its products. What its caller must know, it declares; how it ended is data.
 */
import { tree } from "@jax-js/jax";
import type { DType, Program, Tree, Value } from "../program/index.ts";
import { addScaledBy } from "./vectors.ts";
import { callTree, checkCount } from "../program/internal.ts";

/** A·q = b inside a program; vectors are trees of floating-point arrays of one type. */
export interface LinearSystem {
  /** A·v; called while the program is built, possibly inside a loop. */
  product(v: Tree<Value>): Tree<Value>;
  /** Aᵀ·v. Left out: A is symmetric. */
  transposed?(v: Tree<Value>): Tree<Value>;
  /** b */
  readonly rhs: Tree<Value>;
  /** The first iterate, for solvers that iterate. Default: 0. */
  readonly start?: Tree<Value>;
}

/**
 * How a solver ended.
 *
 * - `converged`: the residual is at or below its tolerance.
 * - `max-steps`: it is not, after all steps.
 * - `singular`: a direction with A·p = 0 (up to the curvature tolerance) or a zero pivot was met.
 * - `negative-curvature`: pᵀAp < 0 was met by a solver that needs a positive definite A.
 * - `inconsistent`: b is not in the range of a singular A; the answer is a least-squares solution.
 * - `stagnated`: the recursion believes that it converged, the true residual does not.
 * - `diverged`: the residual grew a thousandfold.
 * - `overdamped`: the damped system is solved, but a good part of its answer lies where A's curvature is below the damping.
 * - `non-finite`: NaN or an infinity in the residual.
 */
export type LinearOutcome = (typeof LINEAR_OUTCOMES)[number];

/** The outcomes; a program reports the index, as an int32. */
export const LINEAR_OUTCOMES = [
  "converged",
  "max-steps",
  "singular",
  "negative-curvature",
  "inconsistent",
  "stagnated",
  "diverged",
  "non-finite",
  "overdamped",
] as const;

/** What a solver measures: scalars. */
export interface LinearReport<T> {
  /** ‖b − A·q‖, computed from q with a product of its own. */
  readonly residualNorm: T;
  /** residualNorm / ‖b‖. */
  readonly relativeResidual: T;
  /** Iterations begun, the one that stopped included; an int32. */
  readonly steps: T;
  /** Smallest and largest pᵀAp / ‖p‖² over the directions met (each solver says where it differs); NaN when none was. */
  readonly smallestCurvature: T;
  readonly largestCurvature: T;
  /** Index into {@link LINEAR_OUTCOMES}; an int32. */
  readonly outcome: T;
}

/** A solver's answer as symbolic arrays. */
export interface LinearSolution {
  readonly solution: Tree<Value>;
  readonly report: LinearReport<Value>;
}

/** What a solver asks of A. */
export interface LinearNeeds {
  readonly symmetric: boolean;
  readonly positiveDefinite: boolean;
  /** I − A must be a contraction. */
  readonly contraction: boolean;
  /** Memory in words, for n unknowns. */
  readonly memory: string;
}

/** What a solve costs at most, known before anything runs. */
export interface LinearCost {
  /** Products with A or Aᵀ. */
  readonly products: number;
  /** Further products that only the report needs. */
  readonly reportProducts: number;
  /** Numbers kept between two iterations. */
  readonly storedFloats: number;
}

/** A way to solve A·q = b. */
export interface LinearSolver {
  readonly name: string;
  readonly needs: LinearNeeds;
  /** δ when it solves (A + δI)·q = b, and reports on that system; absent: 0. */
  readonly damping?: number;
  /**
   * What a solve costs at most.
   *
   * @param size - length of the vectors.
   * @param hasStart - whether {@link LinearSystem.start} is given.
   */
  cost(size: number, hasStart: boolean): LinearCost;
  /** Adds the solution to `program`. */
  solve(program: Program, system: LinearSystem): LinearSolution;
}

/** When an iteration ends. */
export interface Stopping {
  /** At most this many iterations, ≥ 1. */
  readonly maxSteps: number;
  /** Stop at ‖b − A·q‖ ≤ rtol·‖b‖; default 1e-10 in float64, 1e-5 in float32. Rounding, 1 ulp of ‖b‖, is the floor. */
  readonly rtol?: number;
  /** Stop at ‖b − A·q‖ ≤ atol; default 0. */
  readonly atol?: number;
}

/** Makes A + damping·I of A. */
export function damped(program: Program, system: LinearSystem, damping: number): LinearSystem {
  if (damping === 0) return system;
  const shift =
    (multiply: LinearSystem["product"]): LinearSystem["product"] =>
    (v) =>
      callTree(program, addScaledBy(damping), multiply(v), v);
  return {
    ...system,
    product: shift((v) => system.product(v)),
    ...(system.transposed ? { transposed: shift((v) => system.transposed!(v)) } : {}),
  };
}

/** The type of a system's vectors. @throws TypeError when the leaves differ in type. */
export function typeOf(name: string, system: LinearSystem): DType {
  const types = new Set(tree.leaves<Value>(system.rhs).map(({ dtype }) => dtype));
  const [dtype] = types;
  if (types.size !== 1 || !dtype!.startsWith("float")) {
    throw new TypeError(
      `${name}: all arrays of the right-hand side must have one floating-point type, ${[...types].join(" and ") || "no array"} came; cast them to one type.`,
    );
  }
  return dtype!;
}

/** @throws RangeError for steps that are not a whole number ≥ 1 or tolerances that are negative. */
export function checkStopping(name: string, { maxSteps, rtol = 0, atol = 0 }: Stopping): void {
  checkCount(`${name}: maxSteps`, maxSteps);
  checkAtLeastZero(`${name}: rtol`, rtol);
  checkAtLeastZero(`${name}: atol`, atol);
}

/** @throws RangeError unless `value` is finite and ≥ 0. */
export function checkAtLeastZero(where: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0)) {
    throw new RangeError(`${where} must be a number >= 0; ${String(value)} came.`);
  }
}
