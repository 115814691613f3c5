/** A choice of coefficients as what a method found. */
import type { Found } from "../../method.ts";
import type { LinearConfig } from "../config.ts";
import type { Choice } from "../open-split.ts";
import { unsolvedOf, type LinearSplit } from "../run.ts";

/** @param single - ln of the coefficient that it started from. Default: the choice's own, one for all. */
export function foundOf(
  { plan }: LinearSplit,
  { logCoefficient, fit, validationLoss }: Choice,
  single: number = logCoefficient[0]!,
): Found<LinearConfig> {
  return {
    config: {
      logCoefficient: Array.from(logCoefficient.subarray(0, plan.encoder.inputs.length)),
      single,
    },
    validationLoss,
    cut: false,
    ...unsolvedOf(fit),
  };
}
