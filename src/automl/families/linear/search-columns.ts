/** One coefficient per input column, found by hypergradients of the validation loss. */
import {
  adam,
  box,
  CheckpointError,
  solve,
  type SolveResult,
  type StepRecord,
} from "../../../bilevel/index.ts";
import { DataError } from "../../../data/index.ts";
import { type Tensor, tensor } from "../../../program/index.ts";
import { fromBase64, toBase64 } from "../base64.ts";
import { judgedRows } from "../rows.ts";
import type { HistoryEntry, Hold, SearchRecord, SearchState } from "../search-record.ts";
import { formulate } from "./formulation.ts";
import { between, chooseHold } from "./hold.ts";
import { fitWith, type Choice, type OpenSplit } from "./open-split.ts";
import type { Coefficients, Weights } from "./problem.ts";
import type { LinearRun } from "./run.ts";
import { searchData } from "./search-data.ts";
import { usedRule } from "../used-rule.ts";

/** What the search on one split found. */
export interface ColumnSearch {
  outer: SearchRecord;
  /** What the held-out rows favour, fitted; the single coefficient when the search was stopped. */
  choice: Choice;
  /** True when the signal stopped it. */
  cancelled: boolean;
  /** True when the budget stopped it. */
  cut: boolean;
}

/** How far λ may go: coefficients from 1e-8 to 1e3. */
const bounds = { lower: Math.log(1e-8), upper: Math.log(1e3) };

/** About the most that ln of a coefficient moves in a step. */
const learningRate = 0.5;

/** Standard deviation of the prior: a column's coefficient is expected within a factor e² ≈ 7 of the common one. */
const priorDeviation = 2;

/**
 * The loop stops when this many steps in a row bring no improvement of more than `minImprovement` of a nat per row. The
 * patience is long, because collinear columns make the objective rise for a while before it falls again.
 */
const earlyStopping = { patience: 20, minImprovement: 1e-6 };

/**
 * Tunes one coefficient per column on the held-out rows of all folds, from the best single one, and says how far the
 * columns should leave it.
 *
 * Two sets of coefficients, each of half the followers, are tuned side by side by Adam on the rule's hypergradients; the
 * followers start where they were left a step before. The objective is that of `tabularProblem`, the mean held-out loss
 * with a prior that holds each set together,
 *
 *     1/N Σ_i loss_i + ½ρ Σ_s Σ_j (λ_sj − mean_j λ_sj)²,   ρ = φ / (τ² N),   τ = 2:
 *
 * −ln of N held-out rows' likelihood and of the normal prior, over N. A row's loss is φ nats: 1 for classes; for squares
 * the variance of the noise, twice the loss at the single coefficient. Adam's ε is φ/(20N), a tenth of what one free
 * weight gains by chance (the AIC's price of a parameter): a coefficient whose gradient is well below it moves in
 * proportion, not by full steps. The result is the mean of both sets, each weighted by its rows, held back as
 * {@link chooseHold} says; it is the
 * single coefficient when that has the smaller held-out loss.
 */
