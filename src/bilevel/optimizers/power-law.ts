/** A coefficient that grows or decays as a power of the number of updates. */
import { checkOptions } from "../../program/internal.ts";
import { numpy as np } from "@jax-js/jax";
import type { Schedule } from "./schedule.ts";

/**
 * value(t) = initial · (t + 1)^power: harmonic decay with power −1, slower decay between −1 and 0, growth above 0.
 *
 * @param options.initial - the value at the first update, t = 0.
 * @throws RangeError when either is not a finite number.
 */
export function powerLaw(options: { initial: number; power: number }): Schedule {
  checkOptions("powerLaw", options, { initial: "number!", power: "number!" });
  const { initial, power } = options;
  for (const [name, value] of Object.entries({ initial, power })) {
    if (Number.isFinite(value)) continue;
    throw new RangeError(`powerLaw: ${name} must be a finite number; ${String(value)} came.`);
  }
  return { name: "power-law", at: (t) => np.exp(np.log(t.add(1)).mul(power)).mul(initial) };
}
