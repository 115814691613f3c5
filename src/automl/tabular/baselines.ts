/** The two rivals of one coefficient per column: a single one for all, fixed beforehand or from a grid. */
import type { Tensor } from "../../program/tensor.ts";
import { meanLoss, toModel } from "./evaluate.ts";
import type { Fit, Fitter } from "./fit.ts";
import type { TrainingData } from "./problem.ts";
import type { EncodedRows, SplitPlan } from "./splits.ts";

/** A split ready for training. */
export interface OpenSplit {
  plan: SplitPlan;
  /** Encoder inputs after padding. */
  inputs: number;
  training: TrainingData<Tensor>;
  validation: EncodedRows;
  fitter: Fitter;
}

/** Coefficients, the weights fitted with them, and their mean validation loss. */
export interface Choice {
  /** [inputs] */
  logCoefficient: Float32Array;
  fit: Fit;
  validationLoss: number;
}

/** The single coefficients of the grid: 13 from 1e-6 to 10, evenly spaced in their logarithm. */
export const gridCoefficients: readonly number[] = Array.from(
  { length: 13 },
  (_, i) => 10 ** (-6 + (7 * i) / 12),
);

/** 1/n: the penalty of scikit-learn's `LogisticRegression(C=1)`, divided by the number of rows like the loss. */
export function defaultCoefficient(trainingRows: number): number {
  return 1 / trainingRows;
}

/** The default coefficient for all columns: nothing is tuned. */
export function fitDefault(split: OpenSplit): Promise<Choice> {
  return choose(split, defaultCoefficient(split.plan.rows.train.length));
}

/**
 * Every coefficient of the grid, each fitted anew, the best by validation loss; on a tie the larger one.
 * Goes from large to small, each fit starting from the last one's weights.
 *
 * @returns undefined when the signal stopped it.
 */
export async function searchGrid(
  split: OpenSplit,
  signal?: AbortSignal,
): Promise<Choice | undefined> {
  let best: Choice | undefined;
  let start: Tensor | undefined;
  for (const coefficient of gridCoefficients.toReversed()) {
    if (signal?.aborted) return undefined;
    const choice = await choose(split, coefficient, start);
    start = choice.fit.weights;
    if (best === undefined || choice.validationLoss < best.validationLoss) best = choice;
  }
  return best;
}

/** Fits with given coefficients and judges the weights on the validation rows. */
export async function fitWith(
  split: OpenSplit,
  logCoefficient: Float32Array,
  start?: Tensor,
): Promise<Choice> {
  const fit = await split.fitter.fit(split.training, logCoefficient, start);
  return {
    logCoefficient,
    fit,
    validationLoss: meanLoss(toModel(split.plan, fit.weights), split.validation),
  };
}

function choose(split: OpenSplit, coefficient: number, start?: Tensor): Promise<Choice> {
  return fitWith(split, new Float32Array(split.inputs).fill(Math.log(coefficient)), start);
}
