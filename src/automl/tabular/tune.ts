/**
 * The tabular job: on each of several splits, no tuning, a grid of single coefficients, and one
 * coefficient per column by hypergradients; then a model with the first split's choice, on all rows.
 * This file is the order of events; the parts are in its neighbours.
 */
import type { Table } from "../../data/index.ts";
import { checkCheckpoint, checkRecords, fingerprintOfRun } from "./checkpoint.ts";
import { chooseRule, type ChosenRule } from "../families/linear/choose-rule.ts";
import { BudgetClock } from "./clock.ts";
import { metricNames } from "./evaluate.ts";
import { finalModel } from "./final-model.ts";
import { formulate } from "../families/linear/formulation.ts";
import { openJob, type Job } from "./job.ts";
import { assembleResult } from "./result.ts";
import { refusalOf } from "../families/linear/rules.ts";
import { endingNotes, runSplit, type RunState } from "./split-run.ts";
import { searchData } from "../families/linear/search-data.ts";
import { planSplits } from "./splits.ts";
import type { TuneOptions, TuneResult, UsedRule } from "./types.ts";
import { usedRule } from "../families/linear/used-rule.ts";

export type {
  ChosenModel,
  HistoryEntry,
  Method,
  MethodResult,
  TabularModel,
  TuneAdvice,
  TunedInput,
  TuneEvent,
  TuneOptions,
  TuneResult,
  UsedRule,
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
 * @throws RangeError for options out of range, a rule that does not apply among them.
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
  if (options.resume) {
    const inputs = splits.plans.map(({ encoder }) => encoder.inputs.length);
    checkRecords(options.resume, inputs, metricNames(splits.target.task));
  }
  const rule = await chooseRule(table, options, splits);
  const { advice } = rule;
  if (advice) options.onEvent?.({ type: "note", text: `The adviser picked ${advice.call}.` });
  const job = openJob(table, options, splits);
  const { resume } = options;
  const state: RunState = {
    rule,
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
        ...(advice === undefined ? {} : { advice }),
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

/** The model, refitted on all rows with a target, and the result. */
async function finish(job: Job, state: RunState, clock: BudgetClock): Promise<TuneResult> {
  const { table, options, splits } = job;
  const first = state.records[0]!;
  const search = state.partial ?? first.find((record) => record.method === "hypergradient");
  const { chosen, model, logCoefficient } = await finalModel(job, state, search);
  const endings = state.records.flatMap((records, repeat) =>
    records.flatMap((record) => endingNotes(record, options, repeat)),
  );
  return assembleResult({
    table,
    options,
    splits,
    records: state.records,
    logCoefficient,
    search,
    rule: search?.outer?.rule ?? (await unusedRule(job, state.rule)),
    chosen,
    model,
    outcome: state.outcome,
    notes: [...splits.notes, ...endings, ...state.notes],
    seconds: (options.resume?.seconds ?? 0) + clock.elapsedSeconds,
  });
}

/** The rule of a run that was stopped before its first step. */
async function unusedRule(job: Job, chosen: ChosenRule): Promise<UsedRule> {
  const split = await job.open(0);
  const data = await searchData(split, job.curvature, 0);
  const formulation = formulate(split.plan.target.task, chosen, data);
  return usedRule(chosen, formulation, undefined, {
    innerGradients: 0,
    hessianVectorProducts: 0,
    crossProducts: 0,
    storedFloats: 0,
    reportGradients: 0,
  });
}

function checkOptions(options: TuneOptions): void {
  const { holdout, validation, folds, repeats, steps, budgetSeconds = Infinity } = options;
  const isFraction = (value: number): boolean => value > 0 && value < 1;
  if (!isFraction(holdout)) {
    throw new RangeError(
      `tune: holdout is a fraction above 0 and below 1, got ${holdout}; try 0.2.`,
    );
  }
  if (validation !== undefined && (!isFraction(validation) || holdout + validation >= 1)) {
    throw new RangeError(
      `tune: holdout and validation are fractions above 0 that add up to less than 1, got ${holdout} and ${validation}; try 0.2 and 0.2.`,
    );
  }
  if (validation !== undefined && folds !== undefined) {
    throw new RangeError(
      "tune: folds and validation exclude each other: each row is held out once, or one part is; give one of them.",
    );
  }
  if (folds !== undefined && (!Number.isSafeInteger(folds) || folds < 2)) {
    throw new RangeError(
      `tune: folds must be a whole number of at least 2, got ${folds}; for a single validation part give validation.`,
    );
  }
  for (const [name, value] of Object.entries({ repeats, steps })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`tune: ${name} must be a whole number of at least 1, got ${value}.`);
    }
  }
  const refusal = options.rule === undefined ? undefined : refusalOf(options.rule);
  if (refusal !== undefined) throw new RangeError(`tune: ${refusal}.`);
  if (!(budgetSeconds > 0)) {
    throw new RangeError(`tune: budgetSeconds must be above 0, got ${budgetSeconds}.`);
  }
}
