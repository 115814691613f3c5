/**
 * An earlier run's files give way to a new run's. First they come into a folder `previous` as well, all of them at once
 * by one rename; only then do they leave their places. So at any moment, a kill included, one run is whole: the earlier
 * one, here or in `previous`, or the new one.
 *
 * A run counts as one with a result when its last file, the `seal`, is there; that file leaves first and is written last.
 */
import { copyFile, link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { NotAFileError, openRegularFile } from "./regular-file.ts";
import { syncFolder, temporaryName } from "./replace-file.ts";

/** The folder, below the run's own, that the earlier run waits in. */
export const previousName = "previous";

/** Which names in a folder are a run's. */
export interface RunFiles {
  /** Whether runs write files of this name. */
  isOwn(name: string): boolean;
  /** Whether a run wrote a file of such a name that begins so; each byte is a character. */
  recognizes(name: string, beginning: string): boolean;
  /** Names of which one is there if and only if its run is whole. */
  readonly seals: readonly string[];
}

/** There are things that no run has written, where a run's files are to go. */
export class NotARunError extends Error {
  override readonly name = "NotARunError";
}

/**
 * Moves the run in a folder, which is locked, into its folder `previous`. What `previous` holds already goes, unless it is
 * whole and the run in the folder is not: then the remains in the folder go.
 *
 * @returns whether there is an earlier run in `previous` now.
 * @throws {@link NotARunError} before anything was touched.
 */
export async function setAside(folder: string, run: RunFiles): Promise<boolean> {
  const previous = join(folder, previousName);
  const kept = await namesIn(previous);
  const foreign = kept?.find((name) => !run.isOwn(name));
  if (foreign !== undefined) {
    throw new NotARunError(`${previous} holds ${foreign}, which no run has written`);
  }
  const names = await ownNames(folder, run);
  await checkContents(folder, names, run);
  await checkContents(previous, kept ?? [], run);
  const isWhole = run.seals.some((seal) => names.includes(seal));
  const hasPrevious = kept !== undefined && kept.length > 0;
  if (names.length > 0 && (isWhole || !hasPrevious)) {
    const copy = temporaryName(previous);
    await mkdir(copy);
    try {
      for (const name of names) await linkOrCopy(join(folder, name), join(copy, name));
    } catch (error) {
      await rm(copy, { recursive: true, force: true });
      throw error;
    }
    await syncFolder(copy);
    await removeFolder(previous);
    await rename(copy, previous);
    await syncFolder(folder);
  }
  await removeInOrder(folder, names, run);
  return names.length > 0 || hasPrevious;
}

/** Puts the earlier run back into its place, which holds no run. */
export async function putBack(folder: string, run: RunFiles): Promise<void> {
  const previous = join(folder, previousName);
  const names = await namesIn(previous);
  if (names === undefined) return;
  const last = names.filter((name) => run.seals.includes(name));
  const first = names.filter((name) => !run.seals.includes(name));
  for (const name of [...first, ...last]) {
    await rm(join(folder, name), { force: true });
    await linkOrCopy(join(previous, name), join(folder, name));
  }
  await syncFolder(folder);
  await removeFolder(previous);
}

/** Deletes the earlier run. */
export async function dropPrevious(folder: string, run: RunFiles): Promise<void> {
  const previous = join(folder, previousName);
  const names = await namesIn(previous);
  if (names?.every((name) => run.isOwn(name)) !== true) return;
  if ((await firstForeign(previous, names, run)) === undefined) await removeFolder(previous);
}

/**
 * Looks into files that have names of a run's.
 *
 * @throws {@link NotARunError} when one is not a run's.
 */
async function checkContents(
  folder: string,
  names: readonly string[],
  run: RunFiles,
): Promise<void> {
  const foreign = await firstForeign(folder, names, run);
  if (foreign === undefined) return;
  throw new NotARunError(`${join(folder, foreign)} is not what a run writes under this name`);
}

async function firstForeign(
  folder: string,
  names: readonly string[],
  run: RunFiles,
): Promise<string | undefined> {
  for (const name of names) {
    const beginning = await beginningOf(join(folder, name)).catch((error: unknown) => {
      if (error instanceof NotAFileError) return undefined;
      throw error;
    });
    if (beginning === undefined || !run.recognizes(name, beginning)) return name;
  }
  return undefined;
}

/** Long enough for what a file says of itself. */
const beginningBytes = 2 ** 18;

async function beginningOf(path: string): Promise<string> {
  const file = await openRegularFile(path);
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(beginningBytes),
      0,
      beginningBytes,
      0,
    );
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The names of a folder's files that are a run's. */
export async function ownNames(folder: string, run: RunFiles): Promise<string[]> {
  return ((await namesIn(folder)) ?? []).filter((name) => run.isOwn(name));
}

async function removeInOrder(
  folder: string,
  names: readonly string[],
  run: RunFiles,
): Promise<void> {
  const seals = names.filter((name) => run.seals.includes(name));
  const others = names.filter((name) => !run.seals.includes(name));
  for (const name of [...seals, ...others]) await rm(join(folder, name), { force: true });
  if (names.length > 0) await syncFolder(folder);
}

/** Away at once, by a name that the next run clears when this one is killed on the way. */
async function removeFolder(path: string): Promise<void> {
  const away = temporaryName(path);
  const moved = await rename(path, away).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
  if (moved) await rm(away, { recursive: true, force: true });
}

/** Some file systems have no second names. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

/** Undefined when there is no such folder. */
async function namesIn(folder: string): Promise<string[] | undefined> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
