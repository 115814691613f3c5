/**
 * The model that comes out of a run: the first split's choice, by held-out loss, refitted on all rows that have a target.
 * The test rows may be among them: their errors have been measured, and nothing is chosen any more.
 */
import { trainingRowsOf } from "../families/rows.ts";
import { note, type Job, type RunState } from "./job.ts";
import type { TabularModel } from "./model.ts";
import type { MethodRecord } from "./record.ts";
import { methodResults } from "./method-results.ts";
import { planEncoding } from "./splits.ts";
import type { ChosenModel } from "./types.ts";

/** A model with the configuration that it was trained with. */
export interface FinalModel {
  chosen: ChosenModel;
  model: TabularModel;
  config: unknown;
}

/** @param search - the first split's search, also when it was stopped. */
export async function finalModel(
  job: Job,
  state: RunState,
  search: MethodRecord | undefined,
): Promise<FinalModel> {
  const { table, options, splits, family, opened } = job;
  const { rows, target, plans } = splits;
  const first = state.records[0]!;
  const record = favoured([...first, ...(search === undefined ? [] : [search])]);
  const share = record.outer?.hold.share ?? 0;
  const plan = planEncoding(table, target, plans[0]!.values, rows);
  const { encoder } = plan;
  const from = { encoder: plans[0]!.encoder, rows: trainingRowsOf(plans[0]!) };
  const config = opened.transfer(record.config, from, { encoder, rows: rows.length });
  const fit = await opened.fit(plan, rows, config);
  if (fit.unsolved !== undefined) note(state, options, `The model: ${fit.unsolved}`);
  const {
    name,
    role,
    startsFrom = name,
  } = family.methods.find((method) => method.name === record.method)!;
  const isPartial = record === state.partial;
  const by = isPartial ? startsFrom : name;
  const method = role === "search" && share === 0 ? startsFrom : by;
  const { words, numbers } = family.describe(config, {
    method,
    share,
    inputs: encoder.inputs.length,
  });
  const expected = expectedError(job, state, by);
  return {
    chosen: {
      method,
      share,
      what: words,
      numbers,
      validationLoss: record.validationLoss,
      rows: rows.length,
      isSolved: fit.unsolved === undefined,
      expected,
    },
    model: { version: 1, family: family.name, target: plan.target, encoder, fitted: fit.model },
    config,
  };
}

/** The smallest held-out loss; on a tie the later method, whose choice includes the others'. */
function favoured(records: readonly MethodRecord[]): MethodRecord {
  return records.reduce((best, record) =>
    // Not `>=`: a loss of NaN never wins.
    record.validationLoss <= best.validationLoss ? record : best,
  );
}

function expectedError(
  { options, splits, family }: Job,
  state: RunState,
  by: string,
): ChosenModel["expected"] {
  const results = methodResults(state.records, family.methods, options.holdout);
  const found = results.find(({ method }) => method === by);
  if (found === undefined) return undefined;
  const metric = splits.target.task === "regression" ? "rmse" : "logLoss";
  const { mean, halfWidth, values } = found.test[metric]!;
  return { by, metric, mean, halfWidth, splits: values.length };
}
