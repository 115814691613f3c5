/**
 * Which constraints are active at the follower's response, and their multipliers by least squares, those of inequalities ≥ 0.
 *
 *     ν = argmin ‖∇_w L + J_Aᵀν‖, ν_i = 0 otherwise;   c = (p, q),  J = ∂c/∂w,  A = {i : p_i ≥ −tolerance} and all of q
 *
 * Where the least squares without signs give a negative one, the response is no solution, unless the active gradients are
 * linearly dependent and other multipliers of the right signs do as well: these are then looked for.
 *
 * Rows of J are divided by their norms, so that no constraint's scale matters to a multiplier's size or to the rank.
 */
import { numpy as np } from "@jax-js/jax";
import { dense, LINEAR_OUTCOMES, minres, type LinearSystem } from "../../../linear/index.ts";
import { ravel } from "../../../linear/internal.ts";
import { type Program, tensor, type Tree, type Value, vjp } from "../../../program/index.ts";
import {
  constraintVectors,
  stackedConstraints,
  type Constraints,
} from "../../estimate/constraints.ts";
import { innerGradient } from "../../dynamics.ts";
import type { Arrays, Problem } from "../../problem.ts";

type Values = Tree<Value>;

/** When a constraint counts as active, and a multiplier as zero. */
export interface KktTolerances {
  readonly active: number | undefined;
  readonly multiplier: number | undefined;
}

/** Where the conditions are looked at. */
export interface KktPoint {
  readonly w: Values;
  readonly lambda: Values;
  /** Prepared inner data. */
  readonly data: Values;
}

/** The active set and its multipliers at a point. */
export interface ActiveSet {
  /** 1 for equalities and active inequalities, else 0: [m]. */
  readonly active: Value;
  /** J with unit rows, 0 where inactive: [m, n]. */
  readonly rows: Value;
  /** What those rows were divided by, as a factor: [m]. */
  readonly scale: Value;
  /** ν, 0 where inactive: [m]. */
  readonly multipliers: Value;
  readonly measured: ActiveSetMeasured<Value>;
}

/** What the report tells of the active set; scalars. */
export interface ActiveSetMeasured<T> {
  /** m, the number of inequalities and equalities. */
  readonly constraints: T;
  /** Equalities and active inequalities. */
  readonly activeConstraints: T;
  /** Active inequalities whose multiplier is zero: no strict complementarity. */
  readonly weaklyActive: T;
  /** Active inequalities whose multiplier without a sign is negative, where none of the right signs do: not optimal. */
  readonly negativeMultipliers: T;
  /** 1 when the gradients of the active constraints are linearly dependent, else 0. */
  readonly dependentConstraints: T;
  /** ‖∇_w L + Jᵀν‖, which multipliers ≥ 0 leave. */
  readonly stationarity: T;
  /** ‖(max(0, p), q)‖ */
  readonly feasibility: T;
  /** ‖(ν_i p_i)‖ over the inequalities. */
  readonly complementarity: T;
}

