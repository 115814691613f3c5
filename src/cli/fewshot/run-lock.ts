// Keeps two trainings out of one folder: a file with the number of the process that trains there. What a killed process
// left behind does not count.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../errors.ts";

/** The file while a training runs. */
const lockName = ".training";

/** A folder that is this process's own until `release`. */
export interface RunLock {
  /**
   * Takes a folder; again is allowed.
   *
   * @throws UsageError when another process trains in it.
   */
  take(folder: string): Promise<void>;
  release(): Promise<void>;
}

/** Makes a lock that holds nothing yet. */
export function createRunLock(): RunLock {
  const held = new Set<string>();
  return {
    async take(folder) {
      const path = join(folder, lockName);
      const text = await readFile(path, "utf8").catch(() => "");
      const owner = Number(text);
      if (owner > 0 && owner !== process.pid && isRunning(owner)) {
        throw new UsageError(
          `process ${owner} trains in ${folder} already; wait for its end or choose another folder, and if it is no training, delete ${path}`,
        );
      }
      await writeFile(path, String(process.pid));
      held.add(path);
    },
    async release() {
      await Promise.all([...held].map((path) => rm(path, { force: true })));
    },
  };
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
