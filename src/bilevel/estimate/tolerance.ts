/** When a rule's report calls the inner problem solved. */
import type { Tolerance } from "../rule.ts";

/** The tolerance with its defaults. */
export function fullTolerance(tolerance?: Partial<Tolerance>): Tolerance {
  return { relative: 1e-3, absolute: 1e-6, ...tolerance };
}
