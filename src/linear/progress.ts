/** What the iterative solvers share: how far they are, when they stop, and the final word on the true residual. */
import { numpy as np } from "@jax-js/jax";
import { type DType, type Program, tensor, type Tree, type Value } from "../program/index.ts";
import {
  LINEAR_OUTCOMES,
  type LinearOutcome,
  type LinearReport,
  type LinearSolution,
  type LinearSystem,
} from "./system.ts";
import { addScaled, epsilonOf, norm, zerosLike, type Vector } from "./vectors.ts";
import { callTree } from "../program/internal.ts";

/** The state of an iteration apart from its vectors; scalars. */
export type Progress<T> = {
  /** Extremes of pᵀAp / ‖p‖² so far. */
  readonly smallest: T;
  readonly largest: T;
  /** Largest ‖A·p‖ / ‖p‖ so far: a lower bound on ‖A‖, against which "zero" curvature is judged. */
  readonly scale: T;
  /** `max-steps` while it runs; an int32. */
  readonly outcome: T;
};

/** The tolerances of one solve. */
export interface Tolerances {
  readonly rtol?: number | undefined;
  readonly atol?: number | undefined;
}

/** pᵀAp ≤ this · scale · ‖p‖² counts as zero or negative curvature. */
export function curvatureTolerance(dtype: DType): number {
  return dtype === "float64" ? 1e-12 : dtype === "float32" ? 1e-6 : 1e-2;
}

/** The residual norm at which to stop: the largest of atol, rtol·‖b‖ and rounding. A jax-js function. */
export function stopAt(rhs: Vector, dtype: DType, { rtol, atol = 0 }: Tolerances): np.Array {
  const relative = rtol ?? (dtype === "float64" ? 1e-10 : dtype === "float32" ? 1e-5 : 1e-2);
  return np.maximum(norm(rhs).mul(Math.max(relative, epsilonOf(dtype))), atol);
}

/** Before the first iteration: converged where the first residual is small enough. A jax-js function. */
export function firstProgress(residual: np.Array, stop: np.Array): Progress<np.Array> {
  const zero = np.zerosLike(residual);
  return {
    smallest: zero.add(Infinity),
    largest: zero.sub(Infinity),
    scale: zero,
    outcome: np.where(np.lessEqual(residual, stop), code("converged"), code("max-steps")),
  };
}

/** Whether to go on. A jax-js function. */
export function isRunning(outcome: np.Array): np.Array {
  return np.equal(outcome, code("max-steps"));
}

/** Takes the direction p with product A·p into account. A jax-js function. */
export function observe(
  progress: Progress<np.Array>,
  curvature: np.Array,
  stretch: np.Array,
): Progress<np.Array> {
  return {
    smallest: np.minimum(progress.smallest, curvature),
    largest: np.maximum(progress.largest, curvature),
    scale: np.maximum(progress.scale, stretch),
    outcome: progress.outcome,
  };
}

/** The outcome after an iteration that reached this residual norm. A jax-js function. */
export function outcomeAt(residual: np.Array, stop: np.Array): np.Array {
  return np.where(
    np.lessEqual(residual, stop),
    code("converged"),
    np.where(np.isfinite(residual), code("max-steps"), code("non-finite")),
  );
}

/** An outcome as an int32 scalar. A jax-js function. */
export function code(outcome: LinearOutcome): np.Array {
  return np.array(LINEAR_OUTCOMES.indexOf(outcome), { dtype: np.int32 });
}

/** b − A·q at the start: b itself without a first iterate. */
export function firstResidual(
  program: Program,
  { product, rhs, start }: LinearSystem,
): { start: Tree<Value>; residual: Tree<Value> } {
  if (start === undefined) return { start: callTree(program, zerosLike, rhs), residual: rhs };
  return { start, residual: callTree(program, subtract, rhs, product(start)) };
}

/**
 * Measures the residual of a solution with a product of its own, and corrects the outcome by it: a recursion that claims
 * convergence without the residual to show for it has stagnated, and a direct solver's answer has converged when it has.
 */
export function finish(
  program: Program,
  system: LinearSystem,
  tolerances: Tolerances,
  solution: Tree<Value>,
  steps: Value | number,
  progress: Progress<Value>,
): LinearSolution {
  const dtype = progress.scale.dtype;
  const judge = (
    { smallest, largest, outcome }: Progress<np.Array>,
    rhs: Vector,
    image: Vector,
  ): Omit<LinearReport<np.Array>, "steps"> => {
    const residualNorm = norm(addScaled(rhs, -1, image));
    const size = norm(rhs);
    const stop = stopAt(rhs, dtype, tolerances);
    // Rounding in the last product alone may exceed a tolerance of one ulp.
    const isSmall = np.lessEqual(
      residualNorm,
      np.maximum(stop.mul(2), size.mul(64 * epsilonOf(dtype))),
    );
    const is = (name: LinearOutcome): np.Array => np.equal(outcome, code(name));
    const unfinished = np.where(np.isfinite(residualNorm), outcome, code("non-finite"));
    // No least-squares solution leaves more than b itself.
    const isWorse = np.less(size.mul(1.01), residualNorm);
    const ended = np.select(
      [is("max-steps"), is("converged"), is("inconsistent")],
      [
        np.where(isSmall, code("converged"), unfinished),
        np.where(isSmall, outcome, code("stagnated")),
        np.where(isWorse, code("stagnated"), outcome),
      ],
      outcome,
    );
    const hasMet = np.lessEqual(smallest, largest);
    const tiny = dtype === "float64" ? 1e-300 : 1e-30;
    return {
      residualNorm,
      relativeResidual: residualNorm.div(np.maximum(size, dtype === "float16" ? 1e-4 : tiny)),
      smallestCurvature: np.where(hasMet, smallest, np.nan),
      largestCurvature: np.where(hasMet, largest, np.nan),
      outcome: ended,
    };
  };
  const judged = program.call(
    judge as never,
    progress as unknown as Tree<Value>,
    system.rhs,
    system.product(solution),
  ) as unknown as Omit<LinearReport<Value>, "steps">;
  const count =
    typeof steps === "number" ? program.constant(tensor(steps, { dtype: "int32" })) : steps;
  return { solution, report: { ...judged, steps: count } };
}

function subtract(a: Vector, b: Vector): Vector {
  return addScaled(a, -1, b);
}
