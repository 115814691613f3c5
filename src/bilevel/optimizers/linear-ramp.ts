/** A coefficient that moves from one value to another at a constant rate and stays there, such as a growing penalty. */
import { checkOptions } from "../../program/internal.ts";
import { numpy as np } from "@jax-js/jax";
import type { Schedule } from "./schedule.ts";

/**
 * value(t) = from + (to − from)·min(t, steps)/steps.
 *
 * @param options.steps - updates until `to` is reached, ≥ 1.
 * @throws RangeError when a number is not finite or `steps` < 1.
 */
export function linearRamp(options: { from: number; to: number; steps: number }): Schedule {
  checkOptions("linearRamp", options, { from: "number!", to: "number!", steps: "number!" });
  const { from, to, steps } = options;
  for (const [name, value] of Object.entries({ from, to, steps })) {
    if (Number.isFinite(value) && (name !== "steps" || value >= 1)) continue;
    const bound = name === "steps" ? " >= 1" : "";
    throw new RangeError(
      `linearRamp: ${name} must be a finite number${bound}; ${String(value)} came.`,
    );
  }
  return {
    name: "linear-ramp",
    at: (t) =>
      np
        .minimum(t, steps)
        .mul((to - from) / steps)
        .add(from),
  };
}
