// The computation of `fewshot eval`, in a thread of its own.

import { basename } from "node:path";
import { listEpisodes } from "../../../data/index.ts";
import { openEvaluation } from "../../../fewshot/index.ts";
import { sha256 } from "../../../files/index.ts";
import type { Job, RunHappening } from "../../../study/index.ts";
import type { EvalFlags } from "./flags.ts";
import {
  type Accuracy,
  batchNormModes,
  checkClasses,
  type EvaluationDocument,
  loadImages,
  makeTestLearner,
  normalization,
  readModel,
  recordOf,
  tellLoading,
  testRateOf,
  trainedStepsOf,
} from "../../../fewshot/internal.ts";

/** The options, after their checks. */
export interface EvalJobPlan {
  readonly flags: EvalFlags & { model: string; ways: number; seed: number };
}

export const job: Job<EvalJobPlan, RunHappening, EvaluationDocument> = async (
  { flags },
  { signal, tell },
) => {
  // What there is to say of the file has been said.
  const model = await readModel(flags.model, () => undefined);
  const { settings, lambda, statistics } = model;
  const { ways, seed, threads, shots = settings.shots, queries = settings.queries } = flags;
  const started = performance.now();
  const learner = makeTestLearner(settings, { ways, innerRate: flags.innerRate });
  const innerRate = testRateOf(settings, { ways, innerRate: flags.innerRate });
  const data = flags.data ?? settings.data;
  const { test: set } = await loadImages(
    { ...settings, data },
    {
      signal,
      ...tellLoading(tell),
      maxUnpacked: flags.maxUnpacked,
    },
  );
  checkClasses(set, { ways, shots, queries }, { data, use: "testing" });
  const count = flags.episodes ?? 600;
  const episodes = listEpisodes(set, { ways, shots, queries }, { seed, count });
  const trainedSteps = trainedStepsOf(model);
  const evaluator = openEvaluation(learner, {
    set,
    episodes,
    steps: flags.innerSteps ?? [...new Set([1, 2, 3, 5, 8, 16, trainedSteps])],
    signal,
    threads,
  });
  const { batchNorm = "all" } = flags;
  const results: Accuracy[] = [];
  try {
    const modes = batchNorm === "all" ? batchNormModes : [batchNorm];
    for (const [index, mode] of modes.entries()) {
      const doing = `${count} episodes, batch norm ${mode}`;
      void tell({ type: "step", doing, step: index + 1, of: modes.length, metrics: {} });
      const found = await evaluator.evaluate(lambda, normalization(mode, statistics));
      for (const { steps, mean, halfWidth, standardDeviation, count: n } of found) {
        results.push({ batchNorm: mode, steps, mean, halfWidth, standardDeviation, n });
      }
    }
  } finally {
    await evaluator.dispose();
  }
  const list = JSON.stringify(episodes);
  return {
    version: 1,
    model: recordOf(model),
    test: {
      data: data === "omniglot" ? data : basename(data),
      classes: set.classes.length,
      ways,
      shots,
      queries,
      episodes: count,
      seed,
      listSha256: sha256(list),
    },
    trainedSteps,
    innerRate,
    results,
    seconds: (performance.now() - started) / 1000,
  };
};