export async function searchColumns(
  split: OpenSplit,
  options: {
    run: LinearRun;
    /** ln of the best single coefficient. */
    single: number;
    budgetSeconds: number | undefined;
    signal: AbortSignal | undefined;
    resume: SearchState | undefined;
    repeat: number;
    onStep: (entry: HistoryEntry) => void;
    onState: (state: SearchState) => void | Promise<void>;
  },
): Promise<ColumnSearch> {
  const { run, resume, repeat, signal } = options;
  const { steps, device, threads } = run.options;
  const { plan, inputs } = split;
  const { task } = plan.target;
  const followers = plan.trains.length;
  const setCount = Math.max(...plan.sets) + 1;
  // Fitted from zero weights, so that a resumed search starts from the same numbers.
  const single = await fitWith(split, new Float64Array(inputs).fill(options.single));
  const nats = task === "regression" ? Math.max(2 * single.validationLoss, 1e-30) : 1;
  const rows = judgedRows(plan.judge);
  const data = await searchData(split, run.curvature, nats / (priorDeviation ** 2 * rows));
  const formulation = formulate(task, run.rule, data);
  const { rule } = formulation;
  const start = new Float32Array(setCount * inputs).fill(options.single);
  const seen: HistoryEntry[] = [...(resume?.history ?? [])];
  const before = seen.at(-1)?.seconds ?? 0;
  const loop = solve(formulation.problem, {
    rule,
    optimizer: adam({ learningRate, epsilon: nats / (20 * rows) }),
    constraints: box(bounds),
    lambda: { logCoefficient: tensor(start, { shape: [setCount, inputs] }) },
    w: { weights: formulation.fromWeights(single.fit.weights, start) },
    data: formulation.data,
    budget: {
      steps,
      seconds: options.budgetSeconds,
    },
    earlyStopping: {
      ...earlyStopping,
      minImprovement: earlyStopping.minImprovement * nats,
    },
    keepBest: true,
    checkpoint: {
      save: (bytes) => options.onState({ state: toBase64(bytes), history: [...seen] }),
      everySteps: 10,
    },
    device: device ?? "cpu",
    threads,
    signal,
    resume: resume && stateOf(resume, repeat),
  });
  try {
    for await (const step of loop) {
      const entry = entryOf(step, followers, before + step.elapsedSeconds);
      seen.push(entry);
      options.onStep(entry);
    }
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code === "io") throw error;
    throw damagedState(repeat, error);
  }
  const result = (await loop) as unknown as SolveResult<Coefficients, Weights>;
  // A checkpoint is written before its last step is seen here: its time is then the step before's.
  const seconds = new Map(seen.map((entry) => [entry.step, entry.seconds]));
  const history = result.history.map((record) =>
    entryOf(record, followers, seconds.get(record.step) ?? seconds.get(record.step - 1) ?? before),
  );
  const { logCoefficient } = result.lambda as unknown as Coefficients<Tensor>;
  const found = Float64Array.from(logCoefficient.data as Float32Array);
  const cancelled = result.status === "cancelled";
  const { choice, hold } = cancelled
    ? { choice: single, hold: { share: 0, gain: NaN, standardError: NaN } }
    : await holdBack(split, single, found);
  return {
    choice,
    cancelled,
    cut: result.status === "max-steps" && history.length <= steps,
    outer: {
      history,
      status: result.status,
      sentence: result.sentence,
      bestStep: result.best.step,
      innerSteps: rule.innerSteps,
      innerGradientNorm: history[result.best.step]?.innerGradientNorm ?? NaN,
      referenceGradientNorm: formulation.referenceNorm(found),
      rule: usedRule(run.rule, formulation, result.history[result.best.step], result.cost),
      hold,
    },
  };
}

function stateOf({ state }: SearchState, repeat: number): Uint8Array {
  try {
    return fromBase64(state);
  } catch (error) {
    throw damagedState(repeat, error);
  }
}

function damagedState(repeat: number, cause: unknown): DataError {
  return new DataError(
    `resume: the checkpoint's search on split ${repeat + 1} is damaged, or another version of stackelberg began it; start a new run.`,
    { cause },
  );
}

/** The mean of the sets' coefficients, as far from the single one as pays, fitted. */
async function holdBack(
  split: OpenSplit,
  single: Choice,
  found: Float64Array,
): Promise<{ choice: Choice; hold: Hold }> {
  const { plan, inputs } = split;
  const setCount = found.length / inputs;
  const tuned = Array.from({ length: setCount }, (_, s) =>
    found.slice(s * inputs, (s + 1) * inputs),
  );
  const rowsOf = tuned.map((_, s) =>
    judgedRows(plan.judge.map((f) => (plan.sets[f] === s ? f : -1))),
  );
  const total = rowsOf.reduce((a, b) => a + b);
  const mean = new Float64Array(inputs);
  tuned.forEach((own, s) => own.forEach((value, i) => (mean[i]! += (value * rowsOf[s]!) / total)));
  const hold = await chooseHold(split, single, tuned);
  if (hold.share > 0) {
    const log = between(single.logCoefficient, mean, hold.share);
    const choice = await fitWith(split, log, single.fit.weights);
    if (choice.validationLoss < single.validationLoss) return { choice, hold };
  }
  return { choice: single, hold: { ...hold, share: 0 } };
}

function entryOf(record: StepRecord, followers: number, seconds: number): HistoryEntry {
  return {
    step: record.step,
    // The followers stand in one sum.
    inner: record.innerValue / followers,
    outer: record.value,
    gradientNorm: record.gradientNorm,
    innerGradientNorm: record.innerGradientNorm,
    seconds,
  };
}
