/** Temporary files that a killed process left in a folder. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasNumber } from "./process.ts";
import { temporaryOwner } from "./replace-file.ts";

/** Removes the temporary files and folders of processes that have ended; returns their names. */
export async function removeLeftovers(folder: string): Promise<string[]> {
  const left = (await readdir(folder)).filter((name) => {
    const owner = temporaryOwner(name);
    return owner !== undefined && owner !== process.pid && !hasNumber(owner);
  });
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  return left;
}
