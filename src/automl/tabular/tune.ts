/**
 * The tabular job: on each of several splits the family's methods, then a model with the first split's choice, on all rows.
 * This file is the order of events; the parts are in its neighbours.
 */
import type { Table } from "../../data/index.ts";
import type { ModelFamily } from "../families/family.ts";
import { families } from "../families/index.ts";
import type { UsedRule } from "../families/search-record.ts";
import { checkCheckpoint, checkRecords } from "./checkpoint.ts";
import { BudgetClock } from "./clock.ts";
import { tuneDefaults } from "./defaults.ts";
import { metricNames } from "./evaluate.ts";
import { finalModel } from "./final-model.ts";
import { fingerprintOfRun } from "./fingerprint.ts";
import type { Job, RunState } from "./job.ts";
import { assembleResult } from "./result.ts";
import { endingNotes, runSplit } from "./split-run.ts";
import { encodeRows, planSplits } from "./splits.ts";
import type { FullTuneOptions, TuneOptions, TuneResult } from "./types.ts";
import { withDefaults } from "../../program/internal.ts";

/**
 * Chooses and trains a model of a table.
 *
 * On each of several splits every method of the family chooses a configuration by held-out loss: for linear models no tuning,
 * the best single coefficient, and one coefficient per column by hypergradients. Test rows are looked at once per method and
 * split, after everything is chosen; the model is then trained on all rows with a target. The same table, options and number
 * of threads give the same result, times apart, also across an interruption and `resume`. A stopped run (`signal`,
 * `budgetSeconds`) returns what it learned; the first split's first method is always made.
 *
 * @param given - the target is all that is needed.
 * @throws DataError when the table or the checkpoint cannot be used as asked.
 * @throws RangeError for options out of range, a rule that does not apply among them.
 * @example
 * const { table } = await readTable("data.csv");
 * const { model, chosen } = await tune(table, { target: "price" });
 * const prediction = predictTable(model, table);
 */
export async function tune(table: Table, given: TuneOptions): Promise<TuneResult> {
  const { holdout, seed, repeats, steps } = tuneDefaults;
  const options: FullTuneOptions = withDefaults({ holdout, seed, repeats, steps }, given);
  const { family = families[0]!, resume } = options;
  checkOptions(options, family);
  const clock = new BudgetClock(options);
  const fingerprint = fingerprintOfRun(table, options);
  if (resume) checkCheckpoint(resume, fingerprint);
  const splits = planSplits(table, options);
  const { task } = splits.target;
  if (!family.tasks.includes(task)) {
    throw new RangeError(
      `tune: the family ${family.name} does not do ${task}; it does ${family.tasks.join(", ")}.`,
    );
  }
  if (resume) {
    const encoders = splits.plans.map(({ encoder }) => encoder);
    checkRecords(resume, family, encoders, metricNames(task));
  }
  const opened = await family.open({
    splits: splits.plans,
    encode: (plan, rows) => encodeRows(table, plan, rows),
    options,
    advice: resume?.advice,
  });
  const { advice } = opened;
  if (advice) options.onEvent?.({ type: "note", text: `The adviser picked ${advice.call}.` });
  const job: Job = { table, options, splits, family, opened };
  const state: RunState = {
    records: structuredClone(resume?.splits ?? []),
    outer: new Map(resume?.outer.map((entry) => [entry.repeat, entry])),
    outcome: "completed",
    notes: [],
    save: () =>
      options.onCheckpoint?.({
        version: 2,
        fingerprint,
        seconds: (resume?.seconds ?? 0) + clock.elapsedSeconds,
        splits: structuredClone(state.records),
        outer: [...state.outer.values()],
        advice,
      }),
  };
  try {
    for (let repeat = 0; repeat < options.repeats && state.outcome !== "cancelled"; repeat++) {
      if (!(await runSplit(job, state, clock, repeat))) break;
    }
    return await finish(job, state, clock);
  } finally {
    await opened.dispose();
  }
}

/** The model, refitted on all rows with a target, and the result. */
async function finish(job: Job, state: RunState, clock: BudgetClock): Promise<TuneResult> {
  const { options, splits } = job;
  const search = state.partial ?? state.records[0]!.find(({ outer }) => outer !== undefined);
  const fitting = clock.elapsedSeconds;
  const final = await finalModel(job, state, search);
  const overrun = clock.overrun(clock.elapsedSeconds - fitting);
  if (overrun !== undefined) {
    options.onEvent?.({ type: "note", text: overrun });
    state.notes.push(overrun);
  }
  const endings = state.records.flatMap((records, repeat) =>
    records.flatMap((record) => endingNotes(job, record, repeat)),
  );
  return assembleResult({
    job,
    records: state.records,
    search,
    rule: search?.outer?.rule ?? (await unusedRule(job)),
    final,
    outcome: state.outcome,
    notes: [...splits.notes, ...endings, ...state.notes],
    seconds: (options.resume?.seconds ?? 0) + clock.elapsedSeconds,
  });
}

/** The rule of a run that was stopped before its first step. */
async function unusedRule({ opened }: Job): Promise<UsedRule | undefined> {
  return opened.unusedRule?.(0);
}

function checkOptions(options: FullTuneOptions, family: ModelFamily): void {
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
  const { rule } = options;
  const noSearch = (name: string): string => `the family ${family.name} takes no rule, got ${name}`;
  const refusal =
    rule && (family.refuseRule === undefined ? noSearch(rule) : family.refuseRule(rule));
  if (refusal !== undefined) throw new RangeError(`tune: ${refusal}.`);
  if (!(budgetSeconds > 0)) {
    throw new RangeError(`tune: budgetSeconds must be above 0, got ${budgetSeconds}.`);
  }
}
