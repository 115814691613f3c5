/** One split of a run: every method that it still needs, in order, each judged once on the test rows. */
import { fitDefault, searchGrid } from "../families/linear/baselines.ts";
import type { MethodRecord, OuterState } from "./checkpoint.ts";
import type { ChosenRule } from "../families/linear/choose-rule.ts";
import type { BudgetClock } from "./clock.ts";
import { searchColumns } from "../families/linear/column-coefficients.ts";
import { meanLoss, metricsOf, toModel } from "./evaluate.ts";
import { evaluationLimit, fitTolerance } from "../families/linear/fit.ts";
import type { Job } from "./job.ts";
import type { Choice, OpenSplit } from "../families/linear/open-split.ts";
import { titles, type Outcome } from "./result.ts";
import { encodeRows } from "./splits.ts";
import type { Method, TuneOptions } from "./types.ts";

/** What a run has learned. */
export interface RunState {
  readonly rule: ChosenRule;
  records: MethodRecord[][];
  /** Outer loops that can go on, by split. */
  outer: Map<number, OuterState>;
  /** Coefficients of a first split whose search was stopped. */
  partial?: MethodRecord;
  outcome: Outcome;
  /** What the budget cost; notes on single records are made from these at the end. */
  notes: string[];
  save(): void | Promise<void>;
}

const methods: readonly Method[] = ["default", "grid", "hypergradient"];

/** The methods that a split still needs. @returns false when the run ends here. */
export async function runSplit(
  job: Job,
  state: RunState,
  clock: BudgetClock,
  repeat: number,
): Promise<boolean> {
  const { options } = job;
  const records = (state.records[repeat] ??= []);
  const missing = methods.filter((method) => {
    const record = records.find((candidate) => candidate.method === method);
    return record === undefined || record.cut;
  });
  if (missing.length === 0) return true;
  if (repeat > 0 && !clock.hasTimeForSplit()) {
    state.outcome = "budget";
    if (records.length === 0) state.records.length = repeat;
    note(state, options, `The time budget ended before split ${repeat + 1} of ${options.repeats}.`);
    return false;
  }
  options.onEvent?.({ type: "split", repeat, repeats: options.repeats });
  clock.startSplit(options.repeats - repeat);
  const split = await job.open(repeat);
  for (const method of missing) {
    // Something must be there to make a model of, however soon the run is stopped.
    const isNeeded = repeat === 0 && method === "default";
    if (options.signal?.aborted && !isNeeded) state.outcome = "cancelled";
    if (state.outcome === "cancelled") return false;
    const started = clock.elapsedSeconds;
    const found = await runMethod(job, split, state, clock, repeat, method);
    if (found === undefined) {
      state.outcome = "cancelled";
      return false;
    }
    const { choice, outer, cut, cancelled = false, spentBefore = 0 } = found;
    const seconds = spentBefore + clock.elapsedSeconds - started;
    const record = { ...(await judge(job, split, method, choice, seconds)), cut };
    if (outer) record.outer = outer;
    if (cancelled) {
      state.outcome = "cancelled";
      if (repeat === 0) state.partial = record;
      return false;
    }
    if (outer && !cut) state.outer.delete(repeat);
    if (cut) state.outcome = "budget";
    for (const text of endingNotes(record, options, repeat)) {
      options.onEvent?.({ type: "note", text });
    }
    const place = records.findIndex((candidate) => candidate.method === method);
    records.splice(place < 0 ? records.length : place, place < 0 ? 0 : 1, record);
    const { validationLoss, testLoss } = record;
    options.onEvent?.({ type: "method", repeat, method, seconds, validationLoss, testLoss });
    clock.finishMethod(method, seconds, outer?.history.length ?? 0);
    await state.save();
  }
  return true;
}

interface Found {
  choice: Choice;
  outer?: NonNullable<MethodRecord["outer"]>;
  /** Whether the budget ended it. */
  cut: boolean;
  cancelled?: boolean;
  /** Seconds of the same method before an interruption. */
  spentBefore?: number;
}

