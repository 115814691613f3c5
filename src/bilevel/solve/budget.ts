/** What an outer loop may spend, and when another step would spend more. */

/** Limits of an outer loop; the first one reached ends it. */
export interface Budget {
  /** Outer updates. Step 0 evaluates the start, so n updates give n + 1 evaluations. */
  readonly steps?: number;
  /** Wall-clock seconds of this call, compilation included; checked between steps. */
  readonly seconds?: number;
  /** Evaluations of the inner gradient, summed over all steps, those before a resume included. */
  readonly innerGradients?: number;
}

/** What has been spent, in the units of {@link Budget}. */
export type Spent = Required<Budget>;

/**
 * The budget with its default, 100 steps when nothing is limited.
 *
 * @throws RangeError when a limit is negative, not a number, or `steps` is not an integer.
 */
export function checkBudget(budget: Budget = {}): Budget {
  for (const [name, limit] of Object.entries(budget)) {
    if (!Object.hasOwn(units, name)) {
      throw new RangeError(
        `solve: budget has no limit "${name}"; use steps, seconds or innerGradients.`,
      );
    }
    if (limit === undefined) continue;
    if (typeof limit !== "number" || !(limit >= 0) || (name === "steps" && limit % 1 !== 0)) {
      throw new RangeError(
        `solve: budget.${name} must be a non-negative ${name === "steps" ? "integer" : "number"}, got ${String(limit)}.`,
      );
    }
  }
  return Object.values(budget).every((limit) => limit === undefined) ? { steps: 100 } : budget;
}

/**
 * The limit that forbids one more step, in words, or undefined when there is room for it.
 *
 * @param stepGradients - inner gradients of the next step.
 */
export function exhausted(budget: Budget, spent: Spent, stepGradients: number): string | undefined {
  const { steps, seconds, innerGradients } = budget;
  if (steps !== undefined && spent.steps >= steps) return `${steps} ${units.steps}`;
  if (seconds !== undefined && spent.seconds >= seconds) return `${seconds} ${units.seconds}`;
  if (innerGradients !== undefined && spent.innerGradients + stepGradients > innerGradients) {
    return `${innerGradients} ${units.innerGradients}`;
  }
  return undefined;
}

const units = { steps: "outer steps", seconds: "seconds", innerGradients: "inner gradients" };
