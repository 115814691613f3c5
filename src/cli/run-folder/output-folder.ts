// Whether a folder could take the results of a run: asked before any work, without touching anything.

import { constants } from "node:fs";
import { access, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isLockName } from "../../files/folder-lock.ts";
import { temporaryOwner } from "../../files/replace-file.ts";
import { UsageError } from "../command/errors.ts";

/**
 * Refuses a folder that could not take the results, before any work and without touching anything:
 * a file of that name, a folder that holds something (unless `force`), a place not writable.
 */
export async function checkOutputFolder(folder: string, force: boolean): Promise<void> {
  const existing = await stat(folder).catch(ignoreMissing);
  if (existing === undefined) {
    await checkWritable(await nearestFolder(folder), folder);
    return;
  }
  if (!existing.isDirectory()) {
    throw new UsageError(`--out ${folder} is a file, a folder was expected; choose another name`);
  }
  if (!force) await checkEmpty(folder);
  await checkWritable(folder, folder);
}

/** Refuses a folder that holds anything but what a killed run leaves: its lock and its temporary files. */
export async function checkEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder);
  if (entries.some((name) => !isLockName(name) && temporaryOwner(name) === undefined)) {
    throw new UsageError(
      `the output folder ${folder} exists and is not empty; use --force to overwrite it, --out for another one, or --resume to go on with an interrupted run`,
    );
  }
}

/**
 * Creates a folder and the missing ones above it; Node's recursive `mkdir` does not end where a file system has no new folders,
 * as below /proc.
 *
 * @returns the first that was created, undefined when all were there.
 */
export async function createFolder(folder: string): Promise<string | undefined> {
  const above = await nearestFolder(folder);
  const missing: string[] = [];
  for (let path = resolve(folder); path !== above; path = dirname(path)) missing.unshift(path);
  let first: string | undefined;
  for (const path of missing) {
    const created = await mkdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        if (error.code !== "ENOENT") throw error;
        throw new UsageError(
          `the output folder ${folder} cannot be created: ${dirname(path)} takes no new folders; choose another place`,
        );
      },
    );
    if (created) first ??= path;
  }
  return first;
}

async function nearestFolder(path: string): Promise<string> {
  const parent = dirname(resolve(path));
  const existing = await stat(parent).catch(ignoreMissing);
  if (existing?.isDirectory() === true) return parent;
  if (existing !== undefined) {
    throw new UsageError(`${path} cannot be created: ${parent} is not a folder`);
  }
  return nearestFolder(parent);
}

async function checkWritable(existing: string, wanted: string): Promise<void> {
  const writable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!writable) throw new UsageError(`the output folder ${wanted} cannot be written by this user`);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  if (error.code === "ENOTDIR")
    throw new UsageError(`${error.path} lies under a file, not a folder`);
  throw error;
}
