// The output folder: checked before any work, written whole or not at all. Every file is first
// written beside its place under a temporary name; only when all are on disk are they renamed.

import { constants } from "node:fs";
import { access, mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UsageError } from "./errors.ts";

/** A file to be written: its name in the folder and its contents. */
export interface OutputFile {
  name: string;
  contents: string | Uint8Array;
}

/** Writes bytes to a new file and makes sure that they are on disk; replaceable in tests. */
export type WriteWhole = (path: string, contents: string | Uint8Array) => Promise<void>;

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
  const entries = await readdir(folder);
  if (entries.length > 0 && !force) {
    throw new UsageError(
      `the output folder ${folder} exists and is not empty; use --force to overwrite it, --out for another one, or --resume to go on with an interrupted run`,
    );
  }
  await checkWritable(folder, folder);
}

/**
 * Creates the folder and proves with one small file that it can be written.
 *
 * @returns takes the names of files written since, and removes them and the folders that this call
 *   created, as far as they are still empty; does nothing when the folder was there before.
 */
export async function openOutputFolder(
  folder: string,
): Promise<(names: readonly string[]) => Promise<void>> {
  const firstCreated = await createFolder(folder);
  const probe = temporaryName(join(folder, "probe"));
  await writeFile(probe, "");
  await rm(probe);
  return async (names) => {
    if (firstCreated === undefined) return;
    await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
    for (let path = resolve(folder); path.length >= firstCreated.length; path = dirname(path)) {
      const removed = await rmdir(path).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  };
}

/**
 * Writes the files into the folder, all or none: when one cannot be written (a full disk), the
 * temporary files are removed, the earlier contents stay as they were and the error is thrown.
 */
export async function writeFiles(
  folder: string,
  files: readonly OutputFile[],
  write: WriteWhole = writeWhole,
): Promise<void> {
  const moves = files.map(({ name, contents }) => {
    const path = join(folder, name);
    return { path, temporary: temporaryName(path), contents };
  });
  try {
    for (const { temporary, contents } of moves) await write(temporary, contents);
    for (const { temporary, path } of moves) await rename(temporary, path);
  } catch (error) {
    await Promise.all(moves.map(({ temporary }) => rm(temporary, { force: true })));
    throw renamePath(error, moves);
  }
}

/** Writes one file whole or not at all. */
export async function writeFileWhole(path: string, contents: string | Uint8Array): Promise<void> {
  await writeFiles(dirname(path), [{ name: basename(path), contents }]);
}

async function writeWhole(path: string, contents: string | Uint8Array): Promise<void> {
  const handle = await open(path, "w");
  try {
    await handle.writeFile(contents);
    await handle.sync();
  } catch (error) {
    (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  } finally {
    await handle.close();
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/** Errors name the file that was meant, not its temporary stand-in. */
function renamePath(
  error: unknown,
  moves: readonly { path: string; temporary: string }[],
): unknown {
  if (!(error instanceof Error)) return error;
  const failed = error as NodeJS.ErrnoException;
  const move = moves.find(({ temporary }) => temporary === failed.path);
  if (move !== undefined) failed.path = move.path;
  return failed;
}

/**
 * Creates a folder and the missing ones above it; Node's recursive `mkdir` does not end where a file system has no new folders,
 * as below /proc.
 *
 * @returns the first that was created, undefined when all were there.
 */
async function createFolder(folder: string): Promise<string | undefined> {
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