/** Finds the active set and its multipliers. */
export function openActiveSet(
  program: Program,
  problem: Problem,
  constraints: Constraints,
  { w, lambda, data }: KktPoint,
  tolerances: KktTolerances,
): ActiveSet {
  const stack = (w: Arrays, lambda: Arrays): np.Array => stackedConstraints(constraints, w, lambda);
  const inequalities = (w: Arrays, lambda: Arrays): np.Array[] =>
    constraintVectors(constraints, w, lambda).inequalities;
  const c = program.call(stack as never, w, lambda) as Value;
  const [p] = program.call(inequalities as never, w, lambda) as unknown as Value[];
  const size = c.shape[0]!;
  const standard = c.dtype === "float64" ? 1e-6 : 1e-4;
  const { active: activeTolerance = standard, multiplier: multiplierTolerance = standard } =
    tolerances;
  const isInequality = program.constant(
    tensor(
      Float64Array.from({ length: size }, (_, i) => (i < (p?.shape[0] ?? 0) ? 1 : 0)),
      { dtype: c.dtype as "float64" },
    ),
  );

  // J row by row, pulled back from unit vectors.
  const row = (w: Arrays, lambda: Arrays, i: np.Array): np.Array => {
    const [value, pull] = vjp((w: Arrays) => stack(w, lambda), w);
    return ravel(pull(np.equal(np.arange(size), i).astype(value.dtype))[0]);
  };
  const [, jacobian] = program.scan(
    { length: size },
    (carry: [], i: Value) => [carry, program.call(row as never, w, lambda, i) as Value],
    [],
    program.constant(tensor(Int32Array.from({ length: size }, (_, i) => i))),
  ) as unknown as [[], Value];

  const select = (
    jacobian: np.Array,
    c: np.Array,
    isInequality: np.Array,
    w: Arrays,
    lambda: Arrays,
    data: Arrays,
  ): Record<string, np.Array> => {
    const isActive = np.logicalOr(np.equal(isInequality, 0), np.greaterEqual(c, -activeTolerance));
    const active = isActive.astype(c.dtype);
    const norms = np.sqrt(np.sum(np.square(jacobian), 1));
    const scale = active.mul(np.where(np.greater(norms, 0), np.reciprocal(norms), 0));
    const rows = jacobian.mul(scale.reshape([size, 1]));
    const gradient = ravel(innerGradient(problem.inner, w, lambda, data));
    const rhs = np.matmul(rows, gradient).mul(-1);
    return { active, scale, rows, gradient, rhs };
  };
  const selected = program.call(
    select as never,
    jacobian,
    c,
    isInequality,
    w,
    lambda,
    data,
  ) as unknown as Record<"active" | "scale" | "rows" | "gradient" | "rhs", Value>;
  const { active, scale, rows } = selected;

  // rows·rowsᵀ on the active constraints, 1 on the diagonal of the others: singular where the active rows are dependent.
  const gram = (rows: np.Array, active: np.Array, v: np.Array): np.Array =>
    np.matmul(rows, np.matmul(rows.transpose(), v)).add(v.sub(active.mul(v)));
  const system: LinearSystem = {
    rhs: selected.rhs,
    product: (v) => program.call(gram as never, rows, active, v) as Value,
  };
  // Minimal residuals solve it even then: its right-hand side is in its range.
  const { solution } = minres({ maxSteps: 4 * size + 20, rtol: 1e-14 }).solve(program, system);
  const rank = dense({ maxSize: size }).solve(program, system).report;

  const signed = signedMultipliers(
    program,
    { rows, active, isInequality },
    selected.rhs,
    solution as Value,
  );

  const judge = (
    { active, scale, rows, gradient }: Record<string, np.Array>,
    c: np.Array,
    isInequality: np.Array,
    free: np.Array,
    scaled: np.Array,
    outcome: np.Array,
  ): { multipliers: np.Array; measured: ActiveSetMeasured<np.Array> } => {
    const multipliers = scaled.mul(scale!);
    const zero = np.maximum(np.sqrt(np.sum(np.square(gradient!))), 1).mul(multiplierTolerance);
    const lengthOf = (x: np.Array): np.Array => np.sqrt(np.sum(np.square(x)));
    const counted = isInequality.mul(active!);
    const count = (condition: np.Array): np.Array =>
      np.sum(np.where(condition, counted, 0)).astype(c.dtype);
    const residual = gradient!.add(np.matmul(rows!.transpose(), scaled));
    const isSolution = np.lessEqual(lengthOf(residual), zero);
    const isNegative = np.logicalAnd(np.less(free, zero.mul(-1)), np.logicalNot(isSolution));
    const violation = np.where(np.logicalAnd(np.less(c, 0), np.greater(isInequality, 0)), 0, c);
    const singular = LINEAR_OUTCOMES.indexOf("singular");
    return {
      multipliers,
      measured: {
        constraints: np.sum(np.onesLike(c)),
        activeConstraints: np.sum(active!),
        weaklyActive: count(
          np.logicalAnd(np.lessEqual(np.abs(scaled), zero), np.logicalNot(isNegative)),
        ),
        negativeMultipliers: count(isNegative),
        dependentConstraints: np.where(np.equal(outcome, singular), 1, 0).astype(c.dtype),
        stationarity: lengthOf(residual),
        feasibility: lengthOf(violation),
        complementarity: lengthOf(multipliers.mul(c).mul(isInequality)),
      },
    };
  };
  const judged = program.call(
    judge as never,
    selected as never,
    c,
    isInequality,
    solution,
    signed,
    rank.outcome,
  ) as unknown as { multipliers: Value; measured: ActiveSetMeasured<Value> };
  return { active, rows, scale, ...judged };
}

/**
 * The multipliers of the scaled rows with those of inequalities ≥ 0: the given ones where they are, else the least squares
 * under that condition by projected gradient steps, ν ← max(0, ν − (rows·rowsᵀν − rhs)/‖rows·rowsᵀ‖).
 */
function signedMultipliers(
  program: Program,
  { rows, active, isInequality }: Readonly<Record<"rows" | "active" | "isInequality", Value>>,
  rhs: Value,
  free: Value,
): Value {
  const clip = (x: np.Array, isInequality: np.Array): np.Array =>
    np.where(np.logicalAnd(np.greater(isInequality, 0), np.less(x, 0)), 0, x);
  type Search<T> = { x: T; isMoving: T };
  const begin = (free: np.Array, isInequality: np.Array): Search<np.Array> => {
    const x = clip(free, isInequality);
    return { x, isMoving: np.greater(np.max(np.abs(x.sub(free))), 0) };
  };
  const step = (
    { x }: Search<np.Array>,
    rows: np.Array,
    active: np.Array,
    isInequality: np.Array,
    rhs: np.Array,
  ): Search<np.Array> => {
    // The trace of rows·rowsᵀ, whose diagonal is 1 where active, is at least its norm.
    const rate = np.reciprocal(np.maximum(np.sum(active), 1));
    const slope = np.matmul(rows, np.matmul(rows.transpose(), x)).sub(rhs);
    const next = clip(x.sub(slope.mul(rate)), isInequality);
    const rounding = x.dtype === np.float64 ? 1e-14 : 1e-6;
    const change = np.max(np.abs(next.sub(x)));
    return { x: next, isMoving: np.greater(change, np.max(np.abs(next)).mul(rounding)) };
  };
  const { carry } = program.while(
    { limit: 1000 },
    ({ isMoving }: Search<Value>) => isMoving,
    (search: Search<Value>) =>
      program.call(
        step as never,
        search as never,
        rows,
        active,
        isInequality,
        rhs,
      ) as Search<Value>,
    program.call(begin as never, free, isInequality) as Search<Value>,
  );
  return (carry as Search<Value>).x;
}
