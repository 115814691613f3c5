/**
 * The tabular job: on each of several splits, no tuning, a grid of single coefficients, and one
 * coefficient per column by hypergradients; then a model with the coefficients of the first split.
 * This file is the order of events; the parts are in its neighbours.
 */
import type { Table } from "../../data/index.ts";
import { checkCheckpoint, fingerprintOfRun, type MethodRecord } from "./checkpoint.ts";
import { chooseRule, type ChosenRule } from "./choose-rule.ts";
import { BudgetClock } from "./clock.ts";
import { toModel } from "./evaluate.ts";
import { formulate } from "./formulation.ts";
import { openJob, type Job } from "./job.ts";
import { assembleResult } from "./result.ts";
import { refusalOf } from "./rules.ts";
import { endingNote, note, runSplit, type RunState } from "./split-run.ts";
import { planSplits, toRows } from "./splits.ts";
import type { TuneOptions, TuneResult, UsedRule } from "./types.ts";
import { usedRule } from "./used-rule.ts";

export type {
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
    rule: search?.outer?.rule ?? (await unusedRule(job, state.rule)),
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

/** The rule of a run that was stopped before its first step. */
async function unusedRule(job: Job, chosen: ChosenRule): Promise<UsedRule> {
  const { plan, training, validation } = await job.open(0);
  const rows = toRows(validation, plan, job.splits.width);
  const formulation = formulate(plan.target.task, chosen, training, rows);
  return usedRule(chosen, formulation, undefined, {
    innerGradients: 0,
    hessianVectorProducts: 0,
    crossProducts: 0,
    storedFloats: 0,
    reportGradients: 0,
  });
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
  const refusal = options.rule === undefined ? undefined : refusalOf(options.rule);
  if (refusal !== undefined) throw new RangeError(`tune: ${refusal}.`);
  if (!(budgetSeconds > 0)) {
    throw new RangeError(`tune: budgetSeconds must be above 0, got ${budgetSeconds}.`);
  }
}
