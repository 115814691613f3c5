/** One coefficient per input column, found by hypergradients of the validation loss. */
import type { StepRecord } from "../../bilevel/history.ts";
import { adam } from "../../bilevel/optimizers/adam.ts";
import { box } from "../../bilevel/projections.ts";
import { solve } from "../../bilevel/solve.ts";
import type { SolveResult } from "../../bilevel/solve-options.ts";
import { zeros, type Tensor } from "../../program/tensor.ts";
import { fitWith, type Choice, type OpenSplit } from "./baselines.ts";
import { fromBase64, toBase64, type OuterRecord, type OuterState } from "./checkpoint.ts";
import type { ChosenRule } from "./choose-rule.ts";
import { formulate } from "./formulation.ts";
import type { Coefficients, Rows, Weights } from "./problem.ts";
import type { HistoryEntry, TuneOptions } from "./types.ts";
import { usedRule } from "./used-rule.ts";

/** What the search on one split found. */
export interface ColumnSearch {
  outer: OuterRecord;
  /** The best coefficients so far, fitted; also when the search was stopped. */
  choice: Choice;
  /** True when the signal stopped it. */
  cancelled: boolean;
  /** True when the budget stopped it. */
  cut: boolean;
}

/** How far λ may go: coefficients from 1e-8 to 1e3. */
const bounds = { lower: Math.log(1e-8), upper: Math.log(1e3) };

/** About the most that ln of a coefficient moves in a step: from 1 to the lower bound takes some 40 steps. */
const learningRate = 0.5;

/**
 * The loop stops when this many steps in a row bring no improvement of more than `minImprovement`. The
 * patience is long, because collinear columns make the objective rise for a while before it falls again.
 */
const earlyStopping = { patience: 30, minImprovement: 1e-6 };

/**
 * Minimises the validation loss over ln of the coefficients, from 1 for every column, by Adam on the
 * rule's hypergradients; the follower starts where it was left a step before.
 *
 * Two choices keep the search from fitting noise in the validation rows. It starts with a strong
 * penalty, so that a column is set free only if that helps; and Adam's ε is 1/(2·validation rows), about
 * what one free weight gains by chance (the AIC's price of a parameter): gradients well below it move
 * their coefficient in proportion, not by full steps.
 */
export async function searchColumns(
  split: OpenSplit,
  options: {
    tune: Pick<TuneOptions, "steps" | "device" | "threads" | "signal">;
    rule: ChosenRule;
    validation: Rows<Tensor>;
    budgetSeconds: number | undefined;
    resume: OuterState | undefined;
    repeat: number;
    onStep: (entry: HistoryEntry) => void;
    onState: (state: OuterState) => void | Promise<void>;
  },
): Promise<ColumnSearch> {
  const { tune, validation, resume, repeat } = options;
  const { task } = split.plan.target;
  const columns = split.training.x.shape[1]!;
  const outputs = split.training.y.shape[0]!;
  const formulation = formulate(task, options.rule, split.training, validation);
  const { rule } = formulation;
  const seen: HistoryEntry[] = [...(resume?.history ?? [])];
  const before = seen.at(-1)?.seconds ?? 0;
  const run = solve(formulation.problem, {
    rule,
    optimizer: adam({ learningRate, epsilon: 0.5 / validation.x.shape[0]! }),
    constraints: box(bounds),
    lambda: { logCoefficient: zeros([split.inputs]) },
    w: { weights: zeros([outputs, columns]) },
    data: formulation.data,
    budget: {
      steps: tune.steps,
      ...(options.budgetSeconds === undefined ? {} : { seconds: options.budgetSeconds }),
    },
    earlyStopping,
    keepBest: true,
    checkpoint: {
      save: (bytes) => options.onState({ repeat, state: toBase64(bytes), history: [...seen] }),
      everySteps: 10,
    },
    device: tune.device ?? "cpu",
    ...(tune.threads === undefined ? {} : { threads: tune.threads }),
    ...(tune.signal === undefined ? {} : { signal: tune.signal }),
    ...(resume === undefined ? {} : { resume: fromBase64(resume.state) }),
  });
  for await (const step of run) {
    const entry = entryOf(step, before + step.elapsedSeconds);
    seen.push(entry);
    options.onStep(entry);
  }
  const result = (await run) as unknown as SolveResult<Coefficients, Weights>;
  // A checkpoint is written before its last step is seen here: its time is then the step before's.
  const seconds = new Map(seen.map((entry) => [entry.step, entry.seconds]));
  const history = result.history.map((record) =>
    entryOf(record, seconds.get(record.step) ?? seconds.get(record.step - 1) ?? before),
  );
  const { logCoefficient } = result.lambda as unknown as Coefficients<Tensor>;
  const answer = (result.w as unknown as Weights<Tensor>).weights;
  const found = Float32Array.from(logCoefficient.data);
  const choice = await fitWith(split, found, formulation.toWeights(answer, found));
  return {
    choice,
    cancelled: result.status === "cancelled",
    cut: result.status === "max-steps" && history.length <= tune.steps,
    outer: {
      history,
      status: result.status,
      sentence: result.sentence,
      bestStep: result.best.step,
      innerSteps: rule.innerSteps,
      innerGradientNorm: history[result.best.step]?.innerGradientNorm ?? NaN,
      referenceGradientNorm: formulation.referenceNorm(found),
      rule: usedRule(options.rule, formulation, result.history[result.best.step], result.cost),
    },
  };
}

function entryOf(record: StepRecord, seconds: number): HistoryEntry {
  return {
    step: record.step,
    inner: record.innerValue,
    outer: record.value,
    gradientNorm: record.gradientNorm,
    innerGradientNorm: record.innerGradientNorm,
    seconds,
  };
}
