// settings.json in the output folder of a training says what runs in it, so that --resume needs nothing else.

import { join } from "node:path";
import {
  checkSchema,
  openSealedJson,
  readRegularFile,
  replaceFile,
  sealJson,
} from "../../../files/index.ts";
import { UsageError } from "../../command/errors.ts";
import { settingsName } from "./resume-point.ts";
import { settingsSchema, type TrainSettings } from "../settings.ts";

/** The settings of the run in a folder. */
export async function readSettings(folder: string): Promise<TrainSettings> {
  const path = join(folder, settingsName);
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new UsageError(
      `--resume ${folder}: there is no ${settingsName} in it; give the output folder of \`stackelberg fewshot train\``,
    );
  });
  const remedy = "put a copy of it back, or start the run again";
  const { value } = openSealedJson(bytes, path, remedy);
  return checkSchema(settingsSchema, value, path, remedy);
}

/** Replaces the settings of a run, which may go on for more steps than it was begun with. */
export async function writeSettings(folder: string, settings: TrainSettings): Promise<void> {
  await replaceFile(join(folder, settingsName), sealJson(JSON.stringify(settings, undefined, 2)));
}
