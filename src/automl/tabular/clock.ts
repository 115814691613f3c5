/** The time of a run: how much of the budget each split's search may take, and how long the rest will last. */
import type { Method, TuneOptions } from "./types.ts";

/** Share of the budget kept for the final model and for writing. */
const reserve = 0.03;

/** Wall-clock time since the run began. Times decide only when to stop, never what is computed. */
export class BudgetClock {
  readonly #started = performance.now();
  readonly #deadline: number;
  readonly #steps: number;
  #splitStarted = 0;
  /** Time that the current split may take. */
  #share = Infinity;
  /** Of the last finished ones. */
  #baselineSeconds = 0;
  #current: Partial<Record<Method, number>> = {};
  #stepSeconds = 0;

  constructor(options: Pick<TuneOptions, "budgetSeconds" | "steps">) {
    const { budgetSeconds = Infinity } = options;
    this.#deadline = budgetSeconds * (1 - reserve);
    this.#steps = options.steps;
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Whether another split's baselines fit in, with as much again for its search. */
  hasTimeForSplit(): boolean {
    return this.elapsedSeconds + 2 * this.#baselineSeconds < this.#deadline;
  }

  /** Begins a split; the time left is shared evenly among the splits left. */
  startSplit(splitsLeft: number): void {
    this.#splitStarted = this.elapsedSeconds;
    this.#share = (this.#deadline - this.elapsedSeconds) / splitsLeft;
    this.#current = {};
  }

  /** Records what a method took; `evaluations` of the search, for the time of one. */
  finishMethod(method: Method, seconds: number, evaluations: number): void {
    this.#current[method] = seconds;
    if (evaluations > 0) this.#stepSeconds = seconds / evaluations;
    const { default: plain = 0, grid = 0 } = this.#current;
    this.#baselineSeconds = plain + grid;
  }

  /** Budget of the current split's search: what is left of its share, but never nothing. */
  secondsForSearch(): number | undefined {
    if (this.#deadline === Infinity) return undefined;
    const spent = this.elapsedSeconds - this.#splitStarted;
    return Math.max(this.#share - spent, 0.2 * this.#share, 1e-3);
  }

  /** Estimated time until the end of the run, within the budget. */
  remainingSeconds(step: number, splitsAfter: number): number {
    const { default: plain = 0, grid = 0 } = this.#current;
    const spent = this.elapsedSeconds - this.#splitStarted;
    const perStep =
      step > 0 ? Math.max(0, spent - plain - grid) / (step + 1) : this.#stepSeconds || spent;
    const thisSplit = (this.#steps - step) * perStep;
    const others = splitsAfter * (plain + grid + (this.#steps + 1) * perStep);
    return Math.max(0, Math.min(thisSplit + others, this.#deadline - this.elapsedSeconds));
  }
}
