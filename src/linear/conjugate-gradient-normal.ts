/** Conjugate gradients on the normal equations AᵀA q = Aᵀb, for maps that are not symmetric. */
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../program/index.ts";
import {
  code,
  curvatureTolerance,
  firstProgress,
  isRunning,
  observe,
  outcomeAt,
  stopAt,
  type Progress,
} from "./progress.ts";
import { type FullKrylovOptions, krylovLoop, type KrylovOptions, krylovOptions } from "./krylov.ts";
import { damped, typeOf, type LinearSolver, type LinearSystem } from "./system.ts";
import { addScaled, dot, norm, type Vector } from "./vectors.ts";

/** Options of {@link conjugateGradientNormal}; each of its iterations makes two products. */
export type ConjugateGradientNormalOptions = KrylovOptions;

/**
 * CGLS: after J iterations the point of the J-th Krylov space of AᵀA with the least ‖b − A·q‖.
 *
 *     t = A·p;  a = ‖s‖² / ‖t‖²;  q ← q + a·p;  r ← r − a·t;  s = Aᵀr;  p ← s + (‖s_new‖² / ‖s‖²)·p
 *
 * Needs nothing of A but the product with Aᵀ; the residual never grows, so the latest iterate is the best. The rate is
 * that of conjugate gradients with κ(A)² for κ. Where ‖Aᵀr‖ vanishes before r does, b is outside the range of A: the
 * answer is a least-squares solution, and the outcome `inconsistent`. Its curvatures are ‖A·p‖ / ‖p‖.
 *
 * Costs 2J + 1 products and the memory of three vectors.
 *
 * @throws RangeError when an option is out of range.
 * @see Björck, "Numerical methods for least squares problems", algorithm 7.4.1.
 */
export function conjugateGradientNormal(
  options: ConjugateGradientNormalOptions = {},
): LinearSolver {
  const full = krylovOptions("conjugateGradientNormal", options);
  const { maxSteps, damping } = full;
  return {
    name: "normal-conjugate-gradient",
    needs: { symmetric: false, positiveDefinite: false, contraction: false, memory: "O(n)" },
    damping,
    cost: (size, hasStart) => ({
      products: 2 * maxSteps + (hasStart ? 2 : 1),
      reportProducts: 1,
      storedFloats: 3 * size,
    }),
    solve: (program, system) => iterate(program, damped(program, system, damping), full),
  };
}

type State<V, T> = {
  readonly q: V;
  readonly r: V;
  readonly p: V;
  /** ‖Aᵀr‖² */
  readonly ss: T;
  readonly progress: Progress<T>;
};

function iterate(
  program: Program,
  system: LinearSystem,
  options: FullKrylovOptions<ConjugateGradientNormalOptions>,
): ReturnType<LinearSolver["solve"]> {
  const dtype = typeOf("conjugateGradientNormal", system);
  const flat = curvatureTolerance(dtype);
  const transposed = (v: Tree<Value>): Tree<Value> =>
    system.transposed ? system.transposed(v) : system.product(v);

  const begin = (q: Vector, r: Vector, s: Vector, rhs: Vector): State<Vector, np.Array> => {
    const size = norm(r);
    const progress = firstProgress(size, stopAt(rhs, dtype, options));
    // Without a start r = b, and Aᵀb = 0 alone makes 0 a least-squares solution.
    const isDone = np.logicalAnd(isRunning(progress.outcome), np.equal(dot(s, s), 0));
    const outcome = np.where(isDone, code("inconsistent"), progress.outcome);
    return { q, r, p: s, ss: dot(s, s), progress: { ...progress, outcome } };
  };
  const move = (
    { q, r, p, ss, progress }: State<Vector, np.Array>,
    t: Vector,
  ): Pick<State<Vector, np.Array>, "q" | "r" | "progress"> => {
    const tt = dot(t, t);
    const stretch = np.sqrt(tt.div(dot(p, p)));
    const a = np.where(np.equal(tt, 0), 0, ss.div(tt));
    return {
      q: addScaled(q, a, p),
      r: addScaled(r, a.mul(-1), t),
      progress: observe(progress, stretch, stretch),
    };
  };
  const turn = (
    { q, r, progress }: Pick<State<Vector, np.Array>, "q" | "r" | "progress">,
    s: Vector,
    { p, ss }: State<Vector, np.Array>,
    rhs: Vector,
  ): State<Vector, np.Array> => {
    const size = norm(r);
    const ssNext = dot(s, s);
    const reached = outcomeAt(size, stopAt(rhs, dtype, options));
    const isLeastSquares = np.lessEqual(np.sqrt(ssNext), progress.scale.mul(size).mul(flat));
    const outcome = np.where(
      np.logicalAnd(isRunning(reached), isLeastSquares),
      code("inconsistent"),
      reached,
    );
    return {
      q,
      r,
      p: addScaled(s, ssNext.div(ss), p),
      ss: ssNext,
      progress: { ...progress, outcome },
    };
  };

  const { rhs } = system;
  return krylovLoop<State<Tree<Value>, Value>>(program, system, options, {
    first: (q, residual) => program.call(begin as never, q, residual, transposed(residual), rhs),
    next: (state) => {
      const moved = program.call(move as never, state, system.product(state.p));
      const s = transposed((moved as unknown as { r: Tree<Value> }).r);
      return program.call(turn as never, moved, s, state, rhs);
    },
  });
}
