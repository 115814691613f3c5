/**
 * The derivative of the conditions of Karush, Kuhn and Tucker on the active set, ∇_w L + Jᵀν = 0 and c_A = 0, as a linear
 * system for an adjoint (u, t), and its pullback to λ and the data.
 */
import { numpy as np } from "@jax-js/jax";
import type { LinearSystem } from "../../../linear/index.ts";
import { ravel, unravel } from "../../../linear/internal.ts";
import { hvp, type Program, type Tree, type Value, vjp } from "../../../program/index.ts";
import { callTree, type Selection, treeMap } from "../../../program/internal.ts";
import { stackedConstraints, type Constraints } from "../../estimate/constraints.ts";
import { innerGradient } from "../../dynamics.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { ActiveSet, KktPoint } from "./active-set.ts";
import type { Contribution } from "./implicit-equations.ts";

type Values = Tree<Value>;

/** The unknowns of the system: a direction of the weights, and one number for each constraint. */
export type KktVector<T> = { readonly u: Tree<T>; readonly t: T };

/**
 * [∇²_ww(L + νᵀc), J_Aᵀ; J_A, 0]·(u, t) = (∇_w E, 0), then −∂(∇_w L + Jᵀν)/∂λᵀ·u − (∂c_A/∂λ)ᵀ·t.
 *
 * Inactive constraints have the equation t_i = 0.
 */
export function kktEquations(
  program: Program,
  problem: Problem,
  constraints: Constraints,
  { w, lambda, data }: KktPoint,
  { active, rows, scale, multipliers }: ActiveSet,
  level: { readonly activeData: Selection; readonly outerGradient: Values },
): LinearSystem & { pull(solution: Values): Contribution } {
  const { activeData, outerGradient } = level;
  const lagrangian =
    (multipliers: np.Array) =>
    (w: Arrays, l: Arrays, d: Arrays): np.Array =>
      problem.inner(w, l, d).add(np.sum(multipliers.mul(stackedConstraints(constraints, w, l))));
  const product = (
    w: Arrays,
    l: Arrays,
    d: Arrays,
    multipliers: np.Array,
    rows: np.Array,
    active: np.Array,
    { u, t }: KktVector<np.Array>,
  ): KktVector<np.Array> => {
    const image = hvp((w: Arrays) => lagrangian(multipliers)(w, l, d), w, u);
    const normal = unravel(np.matmul(rows.transpose(), t), u) as Arrays;
    return {
      u: treeMap((x: np.Array, y: np.Array) => x.add(y), image, normal),
      t: np.matmul(rows, ravel(u)).sub(t.sub(active.mul(t))),
    };
  };
  const cross = (
    w: Arrays,
    l: Arrays,
    d: Arrays,
    multipliers: np.Array,
    scale: np.Array,
    { u, t }: KktVector<np.Array>,
  ): Arrays => {
    const conditions = (l: Arrays, taken: np.Array[]): Arrays => ({
      stationarity: innerGradient(lagrangian(multipliers), w, l, activeData.put(d, taken)),
      constraints: stackedConstraints(constraints, w, l),
    });
    const [, pull] = vjp(conditions, l, activeData.take(d));
    const minus = treeMap((x: np.Array) => x.mul(-1), u);
    const [toLambda, toData] = pull({ stationarity: minus, constraints: scale.mul(t).mul(-1) });
    return { lambda: toLambda, data: toData };
  };
  const zeros = program.call(((a: np.Array) => np.zerosLike(a)) as never, active) as Value;
  return {
    rhs: { u: outerGradient, t: zeros } as Values,
    product: (v) => callTree(program, product, w, lambda, data, multipliers, rows, active, v),
    pull: (solution) =>
      callTree(
        program,
        cross,
        w,
        lambda,
        data,
        multipliers,
        scale,
        solution,
      ) as unknown as Contribution,
  };
}

/**
 * uᵀ∇²(L + νᵀc)u / ‖u‖² along the constraints, from the solution: negative where the response is no minimum. NaN where u is
 * nothing but rounding, as at a vertex. A jax-js function.
 *
 * @param scale - a curvature of the system, against which u's size is judged.
 */
export function tangentCurvature(outerGradient: Arrays, u: Arrays, scale: np.Array): np.Array {
  const [b, x] = [ravel(outerGradient), ravel(u)];
  const size = np.sum(np.square(x));
  const floor = b.dtype === np.float64 ? 1e-6 : 1e-2;
  const isMet = np.greater(
    np.sqrt(size).mul(np.abs(scale)),
    np.sqrt(np.sum(np.square(b))).mul(floor),
  );
  return np.where(isMet, np.sum(x.mul(b)).div(np.where(isMet, size, 1)), np.nan);
}
