// The result of `fewshot eval` as JSON: what was tested, on which episodes, and the accuracy after each number of inner
// steps in each mode of batch normalization.

import * as v from "valibot";
import {
  checkSchema,
  count,
  DamagedFileError,
  finite,
  NotAFileError,
  openSealedJson,
  positiveCount,
  readRegularFile,
  sealJson,
} from "../../files/index.ts";
import { FewshotError } from "../fewshot-error.ts";
import { recordSchema, type ModelRecord } from "./model-file.ts";
import { batchNormModes, type BatchNorm } from "../configured/settings.ts";

/** One accuracy. */
export interface Accuracy {
  batchNorm: BatchNorm;
  /** T at test; 0 where the response has a closed form. */
  steps: number;
  /** Mean over the episodes of the share of query images labelled rightly. */
  mean: number;
  /** 1.96·s/√n: the 95 % interval is mean ± this. */
  halfWidth: number;
  /** s over the episodes, with n − 1 in the denominator. */
  standardDeviation: number;
  /** Episodes. */
  n: number;
}

/** What was tested and what came out. */
export interface EvaluationDocument {
  version: 1;
  model: ModelRecord;
  test: {
    data: string;
    /** Classes of the test set. */
    classes: number;
    ways: number;
    shots: number;
    queries: number;
    episodes: number;
    seed: number;
    /** SHA-256 of the list of episodes as JSON: equal where two models had the same list. */
    listSha256: string;
  };
  /** T in training, 0 where the response has a closed form. */
  trainedSteps: number;
  /** The follower's learning rate, where it makes steps and the rate was not learned. */
  innerRate?: number;
  results: Accuracy[];
  seconds: number;
}

const evaluation: v.GenericSchema<unknown, EvaluationDocument> = v.looseObject({
  version: v.literal(1),
  model: recordSchema,
  test: v.looseObject({
    data: v.string(),
    classes: count,
    ways: positiveCount,
    shots: positiveCount,
    queries: positiveCount,
    episodes: positiveCount,
    seed: count,
    listSha256: v.string(),
  }),
  trainedSteps: count,
  innerRate: v.exactOptional(finite),
  results: v.array(
    v.looseObject({
      batchNorm: v.picklist(batchNormModes),
      steps: count,
      mean: finite,
      halfWidth: finite,
      standardDeviation: finite,
      n: positiveCount,
    }),
  ),
  seconds: finite,
});

/** The file's text. */
export function formatEvaluation(document: EvaluationDocument): string {
  return sealJson(JSON.stringify(document, undefined, 2));
}

/**
 * Reads a file of `fewshot eval`.
 *
 * @throws FewshotError when it is none.
 */
export async function readEvaluation(path: string): Promise<EvaluationDocument> {
  const bytes = await readRegularFile(path).catch((error: unknown) => {
    if (!(error instanceof NotAFileError)) throw error;
    throw new FewshotError(
      `${path} is no result of \`stackelberg fewshot eval\`: ${error.message}`,
    );
  });
  const remedy = "give the JSON files that it wrote";
  try {
    return checkSchema(evaluation, openSealedJson(bytes, path, remedy).value, path, remedy);
  } catch (cause) {
    if (!(cause instanceof DamagedFileError)) throw cause;
    throw new FewshotError(
      `${path} is no result of \`stackelberg fewshot eval\`, or a damaged one: ${cause.message}`,
      { cause },
    );
  }
}

/** The accuracy in a mode after as many inner steps as in training. */
export function trainedAccuracy(
  { results, trainedSteps }: EvaluationDocument,
  mode: BatchNorm,
): Accuracy | undefined {
  return results.find(({ batchNorm, steps }) => batchNorm === mode && steps === trainedSteps);
}
