// `stackelberg fewshot eval`: a trained model on a list of test episodes that is the same for every model of the same data.

import { basename } from "node:path";
import { listEpisodes } from "../../data/index.ts";
import { openEvaluation, type Learner } from "../../fewshot/index.ts";
import { replaceFile } from "../../files/replace-file.ts";
import { sha256 } from "../../files/sha256.ts";
import { exitCodes, UsageError } from "../errors.ts";
import {
  formatEvaluation,
  type Accuracy,
  type EvaluationDocument,
} from "../fewshot/evaluation-file.ts";
import { checkClasses } from "../fewshot/check-images.ts";
import { loadImages } from "../fewshot/images.ts";
import { descends, hasHead, makeTestLearner, testRateOf } from "../fewshot/learners.ts";
import { showLoading, stderrLine } from "../fewshot/live-line.ts";
import {
  modelFile,
  normalization,
  readModel,
  recordOf,
  trainedStepsOf,
  type FewshotModel,
} from "../fewshot/model-file.ts";
import { checkNewFile } from "../fewshot/new-file.ts";
import { percent } from "../fewshot/percent.ts";
import { batchNormModes, type BatchNorm } from "../fewshot/settings.ts";
import { formatCount } from "../numbers.ts";
import { renderTable, type Cell } from "../terminal-table.ts";

/** The options of `fewshot eval` as typed. */
export interface EvalFlags {
  model?: string;
  data?: string;
  maxUnpacked?: number;
  episodes?: number;
  seed?: number;
  innerSteps?: number[];
  innerRate?: number;
  batchNorm?: BatchNorm | "all";
  ways?: number;
  shots?: number;
  queries?: number;
  threads?: number;
  out?: string;
  force?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** Runs the command; the result is the exit code. */
export async function runFewshotEval(flags: EvalFlags): Promise<number> {
  if (flags.model === undefined) {
    throw new UsageError(
      "--model is missing: give the output folder of `stackelberg fewshot train`",
    );
  }
  const model = await readModel(flags.model);
  const { settings } = model;
  const ways = flags.ways ?? settings.ways;
  if (hasHead(settings.learner) && ways !== settings.ways) {
    throw new UsageError(
      `--ways ${ways} is not for this model: ${settings.learner} tells ${settings.ways} classes apart; leave the option out`,
    );
  }
  if (flags.innerSteps !== undefined && !descends(settings.learner)) {
    throw new UsageError(
      `--inner-steps is not for this model: the answer of ${settings.learner} has a closed form; leave the option out`,
    );
  }
  const seed = flags.seed ?? 0;
  const out = flags.out ?? (await defaultFile(flags.model, seed));
  await checkNewFile(out, flags.force === true);
  const document = await test(model, { ...flags, ways, seed });
  // Printed first: a disk that is full must not cost the result.
  if (flags.json === true) process.stdout.write(formatEvaluation(document));
  else process.stdout.write(`${describeEvaluation(document).join("\n")}\n`);
  await replaceFile(out, formatEvaluation(document));
  if (flags.json !== true) process.stdout.write(`\nWritten to ${out}.\n`);
  return exitCodes.ok;
}

async function test(
  model: FewshotModel & { learner: Learner },
  flags: EvalFlags & { ways: number; seed: number },
): Promise<EvaluationDocument> {
  const { settings, lambda, statistics } = model;
  const { ways, seed, threads, shots = settings.shots, queries = settings.queries } = flags;
  const started = performance.now();
  const learner = makeTestLearner(settings, { ways, innerRate: flags.innerRate });
  const innerRate = testRateOf(settings, { ways, innerRate: flags.innerRate });
  const line = stderrLine(flags);
  const data = flags.data ?? settings.data;
  const { test: set } = await loadImages(
    { ...settings, data },
    {
      ...showLoading(line),
      ...(flags.maxUnpacked === undefined ? {} : { maxUnpacked: flags.maxUnpacked }),
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
    ...(threads === undefined ? {} : { threads }),
  });
  const { batchNorm = "all" } = flags;
  const results: Accuracy[] = [];
  try {
    for (const mode of batchNorm === "all" ? batchNormModes : [batchNorm]) {
      line.draw([`${count} episodes`, `batch norm: ${mode}`], true);
      const found = await evaluator.evaluate(lambda, normalization(mode, statistics));
      for (const { steps, mean, halfWidth, standardDeviation, count: n } of found) {
        results.push({ batchNorm: mode, steps, mean, halfWidth, standardDeviation, n });
      }
    }
  } finally {
    line.clear();
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
    ...(innerRate === undefined ? {} : { innerRate }),
    results,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Beside the model, named after it and the seed. */
async function defaultFile(path: string, seed: number): Promise<string> {
  const file = await modelFile(path);
  return `${file.replace(/\.safetensors$/, "")}-test-seed${seed}.json`;
}

/** The numbers as a table: a row for each number of inner steps, a column for each mode. */
function describeEvaluation(document: EvaluationDocument): string[] {
  const { model, test, results, trainedSteps } = document;
  const modes = batchNormModes.filter((mode) => results.some((r) => r.batchNorm === mode));
  const steps = [...new Set(results.map((result) => result.steps))];
  const { stdout } = process;
  const rows = steps.map((t): Cell[] => [
    {
      text:
        trainedSteps === 0
          ? "closed form"
          : `${formatCount(t, "step")}${t === trainedSteps ? " (as trained)" : ""}`,
    },
    ...modes.map((mode) => {
      const { mean, halfWidth } = results.find((r) => r.batchNorm === mode && r.steps === t)!;
      return { text: percent(mean, halfWidth), strong: t === trainedSteps };
    }),
  ]);
  const heading = [
    { text: "inner steps" },
    ...modes.map((mode) => ({ text: `batch norm: ${mode}` })),
  ];
  const style = { width: stdout.isTTY ? stdout.columns : Infinity, color: false };
  return [
    `${model.settings.learner}, ${test.ways}-way ${test.shots}-shot on ${test.data}: accuracy on ${test.episodes} test episodes of seed ${test.seed}, with 95 % intervals; trained on ${model.episodes} episodes.`,
    "",
    ...renderTable([heading, ...rows], style),
  ];
}
