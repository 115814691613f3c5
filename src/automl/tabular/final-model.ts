/**
 * The model that comes out of a run: the first split's choice, by held-out loss, refitted on all rows that have a target.
 * The test rows may be among them: their errors have been measured, and nothing is chosen any more.
 */
import type { MethodRecord } from "./checkpoint.ts";
import { toModel } from "./evaluate.ts";
import type { Job } from "./job.ts";
import { methodResults } from "./result.ts";
import { forRows, note, unsolvedNote, type RunState } from "./split-run.ts";
import { planEncoding, trainingRowsOf } from "./splits.ts";
import type { ChosenModel, TabularModel } from "./types.ts";

/** @param search - the first split's search, also when it was stopped. */
export async function finalModel(
  job: Job,
  state: RunState,
  search: MethodRecord | undefined,
): Promise<{ chosen: ChosenModel; model: TabularModel; logCoefficient: number[] }> {
  const { table, options, splits } = job;
  const { rows, target, plans } = splits;
  const first = state.records[0]!;
  const record = favoured([...first, ...(search === undefined ? [] : [search])]);
  const share = record.outer?.hold.share ?? 0;
  const plan = planEncoding(table, target, plans[0]!.values, rows);
  const log = forRows(record.logCoefficient, trainingRowsOf(plans[0]!), rows.length);
  const single = first.find(({ method }) => method === "grid") ?? record;
  const [singleLog] = forRows(single.logCoefficient, trainingRowsOf(plans[0]!), rows.length);
  // Inputs that only the test rows show get the coefficient that one for all would have.
  const byName = new Map(plans[0]!.encoder.inputs.map(({ name }, i) => [name, log[i]!]));
  const logCoefficient = plan.encoder.inputs.map(({ name }) => byName.get(name) ?? singleLog!);
  const fit = await job.refit(plan, rows, logCoefficient);
  if (!fit.isSolved) note(state, options, unsolvedNote("The model", fit));
  const isSearched = record.method === "hypergradient" && record !== state.partial;
  const by = record === state.partial ? "grid" : record.method;
  const expected = expectedError(job, state, by);
  return {
    chosen: {
      method: isSearched && share === 0 ? "grid" : by,
      share,
      singleCoefficient: Math.exp(singleLog!),
      validationLoss: record.validationLoss,
      rows: rows.length,
      isSolved: fit.isSolved,
      ...(expected === undefined ? {} : { expected }),
    },
    model: toModel(plan, fit.weights),
    logCoefficient,
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
  { options, splits }: Job,
  state: RunState,
  by: MethodRecord["method"],
): ChosenModel["expected"] {
  const found = methodResults(state.records, options.holdout).find(({ method }) => method === by);
  if (found === undefined) return undefined;
  const metric = splits.target.task === "regression" ? "rmse" : "logLoss";
  const { mean, halfWidth, values } = found.test[metric]!;
  return { by, metric, mean, halfWidth, splits: values.length };
}
