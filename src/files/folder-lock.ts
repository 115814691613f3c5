/**
 * Keeps two processes out of one folder. Each that wants in puts a file of its own there, then looks for those of
 * others, and steps back when there is one whose process still runs. Of two at once each sees the other, whichever came
 * later; names are never used twice, so that what an ended process left can be removed by anyone at any time.
 */
import { rmSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stateOf, thisProcess, type ProcessIdentity } from "./process.ts";
import { replaceFile } from "./replace-file.ts";

/** Who holds a folder, since when and for what. */
export interface LockOwner extends ProcessIdentity {
  /** In words, such as "tune". */
  readonly doing: string;
}

/** A folder that is this process's own until `release`. */
export interface FolderLock {
  /** Owners that ended without a release. */
  readonly abandoned: readonly LockOwner[];
  release(): Promise<void>;
}

/** The folder belongs to another process. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
  readonly owner: LockOwner;
  /** Its lock's file, to be deleted by hand where nobody can tell whether the owner still runs. */
  readonly path: string;

  constructor(owner: LockOwner, path: string) {
    super(`the folder is in use by process ${owner.pid} on ${owner.host} (${owner.doing})`);
    this.owner = owner;
    this.path = path;
  }
}

/** Between two looks at an opponent that will step back, and how long it has time to. */
const lookMs = 20;
const patienceMs = 3000;

/** The locks of this process: one that is not among them was left by a process that had the same number. */
const held = new Set<string>();

function removeAll(): void {
  for (const path of held) rmSync(path, { force: true });
}

/** Whether a file's name is that of a lock. */
export function isLockName(name: string): boolean {
  return /^\.run-\d+-[0-9a-f]{8}\.lock$/.test(name);
}

/**
 * Takes a folder, which exists.
 *
 * The lock goes with the process, in whatever way that exits; after a kill, the next one finds it abandoned.
 *
 * @param doing - what for, in words that others read.
 * @throws {@link FolderInUseError} when another process, or another call in this one, holds it.
 */
export async function lockFolder(folder: string, doing: string): Promise<FolderLock> {
  const own: LockOwner = { ...(await thisProcess()), doing };
  const name = `.run-${own.pid}-${crypto.randomUUID().slice(0, 8)}.lock`;
  const path = join(folder, name);
  if (held.size === 0) process.on("exit", removeAll);
  held.add(path);
  const release = async (): Promise<void> => {
    await rm(path, { force: true });
    held.delete(path);
    if (held.size === 0) process.off("exit", removeAll);
  };
  try {
    await replaceFile(path, JSON.stringify(own));
    const abandoned = await waitForOthers(folder, name, own);
    return { abandoned, release };
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }
}

/** Returns when no other lock is left; throws when one will not go. */
async function waitForOthers(folder: string, name: string, own: LockOwner): Promise<LockOwner[]> {
  const abandoned: LockOwner[] = [];
  const until = Date.now() + patienceMs;
  for (;;) {
    const others = await otherLocks(folder, name);
    const haveEnded = await Promise.all(others.map((lock) => hasEnded(lock, own)));
    const living = others.filter((_, i) => !haveEnded[i]);
    for (const { owner, path } of others.filter((_, i) => haveEnded[i])) {
      await rm(path, { force: true });
      abandoned.push(owner);
    }
    if (living.length === 0) return abandoned;
    // One that is later and has not looked yet will find this lock and step back.
    const first = living.find((lock) => isBefore(lock, { owner: own, name })) ?? living[0]!;
    const mayGo = living.every((lock) => !isBefore(lock, { owner: own, name }));
    if (!mayGo || Date.now() > until) throw new FolderInUseError(first.owner, first.path);
    await sleep(lookMs);
  }
}

async function hasEnded({ owner, path }: FoundLock, own: LockOwner): Promise<boolean> {
  if (owner.host === own.host && owner.pid === own.pid) return !held.has(path);
  return (await stateOf(owner)) === "ended";
}

interface FoundLock {
  name: string;
  path: string;
  owner: LockOwner;
}

async function otherLocks(folder: string, own: string): Promise<FoundLock[]> {
  const names = (await readdir(folder)).filter((name) => isLockName(name) && name !== own);
  const found = names.map(async (name) => {
    const path = join(folder, name);
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      // Released in the meantime.
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    return text === undefined ? undefined : { name, path, owner: parseOwner(text, name) };
  });
  return (await Promise.all(found)).filter((lock) => lock !== undefined);
}

/** A damaged lock counts by the number in its name. */
function parseOwner(text: string, name: string): LockOwner {
  const unknown = { host: hostname(), boot: null, begun: null, at: 0, doing: "a run" };
  const pid = Number(/\d+/.exec(name)![0]);
  try {
    const owner = JSON.parse(text) as Partial<LockOwner>;
    if (typeof owner.host === "string" && owner.pid === pid) return owner as LockOwner;
  } catch {
    // Below.
  }
  return { ...unknown, pid };
}

function isBefore(
  a: Pick<FoundLock, "name" | "owner">,
  b: Pick<FoundLock, "name" | "owner">,
): boolean {
  return a.owner.at < b.owner.at || (a.owner.at === b.owner.at && a.name < b.name);
}
