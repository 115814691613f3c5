// Whether a folder could take the results of a run: asked before any work, without touching anything.

import { constants } from "node:fs";
import { access, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isLockName, temporaryOwner } from "../../files/index.ts";
import { eventLogName, readEvents } from "../event-log.ts";
import { RunFolderError } from "./run-folder-error.ts";
import { readSettings, settingsName } from "./settings-file.ts";

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
    throw new RunFolderError(
      "FOLDER_IS_FILE",
      `the output folder ${folder} is a file, a folder was expected`,
    );
  }
  if (!force) await checkEmpty(folder);
  await checkWritable(folder, folder);
}

/** Refuses a folder that holds anything but what a killed run leaves: its lock, its temporary files, its settings and a log without results. */
export async function checkEmpty(folder: string): Promise<void> {
  const names = await namesBesideLocks(folder);
  if (names.length > 0 && !(await hasOnlyTraces(folder))) {
    throw new RunFolderError(
      "FOLDER_NOT_EMPTY",
      `the output folder ${folder} exists and is not empty`,
    );
  }
}

/** What a run leaves that was killed before it had anything to show. */
export const traces: readonly string[] = [eventLogName, settingsName];

/** Whether a run's log and settings are all there is. */
export async function hasOnlyTraces(folder: string): Promise<boolean> {
  const names = await namesBesideLocks(folder);
  if (names.length === 0 || names.some((name) => !traces.includes(name))) return false;
  const readers: Readonly<Record<string, () => Promise<unknown>>> = {
    [eventLogName]: () => readEvents(join(folder, eventLogName)),
    [settingsName]: () => readSettings(folder),
  };
  return Promise.all(names.map((name) => readers[name]!())).then(
    () => true,
    () => false,
  );
}

async function namesBesideLocks(folder: string): Promise<string[]> {
  const entries = await readdir(folder);
  return entries.filter((name) => !isLockName(name) && temporaryOwner(name) === undefined);
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
        throw new RunFolderError(
          "FOLDER_NO_PLACE",
          `the output folder ${folder} cannot be created: ${dirname(path)} takes no new folders`,
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
    throw new RunFolderError(
      "FOLDER_NO_PLACE",
      `${path} cannot be created: ${parent} is not a folder`,
    );
  }
  return nearestFolder(parent);
}

async function checkWritable(existing: string, wanted: string): Promise<void> {
  const writable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    throw new RunFolderError(
      "FOLDER_NOT_WRITABLE",
      `the output folder ${wanted} cannot be written by this user`,
    );
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  if (error.code === "ENOTDIR")
    throw new RunFolderError("FOLDER_NO_PLACE", `${error.path} lies under a file, not a folder`);
  throw error;
}
