// checkpoint.json: what an interrupted run needs to go on: which data, which settings, and the state
// of the run in the library's own exact encoding.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TuneCheckpoint,
} from "../automl/tabular/checkpoint.ts";
import { UsageError } from "./errors.ts";
import type { TuneSettings } from "./options.ts";

/** Name of the checkpoint in the output folder. */
export const checkpointName = "checkpoint.json";

/** The state of a run on disk. */
export interface SavedRun {
  version: 1;
  /** The data file: its absolute path then, and the SHA-256 of its bytes in hexadecimal. */
  data: { path: string; sha256: string };
  settings: TuneSettings;
  completed: boolean;
  state: TuneCheckpoint;
}

/** The text of checkpoint.json. */
export function encodeSavedRun(run: SavedRun): string {
  const state: unknown = JSON.parse(encodeCheckpoint(run.state));
  return `${JSON.stringify({ ...run, state })}\n`;
}

/**
 * Reads the checkpoint of an output folder.
 *
 * @throws UsageError when there is none or it is not one of ours.
 */
export async function readSavedRun(folder: string): Promise<SavedRun> {
  const path = join(folder, checkpointName);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new UsageError(
      `--resume ${folder}: there is no ${checkpointName} in it; give the output folder of an interrupted run`,
    );
  });
  let run: Partial<SavedRun> | null;
  try {
    run = JSON.parse(text) as Partial<SavedRun> | null;
  } catch {
    throw new UsageError(
      `${path} is damaged: it is not JSON; start the run again without --resume`,
    );
  }
  if (
    typeof run !== "object" ||
    run?.version !== 1 ||
    run.data === undefined ||
    run.settings === undefined
  ) {
    throw new UsageError(`${path} is not a checkpoint of this version of stackelberg`);
  }
  const state = decodeCheckpoint(JSON.stringify(run.state ?? null), path);
  return { ...run, state } as SavedRun;
}
