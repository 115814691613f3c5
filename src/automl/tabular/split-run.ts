/** One split of a run: every method that it still needs, in order, each judged once on the test rows. */
import { fitDefault, searchGrid, type Choice, type OpenSplit } from "./baselines.ts";
import type { MethodRecord, OuterState } from "./checkpoint.ts";
import type { ChosenRule } from "./choose-rule.ts";
import type { BudgetClock } from "./clock.ts";
import { searchColumns } from "./column-coefficients.ts";
import { meanLoss, metricsOf, toModel } from "./evaluate.ts";
import type { Job } from "./job.ts";
import type { Outcome } from "./result.ts";
import { encodeRows, toRows } from "./splits.ts";
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
    const record = { ...judge(job, split, method, choice, seconds), cut };
    if (outer) record.outer = outer;
    if (cancelled) {
      state.outcome = "cancelled";
      if (repeat === 0) state.partial = record;
      return false;
    }
    if (outer && !cut) state.outer.delete(repeat);
    if (cut) state.outcome = "budget";
    const ending = endingNote(record, options, repeat);
    if (ending !== undefined) options.onEvent?.({ type: "note", text: ending });
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
  const validation = toRows(split.validation, split.plan, job.splits.width);
  const found = await searchColumns(split, {
    tune: options,
    rule: state.rule,
    validation,
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

/** The one look at the test rows. */
function judge(
  job: Job,
  split: OpenSplit,
  method: Method,
  choice: Choice,
  seconds: number,
): Omit<MethodRecord, "cut"> {
  const { plan } = split;
  const model = toModel(plan, choice.fit.weights);
  const test = encodeRows(job.table, plan, plan.rows.test);
  return {
    method,
    seconds,
    validationLoss: choice.validationLoss,
    test: metricsOf(model, test),
    testLoss: meanLoss(model, test),
    logCoefficient: Array.from(choice.logCoefficient.subarray(0, plan.encoder.inputs.length)),
  };
}

/** How a record's search ended, when that needs saying. */
export function endingNote(
  record: MethodRecord,
  options: TuneOptions,
  repeat: number,
): string | undefined {
  const { outer, cut } = record;
  if (outer === undefined) return undefined;
  if (outer.status === "non-finite" || outer.status === "diverged") {
    return `Split ${repeat + 1}: ${outer.sentence}`;
  }
  if (!cut) return undefined;
  const made = outer.history.length - 1;
  return `Split ${repeat + 1}: the time budget ended the search after ${made} of ${options.steps} outer steps.`;
}

/** Tells the listener, and the result. */
export function note(state: RunState, options: TuneOptions, text: string): void {
  state.notes.push(text);
  options.onEvent?.({ type: "note", text });
}
