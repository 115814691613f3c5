/**
 * The partial sums of q = η Σ (I − ηA)ⁱ b, with the residual p = b − A·q carried along: Neumann's series with a step η,
 * and with η = 1 the fixed-point iteration q ← (I − A)·q + b.
 */
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../program/index.ts";
import {
  code,
  curvatureTolerance,
  finish,
  firstProgress,
  firstResidual,
  isRunning,
  observe,
  outcomeAt,
  stopAt,
  type Progress,
} from "./progress.ts";
import { typeOf, type LinearSolution, type LinearSystem, type Stopping } from "./system.ts";
import { addScaled, dot, norm, type Vector } from "./vectors.ts";

/** What one term hands to the next. */
interface State<V, T> {
  readonly q: V;
  /** b − A·q */
  readonly p: V;
  readonly progress: Progress<T>;
}

/** A residual that grows by this factor does not come back. */
const growth = 1e3;

/**
 * q ← q + η·p;  p ← p − ηA·p
 *
 * @param eta - η, a scalar.
 * @param isSymmetric - whether pᵀAp ≤ 0 says that A is not positive definite; otherwise only A·p = 0 is looked for.
 */
export function sumSeries(
  program: Program,
  name: string,
  system: LinearSystem,
  eta: Value,
  options: Stopping & { readonly isSymmetric: boolean },
): LinearSolution {
  const dtype = typeOf(name, system);
  const flat = curvatureTolerance(dtype);
  const { isSymmetric, maxSteps } = options;
  const begin = (q: Vector, p: Vector, rhs: Vector): State<Vector, np.Array> => ({
    q,
    p,
    progress: firstProgress(norm(p), stopAt(rhs, dtype, options)),
  });
  const step = (
    { q, p, progress }: State<Vector, np.Array>,
    ap: Vector,
    first: Vector,
    rhs: Vector,
    eta: np.Array,
  ): State<Vector, np.Array> => {
    const pp = dot(p, p);
    const curvature = dot(p, ap).div(pp);
    const stretch = np.sqrt(dot(ap, ap).div(pp));
    const seen = observe(progress, curvature, stretch);
    const zero = seen.scale.mul(flat);
    const isFlat = np.lessEqual(isSymmetric ? curvature : stretch, zero);
    const met = np.where(
      np.less(curvature, zero.mul(-1)),
      code("negative-curvature"),
      code("singular"),
    );
    const a = np.where(isFlat, 0, eta);
    const next = addScaled(p, a.mul(-1), ap);
    const size = norm(next);
    const reached = outcomeAt(size, stopAt(rhs, dtype, options));
    const hasGrown = np.less(norm(first).mul(growth), size);
    const outcome = np.where(
      isFlat,
      isSymmetric ? met : code("singular"),
      np.where(np.logicalAnd(isRunning(reached), hasGrown), code("diverged"), reached),
    );
    return { q: addScaled(q, a, p), p: next, progress: { ...seen, outcome } };
  };

  const { rhs } = system;
  const { start, residual } = firstResidual(program, system);
  const first = program.call(begin as never, start, residual, rhs) as Tree<Value>;
  const { carry, steps } = program.while(
    { limit: maxSteps },
    (state) => program.call(isRunning, read(state).progress.outcome),
    (state) => {
      const ap = system.product(read(state).p);
      return program.call(step as never, state, ap, residual, rhs, eta) as Tree<Value>;
    },
    first,
  );
  const { q, progress } = read(carry);
  return finish(program, system, options, q, steps, progress);
}

function read(state: Tree<Value>): State<Tree<Value>, Value> {
  return state as unknown as State<Tree<Value>, Value>;
}
