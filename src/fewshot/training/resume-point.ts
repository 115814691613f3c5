// Where an interrupted training stands: its checkpoint and its log, read together, so that it goes on as if it had never
// been interrupted.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readRegularFile } from "../../files/index.ts";
import { CheckpointError, decodeCheckpoint } from "../../bilevel/index.ts";
import type { Tensor, Tree } from "../../program/index.ts";
import { FewshotError } from "../fewshot-error.ts";
import { modelName } from "../model-files/model-file.ts";
import { readLog, type LogLine } from "./training-log.ts";

export const checkpointName = "checkpoint.safetensors";
export const logName = "log.jsonl";

/** A training after the step of its checkpoint. */
export interface ResumePoint {
  /** The step of the checkpoint, whose validation may be missing in the log. */
  readonly step: number;
  /** λ at that step. */
  readonly lambda: Tree<Tensor>;
  /** The log up to that step: after a crash the file may have more lines. */
  readonly lines: readonly LogLine[];
  /** Losses of the steps since the last line. */
  readonly losses: readonly number[];
}

/**
 * Reads the checkpoint of a run, and its log.
 *
 * @param every - steps between two validations.
 * @returns undefined when there is no checkpoint: the run begins again.
 * @throws FewshotError when a file is damaged, or the log of the model's validation is missing.
 */
export async function readResumePoint(
  folder: string,
  every: number,
): Promise<ResumePoint | undefined> {
  const bytes = await readRegularFile(join(folder, checkpointName)).catch(ignoreMissing);
  if (bytes === undefined) return undefined;
  const { history, trees } = decode(bytes, folder);
  const step = history.length - 1;
  const all = await readLog(join(folder, logName));
  const hasModel = (await stat(join(folder, modelName)).catch(ignoreMissing)) !== undefined;
  if (hasModel && all.length === 0) {
    throw new FewshotError(
      `${join(folder, logName)} is missing, which says how good ${modelName} is; put it back, or start a new run`,
    );
  }
  const lines = all.filter((line) => line.step <= step);
  const validated = new Set(lines.map((line) => line.step));
  for (let due = every; due < step; due += every) {
    if (validated.has(due)) continue;
    throw new FewshotError(
      `${join(folder, logName)} lacks the validation of step ${due}: put a copy of it back, or start a new run`,
    );
  }
  const from = lines.at(-1)?.step ?? -1;
  return {
    step,
    lambda: trees.lambda,
    lines,
    losses: history.slice(from + 1).map(({ value }) => value),
  };
}

function decode(bytes: Uint8Array, folder: string): ReturnType<typeof decodeCheckpoint>["state"] {
  try {
    return decodeCheckpoint(bytes).state;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new FewshotError(
      `${join(folder, checkpointName)} is damaged: put a copy of it back, or start a new run`,
      { cause: error },
    );
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
