/** MINRES: minimal residuals for symmetric systems that may be indefinite. */
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
import { damped, typeOf, type LinearSolver, type LinearSystem } from "./system.ts";
import { addScaled, dot, norm, scaled, zerosLike, type Vector } from "./vectors.ts";

/** Options of {@link minres}. */
export type MinresOptions = KrylovOptions;

/**
 * MINRES: after J iterations the point of the J-th Krylov space with the least ‖b − A·q‖, by Lanczos vectors v and a
 * QR factorization of their tridiagonal matrix.
 *
 * A must be symmetric; its eigenvalues may have both signs, as on saddle points and KKT systems. The residual never grows,
 * so the latest iterate is the best. A singular A with b outside its range ends as `inconsistent`, at a least-squares
 * solution. Its curvatures are the vᵀAv; a negative one is no failure.
 *
 * Costs J products and the memory of five vectors.
 *
 * @throws RangeError when an option is out of range.
 * @see Paige, Saunders, "Solution of sparse indefinite systems of linear equations", SIAM J. Numer. Anal. 12, 1975.
 */
export function minres(options: MinresOptions = {}): LinearSolver {
  const full = krylovOptions("minres", options);
  const { maxSteps, damping } = full;
  return {
    name: "minres",
    needs: { symmetric: true, positiveDefinite: false, contraction: false, memory: "O(n)" },
    damping,
    cost: (size, hasStart) => ({
      products: maxSteps + (hasStart ? 1 : 0),
      reportProducts: 1,
      storedFloats: 5 * size,
    }),
    solve: (program, system) => iterate(program, damped(program, system, damping), full),
  };
}

/** Vectors and scalars of the recurrences, named as in the paper's algorithm. */
type State<V, T> = {
  readonly q: V;
  /** The latest two Lanczos vectors. */
  readonly v: V;
  readonly vOld: V;
  /** The latest two search directions. */
  readonly w: V;
  readonly wOld: V;
  readonly beta: T;
  readonly dbar: T;
  readonly epsilon: T;
  /** The residual's norm, by recursion. */
  readonly phibar: T;
  readonly cs: T;
  readonly sn: T;
  readonly progress: Progress<T>;
};

function iterate(
  program: Program,
  system: LinearSystem,
  options: FullKrylovOptions<MinresOptions>,
): ReturnType<LinearSolver["solve"]> {
  const dtype = typeOf("minres", system);
  const flat = curvatureTolerance(dtype);
  const unit = (v: Vector, length: np.Array): Vector =>
    scaled(v, np.where(np.equal(length, 0), 0, np.reciprocal(length)));

  const begin = (q: Vector, r: Vector, rhs: Vector): State<Vector, np.Array> => {
    const size = norm(r);
    const [zero, none] = [np.zerosLike(size), zerosLike(r)];
    return {
      q,
      v: unit(r, size),
      vOld: none,
      w: none,
      wOld: none,
      beta: zero,
      dbar: zero,
      epsilon: zero,
      phibar: size,
      cs: zero.sub(1),
      sn: zero,
      progress: firstProgress(size, stopAt(rhs, dtype, options)),
    };
  };
  const step = (s: State<Vector, np.Array>, av: Vector, rhs: Vector): State<Vector, np.Array> => {
    // Lanczos: A·v = beta·vOld + alpha·v + betaNext·vNext
    const alpha = dot(s.v, av);
    const y = addScaled(addScaled(av, s.beta.mul(-1), s.vOld), alpha.mul(-1), s.v);
    const betaNext = norm(y);
    const seen = observe(s.progress, alpha, norm(av));
    const zero = seen.scale.mul(flat);
    // The rotation that makes the next column upper triangular.
    const delta = s.cs.mul(s.dbar).add(s.sn.mul(alpha));
    const gbar = s.sn.mul(s.dbar).sub(s.cs.mul(alpha));
    const epsilon = s.sn.mul(betaNext);
    const dbar = s.cs.mul(betaNext).mul(-1);
    // ‖A·r‖ = phibar·‖(gbar, dbar)‖: no direction in this space reduces the residual any more.
    const isLeastSquares = np.lessEqual(np.hypot(gbar, dbar), zero);
    const gamma = np.hypot(gbar, betaNext);
    const safe = np.where(isLeastSquares, 1, gamma);
    const [cs, sn] = [gbar.div(safe), betaNext.div(safe)];
    const phi = np.where(isLeastSquares, 0, cs.mul(s.phibar));
    const phibar = np.where(isLeastSquares, s.phibar, sn.mul(s.phibar));
    const w = scaled(
      addScaled(addScaled(s.v, s.epsilon.mul(-1), s.wOld), delta.mul(-1), s.w),
      np.reciprocal(safe),
    );
    const reached = outcomeAt(phibar, stopAt(rhs, dtype, options));
    return {
      q: addScaled(s.q, phi, w),
      v: unit(y, betaNext),
      vOld: s.v,
      w,
      wOld: s.w,
      beta: betaNext,
      dbar,
      epsilon,
      phibar,
      cs,
      sn,
      progress: { ...seen, outcome: np.where(isLeastSquares, code("inconsistent"), reached) },
    };
  };

  const { rhs } = system;
  return krylovLoop<State<Tree<Value>, Value>>(program, system, options, {
    first: (q, residual) => program.call(begin as never, q, residual, rhs),
    next: (state) => program.call(step as never, state, system.product(state.v), rhs),
  });
}
