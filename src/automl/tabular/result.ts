/** From what the methods found on each split to the result of the run. */
import { trainingRowsOf } from "../families/rows.ts";
import {
  defaultRule,
  solvedTolerance,
  type SearchRecord,
  type UsedRule,
} from "../families/search-record.ts";
import type { FinalModel } from "./final-model.ts";
import type { Job, Outcome } from "./job.ts";
import type { MethodRecord } from "./record.ts";
import { methodResults } from "./method-results.ts";
import type { FullTuneOptions, TuneResult } from "./types.ts";

/** Puts the result together. */
export function assembleResult(parts: {
  job: Job;
  records: readonly (readonly MethodRecord[])[];
  /** The search on the first split, also when it was stopped. */
  search: MethodRecord | undefined;
  rule: UsedRule | undefined;
  final: FinalModel;
  outcome: Outcome;
  notes: readonly string[];
  seconds: number;
}): TuneResult {
  const { job, records, search, rule, final } = parts;
  const { table, options, splits, family } = job;
  const { model, config, chosen } = final;
  const { target, encoder } = model;
  const { rows, test, trains } = splits.plans[0]!;
  const train = Math.round(trainingRowsOf(splits.plans[0]!));
  const explained = family.explain?.(model.fitted, config, { encoder, target });
  const { inputs, ...explanation } = explained ?? { inputs: undefined };
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
    target,
    task: target.task,
    seed: options.seed,
    repeats: options.repeats,
    completedRepeats: records.filter((split) => split.length === family.methods.length).length,
    kind: family.called(target.task),
    inputs: inputs ?? plainInputs(model),
    ...("bars" in explanation ? { explanation } : {}),
    methods: methodResults(records, family.methods, options.holdout),
    history: search?.outer?.history ?? [],
    report: reportOf(search?.outer, options),
    rule,
    chosen,
    notes: [...parts.notes],
    seconds: parts.seconds,
    model,
  };
}

function plainInputs({ encoder }: FinalModel["model"]): TuneResult["inputs"] {
  const { inputs, group } = encoder;
  return inputs.map(({ name, kind }, i) => ({
    name,
    kind,
    columns: group.filter((input) => input === i).length,
    numbers: {},
  }));
}

/** Whether the hypergradients were those of a solved inner problem, at the step that was kept. */
function reportOf(outer: SearchRecord | undefined, options: FullTuneOptions): TuneResult["report"] {
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