/** @returns undefined when the signal stopped it with nothing to show. */
async function runMethod(
  job: Job,
  split: OpenSplit,
  state: RunState,
  clock: BudgetClock,
  repeat: number,
  method: Method,
): Promise<Found | undefined> {
  const { options } = job;
  if (method === "default") return { choice: await fitDefault(split), cut: false };
  if (method === "grid") {
    const choice = await searchGrid(split, options.signal);
    return choice && { choice, cut: false };
  }
  const resume = state.outer.get(repeat);
  const grid = state.records[repeat]!.find((record) => record.method === "grid")!;
  const found = await searchColumns(split, {
    tune: options,
    rule: state.rule,
    curvature: job.curvature,
    single: grid.logCoefficient[0]!,
    budgetSeconds: clock.secondsForSearch(),
    resume,
    repeat,
    onStep: (entry) =>
      options.onEvent?.({
        type: "step",
        repeat,
        step: entry.step,
        steps: options.steps,
        innerObjective: entry.inner,
        outerObjective: entry.outer,
        gradientNorm: entry.gradientNorm,
        innerGradientNorm: entry.innerGradientNorm,
        elapsedSeconds: clock.elapsedSeconds,
        remainingSeconds: clock.remainingSeconds(entry.step, options.repeats - repeat - 1),
      }),
    onState: (outer) => {
      state.outer.set(repeat, outer);
      return state.save();
    },
  });
  return { ...found, spentBefore: resume?.history.at(-1)?.seconds ?? 0 };
}

/** Refits on all rows but the test rows, and looks at these once. */
async function judge(
  job: Job,
  split: OpenSplit,
  method: Method,
  choice: Choice,
  seconds: number,
): Promise<Omit<MethodRecord, "cut">> {
  const { plan, trainingRows } = split;
  const { rows, encoder } = plan;
  const own = choice.logCoefficient.subarray(0, encoder.inputs.length);
  const refit = await job.refit(plan, rows, forRows(own, trainingRows, rows.length));
  const model = toModel(plan, refit.weights);
  const test = encodeRows(job.table, plan, plan.test);
  return {
    method,
    seconds,
    validationLoss: choice.validationLoss,
    test: metricsOf(model, test),
    testLoss: meanLoss(model, test),
    logCoefficient: Array.from(own),
    relativeGradient: Math.max(choice.fit.relativeGradient, refit.relativeGradient),
    isSolved: choice.fit.isSolved && refit.isSolved,
  };
}

/**
 * ln of the coefficients for more rows. The loss is a mean and the penalty belongs to the sum, as a prior of the weights
 * does, so a coefficient falls as one over the rows: n·exp λ stays.
 */
export function forRows(logCoefficient: ArrayLike<number>, from: number, to: number): Float64Array {
  return Float64Array.from(logCoefficient, (value) => value + Math.log(from / to));
}

/** How a record's search and fits ended, when that needs saying. */
export function endingNotes(record: MethodRecord, options: TuneOptions, repeat: number): string[] {
  const { outer, cut, isSolved } = record;
  const notes: string[] = [];
  if (!isSolved) notes.push(unsolvedNote(`Split ${repeat + 1}, ${titles[record.method]}`, record));
  if (outer === undefined) return notes;
  if (outer.status === "non-finite" || outer.status === "diverged") {
    notes.push(`Split ${repeat + 1}: ${outer.sentence}`);
  }
  if (!cut) return notes;
  const made = outer.history.length - 1;
  return [
    ...notes,
    `Split ${repeat + 1}: the time budget ended the search after ${made} of ${options.steps} outer steps.`,
  ];
}

/** Says that a fit is not the minimum. */
export function unsolvedNote(
  where: string,
  { relativeGradient }: { relativeGradient: number },
): string {
  return `${where}: a fit ended before its minimum, at its limit of ${evaluationLimit} evaluations or of what rounding allows; its gradient's norm is ${relativeGradient.toExponential(1)} of that at zero weights (${fitTolerance} is asked). Columns that nearly repeat others, or classes that hardly any penalty keeps apart, do this; remove such columns.`;
}

/** Tells the listener, and the result. */
export function note(state: RunState, options: TuneOptions, text: string): void {
  state.notes.push(text);
  options.onEvent?.({ type: "note", text });
}
