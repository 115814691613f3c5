/** The default coefficient for all columns: nothing is tuned. */
import type { Method } from "../../method.ts";
import type { LinearConfig } from "../config.ts";
import { fitSingle, type Choice, type OpenSplit } from "../open-split.ts";
import type { LinearSplit } from "../run.ts";
import { foundOf } from "./found.ts";

/** 1/n: the penalty of scikit-learn's `LogisticRegression(C=1)`, divided by the number of rows like the loss. */
export function defaultCoefficient(trainingRows: number): number {
  return 1 / trainingRows;
}

/** Fits with {@link defaultCoefficient}. */
export function fitDefault(split: OpenSplit): Promise<Choice> {
  return fitSingle(split, defaultCoefficient(split.trainingRows));
}

/** The method. */
export const byDefault: Method<LinearConfig, LinearSplit> = {
  name: "default",
  title: "default coefficient (1/n)",
  shortTitle: "default (1/n)",
  called: "no tuning",
  role: "baseline",
  choose: async (split) => foundOf(split, await fitDefault(split)),
};
