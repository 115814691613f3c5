/** The best single coefficient for all columns, from a grid. */
import type { Tensor } from "../../../../program/index.ts";
import type { Method } from "../../method.ts";
import type { LinearConfig } from "../config.ts";
import { fitSingle, type Choice, type OpenSplit } from "../open-split.ts";
import type { LinearSplit } from "../run.ts";
import { defaultCoefficient } from "./default.ts";
import { foundOf } from "./found.ts";

/** The single coefficients of the grid: 13 from 1e-6 to 10, evenly spaced in their logarithm; 1/n joins them. */
export const gridCoefficients: readonly number[] = Array.from(
  { length: 13 },
  (_, i) => 10 ** (-6 + (7 * i) / 12),
);

/** Coefficients in a row that are worse than the best before the grid ends: more than a factor of 50. */
const patience = 3;

/**
 * Every coefficient of the grid and the default one, each fitted anew, the best by validation loss; on a tie the larger
 * one. Goes from large to small, each fit starting from the last one's weights, and ends when {@link patience} in a row
 * were worse than the best: where classes can be separated, the smallest coefficients cost most and are worst.
 *
 * @returns undefined when the signal stopped it.
 */
export async function searchGrid(
  split: OpenSplit,
  signal?: AbortSignal,
): Promise<Choice | undefined> {
  let best: Choice | undefined;
  let start: Tensor | undefined;
  let worse = 0;
  const all = [...gridCoefficients, defaultCoefficient(split.trainingRows)];
  for (const coefficient of all.sort((a, b) => b - a)) {
    if (signal?.aborted) return undefined;
    const choice = await fitSingle(split, coefficient, start);
    start = choice.fit.weights;
    if (best === undefined || choice.validationLoss < best.validationLoss) {
      best = choice;
      worse = 0;
    } else if (++worse === patience) break;
  }
  return best;
}

/** The method. */
export const grid: Method<LinearConfig, LinearSplit> = {
  name: "grid",
  title: "best single coefficient (grid)",
  shortTitle: "single (grid)",
  called: "the best single coefficient",
  role: "baseline",
  choose: async (split, { signal }) => {
    const choice = await searchGrid(split, signal);
    return choice && foundOf(split, choice);
  },
};
