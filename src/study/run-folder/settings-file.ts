// settings.json in a run's folder: which command runs in it, on what, with which settings. It is written when the run begins,
// so that one that was killed before its first checkpoint can go on too, and says to a reader what made the results.

import { join } from "node:path";
import * as v from "valibot";
import {
  checkSchema,
  openSealedJson,
  readRegularFile,
  replaceFile,
  sealJson,
} from "../../files/index.ts";

export const settingsName = "settings.json";

/** What a run was asked for. */
export interface RunSettings {
  /** "stackelberg tune"; absent in a file of before, which holds the settings of a few-shot training only. */
  readonly command?: string;
  /** The data file as the run was given it, and the SHA-256 of its bytes in hexadecimal. */
  readonly data?: { readonly path: string; readonly sha256: string };
  /** The command's own, plain data. */
  readonly settings: unknown;
}

const schema: v.GenericSchema<unknown, RunSettings> = v.strictObject({
  command: v.pipe(v.string(), v.startsWith("stackelberg ")),
  data: v.exactOptional(v.strictObject({ path: v.string(), sha256: v.string() })),
  settings: v.unknown(),
});

const remedy = "put a copy of it back, or start the run again";

/**
 * The settings of the run in a folder.
 *
 * @returns undefined when there are none.
 * @throws DamagedFileError when they are not what was written.
 */
export async function readSettings(folder: string): Promise<RunSettings | undefined> {
  const path = join(folder, settingsName);
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    return undefined;
  });
  if (bytes === undefined) return undefined;
  const { value } = openSealedJson(bytes, path, remedy);
  const isOfBefore = isRecord(value) && !("command" in value);
  return isOfBefore ? { settings: value } : checkSchema(schema, value, path, remedy);
}

/** Checks the command's own settings, which came from the file of {@link readSettings}. */
export function checkSettings<T>(
  schema: v.GenericSchema<unknown, T>,
  { settings }: RunSettings,
  folder: string,
): T {
  return checkSchema(schema, settings, join(folder, settingsName), remedy);
}

/** Writes the settings of a run, or replaces them where it goes on with others. */
export async function writeSettings(folder: string, settings: RunSettings): Promise<void> {
  await replaceFile(join(folder, settingsName), sealJson(JSON.stringify(settings, undefined, 2)));
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
