/** From what the methods found on each split to the result of the run. */
import { meanInterval, type Table } from "../../data/index.ts";
import type { MethodRecord, OuterRecord } from "./checkpoint.ts";
import { defaultRule } from "../families/linear/rules.ts";
import { trainingRowsOf, type Splits } from "./splits.ts";
import type {
  ChosenModel,
  Method,
  MethodResult,
  TabularModel,
  TunedInput,
  TuneOptions,
  TuneResult,
  UsedRule,
} from "./types.ts";

export type Outcome = TuneResult["status"];

/** The follower counts as solved when its gradient is at most this, relative to zero weights. */
export const solvedTolerance = 1e-3;

/** What the methods are called. */
export const titles: Readonly<Record<Method, string>> = {
  default: "default coefficient (1/n)",
  grid: "best single coefficient (grid)",
  hypergradient: "one coefficient per column (hypergradient)",
};

/** Puts the result together. */
export function assembleResult(parts: {
  table: Table;
  options: TuneOptions;
  splits: Splits;
  records: readonly (readonly MethodRecord[])[];
  /** ln of the model's coefficients. */
  logCoefficient: readonly number[];
  /** The search on the first split, also when it was stopped. */
  search: MethodRecord | undefined;
  rule: UsedRule;
  chosen: ChosenModel;
  model: TabularModel;
  outcome: Outcome;
  notes: readonly string[];
  seconds: number;
}): TuneResult {
  const { table, options, splits, records, search, model } = parts;
  const { rows, test, trains } = splits.plans[0]!;
  const train = Math.round(trainingRowsOf(splits.plans[0]!));
  return {
    version: 1,
    status: parts.outcome,
    source: table.source,
    rows: {
      total: splits.rows.length,
      train,
      validation: rows.length - train,
      test: test.length,
    },
    folds: options.validation === undefined ? trains.length : 1,
    target: model.target,
    task: model.target.task,
    seed: options.seed,
    repeats: options.repeats,
    completedRepeats: records.filter((split) => split.length === 3).length,
    inputs: tunedInputs(model, parts.logCoefficient),
    methods: methodResults(records, options.holdout),
    history: search?.outer?.history ?? [],
    report: reportOf(search?.outer, options),
    rule: parts.rule,
    chosen: parts.chosen,
    notes: [...parts.notes],
    seconds: parts.seconds,
    model,
  };
}

function tunedInputs(model: TabularModel, logCoefficient: readonly number[]): TunedInput[] {
  const { inputs, group } = model.encoder;
  return inputs.map(({ name, kind }, i) => {
    const weights = model.weights.filter((_, j) => group[j] === i);
    return {
      name,
      kind,
      columns: weights.length,
      logCoefficient: logCoefficient[i]!,
      coefficient: Math.exp(logCoefficient[i]!),
      weightNorm: Math.hypot(...weights.flat()),
    };
  });
}

/** Methods are finished in order on each split and splits in order, so position i is split i. */
export function methodResults(
  records: readonly (readonly MethodRecord[])[],
  testFraction: number,
): MethodResult[] {
  return (Object.keys(titles) as Method[]).flatMap((method) => {
    const found = records.flatMap((split) => split.filter((record) => record.method === method));
    if (found.length === 0) return [];
    const test: MethodResult["test"] = {};
    for (const metric of Object.keys(found[0]!.test)) {
      const values = found.map((record) => record.test[metric]!);
      const { mean, halfWidth } = meanInterval(values, { testFraction });
      test[metric] = { values, mean, halfWidth };
    }
    const holds = found.flatMap(({ outer }) => (outer === undefined ? [] : outer.hold.share));
    return {
      method,
      title: titles[method],
      seconds: found.map((record) => record.seconds),
      validationLoss: found.map((record) => record.validationLoss),
      test,
      ...(method === "hypergradient" ? { shares: holds } : {}),
    };
  });
}

/** Whether the hypergradients were those of a solved inner problem, at the step that was kept. */
function reportOf(outer: OuterRecord | undefined, options: TuneOptions): TuneResult["report"] {
  if (outer === undefined) {
    return {
      status: "not-run",
      sentence: "The run was stopped before the first outer step: no hypergradient was computed.",
      innerGradientNorm: NaN,
      relativeInnerGradient: NaN,
      steps: 0,
    };
  }
  const { innerGradientNorm, referenceGradientNorm, bestStep, innerSteps, rule } = outer;
  const another = rule.name === defaultRule ? "" : `, or take the rule ${defaultRule}`;
  const relativeInnerGradient = innerGradientNorm / referenceGradientNorm;
  const isSolved = relativeInnerGradient <= solvedTolerance;
  const size = `the inner gradient's norm is ${innerGradientNorm.toExponential(1)}, ${relativeInnerGradient.toExponential(1)} of that at zero weights`;
  const where = `at the chosen outer step ${bestStep} of ${options.steps}, after ${innerSteps} inner steps from the last step's weights`;
  return {
    status: isSolved ? "solved" : "not-solved",
    sentence: isSolved
      ? `The inner problem is solved well enough: ${where}, ${size} (at most ${solvedTolerance} is asked).`
      : `The inner problem is not solved well enough for exact hypergradients: ${where}, ${size} (at most ${solvedTolerance} is asked); allow more outer steps, so that the follower catches up, or remove columns that nearly repeat others${another}.`,
    innerGradientNorm,
    relativeInnerGradient,
    steps: innerSteps,
  };
}
