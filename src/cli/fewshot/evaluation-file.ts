// The result of `fewshot eval` as JSON: what was tested, on which episodes, and the accuracy after each number of inner
// steps in each mode of batch normalization.

import { readFile } from "node:fs/promises";
import { UsageError } from "../errors.ts";
import type { ModelRecord } from "./model-file.ts";
import { checkStoredSettings, type BatchNorm } from "./settings.ts";

/** One accuracy. */
export interface Accuracy {
  batchNorm: BatchNorm;
  /** T at test; 0 where the answer has a closed form. */
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
  /** T in training, 0 where the answer has a closed form. */
  trainedSteps: number;
  /** The follower's learning rate, where it makes steps and the rate was not learned. */
  innerRate?: number;
  results: Accuracy[];
  seconds: number;
}

/** The file's text. */
export function formatEvaluation(document: EvaluationDocument): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/**
 * Reads a file of `fewshot eval`.
 *
 * @throws UsageError when it is none.
 */
export async function readEvaluation(path: string): Promise<EvaluationDocument> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EISDIR") return "";
    throw error;
  });
  let found: Partial<EvaluationDocument> | null = null;
  try {
    found = JSON.parse(text) as Partial<EvaluationDocument> | null;
  } catch {
    // The sentence below says it for both.
  }
  const { version, results, test, model } = found ?? {};
  const numbers = [test?.ways, test?.shots, test?.episodes, model?.episodes, model?.seconds];
  if (version === 1 && Array.isArray(results) && numbers.every(Number.isFinite)) {
    checkStoredSettings(model?.settings, path);
    return found as EvaluationDocument;
  }
  throw new UsageError(
    `${path} is no result of \`stackelberg fewshot eval\`; give the JSON files that it wrote`,
  );
}

/** The accuracy in a mode after as many inner steps as in training. */
export function trainedAccuracy(
  { results, trainedSteps }: EvaluationDocument,
  mode: BatchNorm,
): Accuracy | undefined {
  return results.find(({ batchNorm, steps }) => batchNorm === mode && steps === trainedSteps);
}
