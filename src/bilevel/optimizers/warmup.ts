/** Schedules of trainings that begin slowly, and of those that go down in steps. */
import { checkArgument, checkCount, checkOptions } from "../../program/internal.ts";
import { numpy as np } from "@jax-js/jax";
import type { Schedule } from "./schedule.ts";

/**
 * value(t) = then(t) · min(1, (t + 1)/steps): the first update has a share of 1/steps, update number `steps` the whole.
 *
 * @param then - what is warmed up; it sees the same t.
 * @param options.steps - updates until the whole value, a whole number ≥ 1.
 * @throws RangeError when `steps` is no such number.
 * @example
 * adamW({ learningRate: warmup(cosineDecay({ initial: 1e-3, steps: 1000 }), { steps: 50 }) });
 */
export function warmup(then: Schedule, options: { steps: number }): Schedule {
  checkArgument("warmup", "then", then, "object");
  if (typeof then.at !== "function") {
    throw new TypeError(
      "warmup: then must be a schedule, such as constant(0.1) or cosineDecay({ initial, steps }).",
    );
  }
  checkOptions("warmup", options, { steps: "number!" });
  const { steps } = options;
  checkCount("warmup: steps", steps);
  return {
    name: `${then.name} after a warm-up of ${steps}`,
    at: (t) => np.minimum(t.add(1).div(steps), 1).mul(then.at(t)),
  };
}

/**
 * value(t) = initial · factor^⌊t / every⌋.
 *
 * @param options.factor - > 0. Default 0.1.
 * @param options.every - updates between two drops, a whole number ≥ 1.
 * @throws RangeError when a number is out of range.
 */
export function stepDecay(options: { initial: number; every: number; factor?: number }): Schedule {
  checkOptions("stepDecay", options, { initial: "number!", every: "number!", factor: "number" });
  const { initial, every, factor = 0.1 } = options;
  checkCount("stepDecay: every", every);
  if (!Number.isFinite(initial)) {
    throw new RangeError(`stepDecay: initial must be a finite number; ${String(initial)} came.`);
  }
  if (!(factor > 0 && factor < Infinity)) {
    throw new RangeError(`stepDecay: factor must be a finite number > 0; ${String(factor)} came.`);
  }
  return {
    name: "step-decay",
    // Half an update is added: t/every of a whole number of drops may lie just below it.
    at: (t) => np.exp(np.floor(t.add(0.5).div(every)).mul(Math.log(factor))).mul(initial),
  };
}
