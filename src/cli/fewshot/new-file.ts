// A result file that must not take the place of another one: checked before any work.

import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "../command/errors.ts";

/** Refuses a path that exists, unless `force`, or that lies in no folder. */
export async function checkNewFile(path: string, force: boolean): Promise<void> {
  const find = (at: string) => stat(at).catch(() => undefined);
  const existing = await find(path);
  if (existing?.isDirectory() === true) {
    throw new UsageError(`--out ${path} is a folder; give a file name`);
  }
  if (existing !== undefined && !force) {
    throw new UsageError(
      `${path} exists already; use --force to overwrite it, or --out for another`,
    );
  }
  if ((await find(dirname(path)))?.isDirectory() !== true) {
    throw new UsageError(`${dirname(path)} is not a folder; create it, or choose another --out`);
  }
}
