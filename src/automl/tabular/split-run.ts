/** One split of a run: every method that it still needs, in order, each judged once on the test rows. */
import type { Found, Method } from "../families/method.ts";
import { trainingRowsOf } from "../families/rows.ts";
import type { BudgetClock } from "./clock.ts";
import { meanLoss, metricsOfPrediction } from "./evaluate.ts";
import { note, type Job, type RunState } from "./job.ts";
import type { MethodRecord } from "./record.ts";
import { predictEncoded } from "./predict.ts";
import { encodeRows } from "./splits.ts";
import type { FullTuneOptions } from "./types.ts";

/** The methods that a split still needs. @returns false when the run ends here. */
export async function runSplit(
  job: Job,
  state: RunState,
  clock: BudgetClock,
  repeat: number,
): Promise<boolean> {
  const { options, family } = job;
  const records = (state.records[repeat] ??= []);
  const missing = family.methods.filter((method) => {
    const record = records.find((candidate) => candidate.method === method.name);
    return record === undefined || record.cut;
  });
  if (missing.length === 0) return true;
  if (repeat > 0 && !clock.hasTimeForSplit()) {
    state.outcome = "budget";
    if (records.length === 0) state.records.length = repeat;
    note(state, options, `The time budget ended before split ${repeat + 1} of ${options.repeats}.`);
    return false;
  }
  const baselines = family.methods.flatMap(({ role, called }) =>
    role === "baseline" ? [called] : [],
  );
  options.onEvent?.({ type: "split", repeat, repeats: options.repeats, baselines });
  clock.startSplit(options.repeats - repeat);
  const split = await job.opened.split(repeat);
  for (const method of missing) {
    const isFirst = method === family.methods[0];
    // Something must be there to make a model of, however soon the run is stopped.
    const isNeeded = repeat === 0 && isFirst;
    if (options.signal?.aborted && !isNeeded) state.outcome = "cancelled";
    if (state.outcome === "cancelled") return false;
    const started = clock.elapsedSeconds;
    const spentBefore = state.outer.get(repeat)?.history.at(-1)?.seconds;
    const found = await choose(job, state, clock, repeat, method, split);
    if (found === undefined) {
      state.outcome = "cancelled";
      return false;
    }
    const before = method.role === "search" ? (spentBefore ?? 0) : 0;
    const seconds = before + clock.elapsedSeconds - started;
    const record = await judge(job, method, found, repeat, seconds);
    if (found.cancelled === true) {
      state.outcome = "cancelled";
      if (repeat === 0) state.partial = record;
      return false;
    }
    if (found.search !== undefined && !found.cut) state.outer.delete(repeat);
    if (found.cut) state.outcome = "budget";
    for (const text of endingNotes(job, record, repeat)) {
      options.onEvent?.({ type: "note", text });
    }
    const place = records.findIndex((candidate) => candidate.method === method.name);
    records.splice(place < 0 ? records.length : place, place < 0 ? 0 : 1, record);
    const { validationLoss, testLoss } = record;
    const { name, title } = method;
    options.onEvent?.({
      type: "method",
      repeat,
      method: name,
      title,
      seconds,
      validationLoss,
      testLoss,
    });
    clock.finishMethod(method, isFirst, seconds, found.search?.history.length ?? 0);
    await state.save();
  }
  return true;
}

/** @returns undefined when the signal stopped it with nothing to show. */
async function choose(
  { options, family, splits }: Job,
  state: RunState,
  clock: BudgetClock,
  repeat: number,
  method: Method<unknown, unknown>,
  split: unknown,
): Promise<Found<unknown> | undefined> {
  const isSearch = method.role === "search";
  return method.choose(split, {
    earlier: (name) => {
      const record = state.records[repeat]!.find((candidate) => candidate.method === name)!;
      return family.checkConfig(record.config, splits.plans[repeat]!.encoder);
    },
    repeat,
    budgetSeconds: isSearch ? clock.secondsForSearch() : undefined,
    signal: options.signal,
    resume: isSearch ? state.outer.get(repeat) : undefined,
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
      state.outer.set(repeat, { repeat, ...outer });
      return state.save();
    },
  });
}

/** Trains on all rows but the test rows, and looks at these once. */
async function judge(
  { table, splits, family, opened }: Job,
  { name: method }: Method<unknown, unknown>,
  { config, validationLoss, unsolved, search, cut }: Found<unknown>,
  repeat: number,
  seconds: number,
): Promise<MethodRecord> {
  const plan = splits.plans[repeat]!;
  const { encoder, target, rows } = plan;
  const size = { encoder, rows: trainingRowsOf(plan) };
  const forAll = opened.transfer(config, size, { encoder, rows: rows.length });
  const fit = await opened.fit(plan, rows, forAll);
  const test = encodeRows(table, plan, plan.test);
  const model = { version: 1, family: family.name, target, encoder, fitted: fit.model } as const;
  const prediction = predictEncoded(model, test.matrix, test.count, [family]);
  const trouble = unsolved ?? fit.unsolved;
  return {
    method,
    seconds,
    validationLoss,
    test: metricsOfPrediction(prediction, test.values),
    testLoss: meanLoss(model, prediction, test.values),
    config,
    unsolved: trouble,
    cut,
    outer: search,
  };
}

/** How a record's search and fits ended, when that needs saying. */
export function endingNotes(
  { family, options }: { family: Job["family"]; options: FullTuneOptions },
  { method: name, outer, cut, unsolved }: MethodRecord,
  repeat: number,
): string[] {
  const notes: string[] = [];
  if (unsolved !== undefined) {
    const { title } = family.methods.find((method) => method.name === name)!;
    notes.push(`Split ${repeat + 1}, ${title}: ${unsolved}`);
  }
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
