/**
 * The tabular job: on each of several splits, no tuning, a grid of single coefficients, and one
 * coefficient per column by hypergradients; then a model with the coefficients of the first split.
 * This file is the order of events; the parts are in its neighbours.
 */
import type { Table } from "../../data/index.ts";
import { fitDefault, searchGrid, type Choice, type OpenSplit } from "./baselines.ts";
import {
  checkCheckpoint,
  fingerprintOfRun,
  type MethodRecord,
  type OuterState,
} from "./checkpoint.ts";
import { BudgetClock } from "./clock.ts";
import { searchColumns } from "./column-coefficients.ts";
import { meanLoss, metricsOf, toModel } from "./evaluate.ts";
import { openJob, type Job } from "./job.ts";
import { assembleResult, type Outcome } from "./result.ts";
import { encodeRows, planSplits, toRows } from "./splits.ts";
import type { Method, TuneOptions, TuneResult } from "./types.ts";

export type {
  HistoryEntry,
  Method,
  MethodResult,
  TabularModel,
  TunedInput,
  TuneEvent,
  TuneOptions,
  TuneResult,
} from "./types.ts";

/**
 * Tunes a linear model of a table.
 *
 * Test rows are looked at once per method and split, after everything is chosen. The same table,
 * options and number of threads give the same result, times apart, also across an interruption and
 * `resume`. A stopped run (`signal`, `budgetSeconds`) returns what it learned; the first split's
 * default fit is always made.
 *
 * @throws DataError when the table or the checkpoint cannot be used as asked.
 * @throws RangeError for options out of range.
 * @example
 * const { table } = await readTable("data.csv");
 * const result = await tune(table, { target: "price", holdout: 0.2, validation: 0.2, seed: 0, repeats: 5, steps: 60 });
 */
export async function tune(table: Table, options: TuneOptions): Promise<TuneResult> {
  checkOptions(options);
  const clock = new BudgetClock(options);
  const fingerprint = fingerprintOfRun(table, options);
  if (options.resume) checkCheckpoint(options.resume, fingerprint);
  const splits = planSplits(table, options);
  const job = openJob(table, options, splits);
  const { resume } = options;
  const state: RunState = {
    records: structuredClone(resume?.splits ?? []),
    outer: new Map(resume?.outer.map((entry) => [entry.repeat, entry])),
    outcome: "completed",
    notes: [],
    save: () =>
      options.onCheckpoint?.({
        version: 1,
        fingerprint,
        seconds: (resume?.seconds ?? 0) + clock.elapsedSeconds,
        splits: structuredClone(state.records),
        outer: [...state.outer.values()],
      }),
  };
  try {
    for (let repeat = 0; repeat < options.repeats && state.outcome !== "cancelled"; repeat++) {
      if (!(await runSplit(job, state, clock, repeat))) break;
    }
    return await finish(job, state, clock);
  } finally {
    await job.dispose();
  }
}

/** What a run has learned. */
interface RunState {
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
async function runSplit(
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

/** The final model, on training and validation rows of the first split, and the result. */
async function finish(job: Job, state: RunState, clock: BudgetClock): Promise<TuneResult> {
  const { table, options, splits } = job;
  const plan = splits.plans[0]!;
  const first = state.records[0]!;
  const search = state.partial ?? first.find((record) => record.method === "hypergradient");
  const chosen = chooseRecord(first, search);
  if (search !== undefined && chosen !== search) {
    const better = chosen.method === "grid" ? "best" : "default";
    note(
      state,
      options,
      `The search on the first split ended before it beat the ${better} single coefficient on the validation rows, so the model has that single coefficient.`,
    );
  }
  const logCoefficient = new Float32Array(splits.inputs);
  logCoefficient.set(chosen.logCoefficient);
  const rows = Int32Array.from([...plan.rows.train, ...plan.rows.validation]).sort();
  const split = await job.open(0, rows);
  const { weights } = await split.fitter.fit(split.training, logCoefficient);
  const endings = state.records.flatMap((records, repeat) =>
    records.flatMap((record) => endingNote(record, options, repeat) ?? []),
  );
  return assembleResult({
    table,
    options,
    splits,
    records: state.records,
    logCoefficient: chosen.logCoefficient,
    search,
    model: toModel(plan, weights),
    outcome: state.outcome,
    notes: [...splits.notes, ...endings, ...state.notes],
    seconds: (options.resume?.seconds ?? 0) + clock.elapsedSeconds,
  });
}

/** The search's coefficients; when it was stopped or failed, those with the best validation loss so far. */
function chooseRecord(
  first: readonly MethodRecord[],
  search: MethodRecord | undefined,
): MethodRecord {
  const isWhole = search?.outer?.status === "converged" || search?.outer?.status === "max-steps";
  if (search !== undefined && isWhole && !search.cut) return search;
  const candidates = [...first.filter((record) => record !== search), ...(search ? [search] : [])];
  return candidates.reduce((best, record) =>
    // Not `>=`: a validation loss of NaN never wins.
    record.validationLoss <= best.validationLoss ? record : best,
  );
}

function endingNote(
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

function note(state: RunState, options: TuneOptions, text: string): void {
  state.notes.push(text);
  options.onEvent?.({ type: "note", text });
}

function checkOptions(options: TuneOptions): void {
  const { holdout, validation, repeats, steps, budgetSeconds = Infinity } = options;
  const isFraction = (value: number): boolean => value > 0 && value < 1;
  if (!isFraction(holdout) || !isFraction(validation) || holdout + validation >= 1) {
    throw new RangeError(
      `tune: holdout and validation are fractions above 0 that add up to less than 1, got ${holdout} and ${validation}; try 0.2 and 0.2.`,
    );
  }
  for (const [name, value] of Object.entries({ repeats, steps })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`tune: ${name} must be a whole number of at least 1, got ${value}.`);
    }
  }
  if (!(budgetSeconds > 0)) {
    throw new RangeError(`tune: budgetSeconds must be above 0, got ${budgetSeconds}.`);
  }
}
