/**
 * What an optimizer is: a pure init and a pure update, written in jax-js. The same value trains the follower,
 * where its state is part of what is differentiated, and moves the leader.
 */
import type { numpy as np } from "@jax-js/jax";
import type { Arrays } from "../problem.ts";
import { isSchedule, type Schedule } from "./schedule.ts";

/** A first-order method for trees of arrays; `init` and `update` are jax-js functions, traced with `program.call`. */
export interface Optimizer {
  readonly name: string;
  /** s when every update is w ← w − s·∇ with this one number, which theorems on gradient descent are about. */
  readonly constantRate?: number;
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
  range: { above?: number; atLeast?: number; below?: number },
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
