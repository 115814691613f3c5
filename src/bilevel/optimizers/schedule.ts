/** Coefficients that change from update to update: traced functions of the update's index. */
import { checkOptions } from "../../program/internal.ts";
import { numpy as np } from "@jax-js/jax";

/** A coefficient as a function of the update's index. */
export interface Schedule {
  readonly name: string;
  /** The value at update t, a floating-point scalar counted from 0; a jax-js function. */
  at(t: np.Array): np.Array | number;
}

/** True for values made here or shaped like them. */
export function isSchedule(value: unknown): value is Schedule {
  return (
    typeof value === "object" && value !== null && "at" in value && typeof value.at === "function"
  );
}

/** The same value at every update. */
export function constant(value: number): Schedule {
  checkNumber("constant", "value", value);
  return { name: "constant", at: () => value };
}

/**
 * value(t) = initial / (1 + decay·t).
 *
 * @param options.decay - per update, ≥ 0.
 */
export function inverseTimeDecay(options: { initial: number; decay: number }): Schedule {
  checkOptions("inverseTimeDecay", options, { initial: "number!", decay: "number!" });
  const { initial, decay } = options;
  checkNumber("inverseTimeDecay", "initial", initial);
  checkNumber("inverseTimeDecay", "decay", decay, 0);
  return { name: "inverse-time-decay", at: (t) => np.divide(initial, t.mul(decay).add(1)) };
}

/**
 * value(t) = initial · rate^(t / steps): multiplied by `rate` every `steps` updates, smoothly.
 *
 * @param options.rate - factor per `steps` updates, > 0.
 * @param options.steps - default 1.
 */
export function exponentialDecay(options: {
  initial: number;
  rate: number;
  steps?: number;
}): Schedule {
  checkOptions("exponentialDecay", options, {
    initial: "number!",
    rate: "number!",
    steps: "number",
  });
  const { initial, rate, steps = 1 } = options;
  checkNumber("exponentialDecay", "initial", initial);
  checkNumber("exponentialDecay", "rate", rate, Number.MIN_VALUE);
  checkNumber("exponentialDecay", "steps", steps, Number.MIN_VALUE);
  return {
    name: "exponential-decay",
    at: (t) => np.exp(t.mul(Math.log(rate) / steps)).mul(initial),
  };
}

/**
 * Half a cosine from `initial` at t = 0 to `final` at t = `steps`, constant afterwards.
 *
 * value(t) = final + (initial − final)·(1 + cos(π·min(t, steps)/steps))/2.
 *
 * @param options.final - default 0.
 */
export function cosineDecay(options: { initial: number; steps: number; final?: number }): Schedule {
  checkOptions("cosineDecay", options, { initial: "number!", steps: "number!", final: "number" });
  const { initial, steps, final = 0 } = options;
  checkNumber("cosineDecay", "initial", initial);
  checkNumber("cosineDecay", "steps", steps, Number.MIN_VALUE);
  checkNumber("cosineDecay", "final", final);
  const at = (t: np.Array): np.Array => {
    const angle = np.minimum(t, steps).mul(Math.PI / steps);
    return np
      .cos(angle)
      .add(1)
      .mul((initial - final) / 2)
      .add(final);
  };
  return { name: "cosine-decay", at };
}

function checkNumber(where: string, name: string, value: number, atLeast = -Infinity): void {
  if (!Number.isFinite(value) || value < atLeast) {
    const bound = atLeast === 0 ? " >= 0" : atLeast > 0 ? " > 0" : "";
    throw new RangeError(
      `${where}: ${name} must be a finite number${bound}; ${String(value)} came.`,
    );
  }
}
