/** A split ready for training: its rows, and fits of the followers of all folds. */
import type { Tensor } from "../../../program/index.ts";
import type { Fit, Fitter } from "./fit.ts";
import type { SplitPlan } from "../rows.ts";
import { rowLosses } from "./row-losses.ts";

/** A split ready for training. */
export interface OpenSplit {
  plan: SplitPlan;
  /** Encoder inputs after padding. */
  inputs: number;
  /** [rows, width + 1], padded, float64. */
  x: Tensor;
  /** [outputs, rows], float64. */
  y: Tensor;
  /** Rows that a follower trains on, the mean over the followers. */
  trainingRows: number;
  /** Fits of all followers. */
  fitter: Fitter;
}

/** Coefficients, the followers fitted with them, and what the held-out rows say. */
export interface Choice {
  /** [inputs] */
  logCoefficient: Float64Array;
  fit: Fit;
  /** [rows], each by the follower that did not train on it; NaN for rows that nobody judges. */
  losses: Float64Array;
  /** Their mean. */
  validationLoss: number;
}

/** Fits all followers with given coefficients and judges them on the rows that each has not seen. */
export async function fitWith(
  split: OpenSplit,
  logCoefficient: Float64Array,
  start?: Tensor,
): Promise<Choice> {
  const fit = await split.fitter.fit(logCoefficient, start);
  const losses = heldOutLosses(split, fit);
  return { logCoefficient, fit, losses, validationLoss: meanOf(losses) };
}

/** The same with one coefficient for all columns. */
export function fitSingle(split: OpenSplit, coefficient: number, start?: Tensor): Promise<Choice> {
  return fitWith(split, new Float64Array(split.inputs).fill(Math.log(coefficient)), start);
}

/** Loss of every judged row under the follower that judges it, [rows]; NaN for the others. */
export function heldOutLosses({ plan, x, y }: OpenSplit, fit: Fit): Float64Array {
  return rowLosses(plan.target.task, fit.weights, x, y, plan.judge);
}

/** Mean of the numbers that are no NaN. */
function meanOf(losses: Float64Array): number {
  let [sum, count] = [0, 0];
  for (const loss of losses) {
    if (Number.isNaN(loss)) continue;
    sum += loss;
    count++;
  }
  return sum / count;
}
