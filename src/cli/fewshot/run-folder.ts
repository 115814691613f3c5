// The output folder of a training: settings.json says what runs in it, so that --resume needs nothing else.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { checkOutputFolder, openOutputFolder, writeFileWhole } from "../output-folder.ts";
import { representationName } from "./export-representation.ts";
import { modelName } from "./model-file.ts";
import { checkpointName, logName, settingsName } from "./resume-point.ts";
import type { RunLock } from "./run-lock.ts";
import { checkStoredSettings, type TrainSettings } from "./settings.ts";

/** Opens a folder for a new run. */
export async function openRunFolder(
  folder: string,
  settings: TrainSettings,
  { force, lock }: { force: boolean; lock: RunLock },
): Promise<void> {
  await checkOutputFolder(folder, force);
  await openOutputFolder(folder);
  await lock.take(folder);
  // What an earlier run left would pass for this one's.
  const stale = [checkpointName, logName, modelName, representationName];
  await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
  await writeSettings(folder, settings);
}

/** The settings of the run in a folder. */
export async function readRunFolder(folder: string): Promise<TrainSettings> {
  const path = join(folder, settingsName);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new UsageError(
      `--resume ${folder}: there is no ${settingsName} in it; give the output folder of \`stackelberg fewshot train\``,
    );
  });
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    throw new UsageError(`${path} is damaged: it is not JSON; start the run again`);
  }
  return checkStoredSettings(stored, path);
}

/** Replaces the settings of a run, which may go on for more steps than it was begun with. */
export async function writeSettings(folder: string, settings: TrainSettings): Promise<void> {
  await writeFileWhole(join(folder, settingsName), `${JSON.stringify(settings, undefined, 2)}\n`);
}
