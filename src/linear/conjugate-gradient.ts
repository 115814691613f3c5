/** Conjugate gradients for symmetric positive definite systems, with its exits made explicit. */
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../program/index.ts";
import {
  code,
  curvatureTolerance,
  firstProgress,
  observe,
  outcomeAt,
  stopAt,
  type Progress,
} from "./progress.ts";
import { type FullKrylovOptions, krylovLoop, type KrylovOptions, krylovOptions } from "./krylov.ts";
import {
  checkAtLeastZero,
  damped,
  typeOf,
  type LinearSolver,
  type LinearSystem,
} from "./system.ts";
import { addScaled, dot, norm, type Vector } from "./vectors.ts";

/** Options of {@link conjugateGradient}. */
export interface ConjugateGradientOptions extends KrylovOptions {
  /** pᵀAp ≤ this · ‖A‖ · ‖p‖² counts as zero curvature; default 1e-12 in float64, 1e-6 in float32. */
  readonly curvatureTolerance?: number;
}

/**
 * Conjugate gradients: after J iterations the point of the J-th Krylov space with the least ½qᵀAq − bᵀq.
 *
 *     a = ‖r‖² / pᵀAp;  q ← q + a·p;  r ← r − a·Ap;  p ← r + (‖r_new‖² / ‖r‖²)·p
 *
 * The error in the A-norm falls at least as 2·((√κ−1)/(√κ+1))^J; n iterations are exact up to rounding. As long as
 * curvatures are positive the latest iterate is the best in that norm, and it is what is returned. A direction with
 * pᵀAp ≤ tol·‖A‖·‖p‖² ends the iteration as `singular` or `negative-curvature`, with the iterate before that direction.
 *
 * Costs J products and the memory of three vectors.
 *
 * @throws RangeError when an option is out of range.
 * @see Hestenes, Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.
 * @example
 * implicit({ solver: conjugateGradient({ maxSteps: 20, rtol: 1e-8 }), steps: 100, dynamics });
 */
export function conjugateGradient(options: ConjugateGradientOptions = {}): LinearSolver {
  const full = krylovOptions("conjugateGradient", options, { curvatureTolerance: "number" });
  const { maxSteps, damping } = full;
  checkAtLeastZero("conjugateGradient: curvatureTolerance", options.curvatureTolerance ?? 0);
  return {
    name: "conjugate-gradient",
    needs: { symmetric: true, positiveDefinite: true, contraction: false, memory: "O(n)" },
    damping,
    cost: (size, hasStart) => ({
      products: maxSteps + (hasStart ? 1 : 0),
      reportProducts: 1,
      storedFloats: 3 * size,
    }),
    solve: (program, system) => iterate(program, damped(program, system, damping), full),
  };
}

/** What one iteration hands to the next. */
type State<V, T> = {
  readonly q: V;
  readonly r: V;
  readonly p: V;
  /** ‖r‖² */
  readonly rr: T;
  readonly progress: Progress<T>;
};

function iterate(
  program: Program,
  system: LinearSystem,
  options: FullKrylovOptions<ConjugateGradientOptions>,
): ReturnType<LinearSolver["solve"]> {
  const dtype = typeOf("conjugateGradient", system);
  const flat = options.curvatureTolerance ?? curvatureTolerance(dtype);
  const begin = (q: Vector, r: Vector, rhs: Vector): State<Vector, np.Array> => {
    const progress = firstProgress(norm(r), stopAt(rhs, dtype, options));
    return { q, r, p: r, rr: dot(r, r), progress };
  };
  const step = (
    { q, r, p, rr, progress }: State<Vector, np.Array>,
    ap: Vector,
    rhs: Vector,
  ): State<Vector, np.Array> => {
    const pp = dot(p, p);
    const pAp = dot(p, ap);
    const curvature = pAp.div(pp);
    const seen = observe(progress, curvature, np.sqrt(dot(ap, ap).div(pp)));
    const zero = seen.scale.mul(flat);
    const isFlat = np.lessEqual(curvature, zero);
    const a = np.where(isFlat, 0, rr.div(pAp));
    const next = addScaled(r, a.mul(-1), ap);
    const rrNext = dot(next, next);
    const met = np.where(
      np.less(curvature, zero.mul(-1)),
      code("negative-curvature"),
      code("singular"),
    );
    const reached = outcomeAt(np.sqrt(rrNext), stopAt(rhs, dtype, options));
    return {
      q: addScaled(q, a, p),
      r: next,
      p: addScaled(next, rrNext.div(rr), p),
      rr: rrNext,
      progress: { ...seen, outcome: np.where(isFlat, met, reached) },
    };
  };

  const { rhs } = system;
  return krylovLoop<State<Tree<Value>, Value>>(program, system, options, {
    first: (q, residual) => program.call(begin as never, q, residual, rhs),
    next: (state) => program.call(step as never, state, system.product(state.p), rhs),
  });
}
