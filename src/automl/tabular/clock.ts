/** The time of a run: how much of the budget each split's search may take, and how long the rest will last. */
import { formatSeconds } from "../../data/internal.ts";
import type { MethodInfo } from "../families/method.ts";
import type { FullTuneOptions } from "./types.ts";

/** Share of the budget kept for writing files; the final model's fit is kept free besides. */
const reserve = 0.03;

/** A search should have at least this many times the time that the baselines took, or fewer splits are made. */
const searchShare = 2;

/** Wall-clock time of a run. Times decide only when to stop, never what is computed. */
export class BudgetClock {
  readonly #now: () => number;
  readonly #started: number;
  readonly #budget: number;
  readonly #deadline: number;
  readonly #steps: number;
  #splitStarted = 0;
  #splitsLeft = 1;
  /** Baselines of the current split. */
  #current = 0;
  /** Baselines of the last split that made them. */
  #baselineSeconds = 0;
  #fitSeconds = 0;
  #stepSeconds = 0;

  /** @param now - clock in milliseconds. */
  constructor(
    options: Pick<FullTuneOptions, "budgetSeconds" | "steps">,
    now: () => number = () => performance.now(),
  ) {
    const { budgetSeconds = Infinity } = options;
    this.#now = now;
    this.#started = now();
    this.#budget = budgetSeconds;
    this.#deadline = budgetSeconds * (1 - reserve);
    this.#steps = options.steps;
  }

  get elapsedSeconds(): number {
    return (this.#now() - this.#started) / 1000;
  }

  /**
   * What is said of a run that took longer than its budget, by more than a second and a tenth of it; undefined otherwise.
   *
   * @param finalSeconds - of the model's fit on all rows.
   */
  overrun(finalSeconds: number): string | undefined {
    const elapsed = this.elapsedSeconds;
    if (!(elapsed - this.#budget > Math.max(1, 0.1 * this.#budget))) return undefined;
    return `The run took ${formatSeconds(elapsed)} where its time budget is ${formatSeconds(this.#budget)}: the first split's first method and the final fit on all rows (${formatSeconds(finalSeconds)}) are made whatever they take, and a fit that has begun comes to its end.`;
  }

  /** Whether another split's baselines fit in, and a search of a sensible length after them. */
  hasTimeForSplit(): boolean {
    return this.#left > (1 + searchShare) * this.#baselineSeconds && this.#left > 0;
  }

  /** Begins a split. */
  startSplit(splitsLeft: number): void {
    this.#splitStarted = this.elapsedSeconds;
    this.#splitsLeft = splitsLeft;
    this.#current = 0;
  }

  /**
   * Records what a method took.
   *
   * @param isFirst - of the family's list: about the time of a fit.
   * @param evaluations - of the search, for the time of one.
   */
  finishMethod(
    { role }: Pick<MethodInfo, "role">,
    isFirst: boolean,
    seconds: number,
    evaluations: number,
  ): void {
    if (evaluations > 0) this.#stepSeconds = seconds / evaluations;
    if (isFirst) this.#fitSeconds = seconds;
    if (role !== "baseline") return;
    this.#current += seconds;
    this.#baselineSeconds = this.#current;
  }

  /**
   * Budget of the current split's search: an even share of the time left after the baselines of the
   * splits to come. When that is too short, as many of these splits are given up as it takes. The search
   * gets half of the baselines' time even when nothing is left, so that it makes some steps.
   */
  secondsForSearch(): number | undefined {
    if (this.#deadline === Infinity) return undefined;
    const share = (splits: number): number =>
      (this.#left - (splits - 1) * this.#baselineSeconds) / splits;
    let splits = this.#splitsLeft;
    while (splits > 1 && share(splits) < searchShare * this.#baselineSeconds) splits--;
    return Math.max(share(splits), 0.5 * this.#baselineSeconds, 1e-3);
  }

  /** Estimated time until the end of the run, within the budget. */
  remainingSeconds(step: number, splitsAfter: number): number {
    const spent = this.elapsedSeconds - this.#splitStarted;
    const perStep =
      step > 0 ? Math.max(0, spent - this.#current) / (step + 1) : this.#stepSeconds || spent;
    const thisSplit = (this.#steps - step) * perStep;
    const others = splitsAfter * (this.#current + (this.#steps + 1) * perStep);
    return Math.max(0, Math.min(thisSplit + others, this.#deadline - this.elapsedSeconds));
  }

  /** Time left for splits: two fits' worth stays free for the final model, which has more rows. */
  get #left(): number {
    return this.#deadline - this.elapsedSeconds - 2 * this.#fitSeconds;
  }
}
