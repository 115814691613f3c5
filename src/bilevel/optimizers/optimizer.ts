/**
 * What an optimizer is: a pure init and a pure update, written in jax-js. The same value trains the follower,
 * where its state is part of what is differentiated, and moves the leader.
 */
import { numpy as np, tree } from "@jax-js/jax";
import type { Arrays } from "../problem.ts";
import { isSchedule, type Schedule } from "./schedule.ts";

/** A first-order method for trees of arrays; `init` and `update` are jax-js functions, traced with `program.call`. */
export interface Optimizer {
  readonly name: string;
  /** s when every update is w ← w − s·∇ with this one number, which theorems on gradient descent are about. */
  readonly constantRate?: number;
  /** Coefficients that are functions of λ; see {@link Watched}. */
  readonly watched?: readonly Watched[];
  /** See `Dynamics.amplifies`. */
  readonly amplifies?: boolean;
  /** The state before the first update; its leaves have the dtype of the parameters'. */
  init(params: Arrays): Arrays;
  /**
   * One update.
   *
   * @param gradient - the tree and shapes of `params`.
   * @param t - index of the update, an int32 scalar counted from 0, for schedules.
   * @param lambda - the hyperparameters, when the optimizer trains a follower; coefficients may depend on them.
   * @returns `[params, state]` after the update.
   */
  update(
    gradient: Arrays,
    state: Arrays,
    params: Arrays,
    t: np.Array,
    lambda?: Arrays,
  ): [params: Arrays, state: Arrays];
}

/**
 * A scalar that an optimizer uses: a number, a {@link Schedule} over the updates, or a function of the
 * hyperparameters, which makes it one of them (`(lambda) => np.exp(lambda.logRate)`). The function also receives
 * the update's index as a floating-point scalar.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tree of λ is the user's
export type Coefficient = number | Schedule | ((lambda: any, t: np.Array) => np.Array);

/** A coefficient whose value only a run shows, because it is a function of λ: the report names it where it is out of range. */
export interface Watched {
  /** As in the options of what has it, such as `learningRate`. */
  readonly name: string;
  /** Its value at step t, an int32 scalar; a jax-js function. */
  at(lambda: Arrays, t: np.Array): np.Array;
  /** Whether values are in the range, element by element, and false for NaN; a jax-js function. */
  fits(value: np.Array): np.Array;
}

/** The range of a coefficient, as {@link checkCoefficient} takes it. */
export interface CoefficientRange {
  readonly above?: number;
  readonly atLeast?: number;
  readonly below?: number;
}

/** Those of the coefficients that are functions of λ, for {@link Optimizer.watched}. */
export function watch(
  ...coefficients: readonly (readonly [
    name: string,
    coefficient: Coefficient,
    range: CoefficientRange,
  ])[]
): readonly Watched[] {
  return coefficients.flatMap(([name, coefficient, range]) => {
    if (typeof coefficient !== "function") return [];
    const { above = -Infinity, atLeast = -Infinity, below = Infinity } = range;
    return [
      {
        name,
        at: (lambda: Arrays, t: np.Array) => {
          const value: np.Array | number = coefficient(lambda, t.astype(floatOf(lambda)));
          return typeof value === "number" ? np.array(value) : value;
        },
        fits: (value: np.Array) =>
          [
            np.greater(value, above),
            np.less(value, below),
            ...(atLeast > -Infinity ? [np.greaterEqual(value, atLeast)] : []),
          ].reduce((all, one) => np.logicalAnd(all, one)),
      },
    ];
  });
}

/** The type of λ's first leaf. */
function floatOf(lambda: Arrays): np.DType {
  return tree.leaves<np.Array>(lambda)[0]!.dtype;
}

/** The coefficient at update t as a traced scalar or a number. */
export function coefficientAt(
  where: string,
  coefficient: Coefficient,
  t: np.Array,
  lambda: Arrays | undefined,
  dtype: np.DType,
): np.Array | number {
  if (typeof coefficient === "number") return coefficient;
  if (isSchedule(coefficient)) return coefficient.at(t.astype(dtype));
  if (lambda === undefined) {
    throw new TypeError(
      `${where} is a function of the hyperparameters, which only a follower's optimizer has; give the leader's a number or a schedule.`,
    );
  }
  return coefficient(lambda, t.astype(dtype));
}

/** Refuses a coefficient that cannot work: not a number, schedule or function, or a number out of range. */
export function checkCoefficient(
  where: string,
  coefficient: Coefficient,
  range: CoefficientRange,
): void {
  if (typeof coefficient === "function" || isSchedule(coefficient)) return;
  const { above = -Infinity, atLeast = -Infinity, below = Infinity } = range;
  const fits =
    typeof coefficient === "number" &&
    coefficient > above &&
    coefficient >= atLeast &&
    coefficient < below;
  if (fits) return;
  const bounds = [
    ...(above > -Infinity ? [`> ${above}`] : []),
    ...(atLeast > -Infinity ? [`>= ${atLeast}`] : []),
    ...(below < Infinity ? [`< ${below}`] : []),
  ];
  throw new RangeError(
    `${where} must be a finite number ${bounds.join(" and ")}, a schedule, or a function of lambda; ${String(coefficient)} came.`,
  );
}
