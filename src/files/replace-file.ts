/**
 * Files are replaced whole: written beside their place under a temporary name, flushed to the disk, then renamed. A
 * kill or a full disk at any moment leaves the old file or the new one, and a reader never sees half of one.
 *
 * Nothing of Node is loaded before it is needed, so that a bundle for browsers may hold this file.
 */

/** What a file is to hold; parts follow one another. */
export type Contents = string | Uint8Array | readonly (string | Uint8Array)[];

/** A file to be written: its name in a folder and its contents. */
export interface NewFile {
  readonly name: string;
  readonly contents: Contents;
}

/** The part of `node:fs/promises` in use, so that a test can fail it. */
export interface FileSystem {
  /** As `fs.promises.open`. */
  open(path: string, flags: "r" | "w"): Promise<OpenFile>;
  /** As `fs.promises.rename`. */
  rename(from: string, to: string): Promise<void>;
  /** As `fs.promises.unlink`. */
  unlink(path: string): Promise<void>;
}

/** The part of a Node file handle in use. */
export interface OpenFile {
  /** As `FileHandle.writeFile`. */
  writeFile(bytes: string | Uint8Array): Promise<void>;
  /** As `FileHandle.sync`. */
  sync(): Promise<void>;
  /** As `FileHandle.close`. */
  close(): Promise<void>;
}

/**
 * Replaces the file at `path`.
 *
 * @throws Node's error, with the path of the file that was meant; the earlier file is then untouched and the temporary
 *   one removed.
 */
export async function replaceFile(
  path: string,
  contents: Contents,
  files?: FileSystem,
): Promise<void> {
  await replaceAll([{ path, contents }], folderOf(path), files);
}

/**
 * Replaces files of one folder. All are on the disk under temporary names before the first is renamed, in the order
 * given: a full disk changes nothing, and whoever finds the last one changed finds all of them changed.
 *
 * @throws as {@link replaceFile}.
 */
export async function replaceFiles(
  folder: string,
  list: readonly NewFile[],
  files?: FileSystem,
): Promise<void> {
  const inFolder = list.map(({ name, contents }) => ({ path: `${folder}/${name}`, contents }));
  await replaceAll(inFolder, folder, files);
}

/** Whether a file's name is that of a temporary one, and which process made it; undefined for other names. */
export function temporaryOwner(name: string): number | undefined {
  const found = /^\..+\.(\d+)(?:-[0-9a-f]{8})?\.tmp$/.exec(name);
  return found === null ? undefined : Number(found[1]);
}

/** A name beside `path` that no other process and no other call takes. */
export function temporaryName(path: string): string {
  const folder = folderOf(path);
  // A name may be as long as the file system allows, and this one is longer.
  const name = path.slice(folder === "." ? 0 : folder.length).slice(0, 50);
  const random = crypto.randomUUID().slice(0, 8);
  return `${folder === "." ? "" : folder}.${name}.${process.pid}-${random}.tmp`;
}

/** Flushes a folder's entries to the disk, where the system can. */
export async function syncFolder(folder: string, files?: FileSystem): Promise<void> {
  const { open } = files ?? (await import("node:fs/promises"));
  await open(folder, "r")
    .then(async (handle) => handle.sync().finally(() => handle.close()))
    .catch(() => undefined);
}

async function replaceAll(
  list: readonly { path: string; contents: Contents }[],
  folder: string,
  files?: FileSystem,
): Promise<void> {
  const { rename, unlink } = files ?? (await import("node:fs/promises"));
  const moves = list.map(({ path, contents }) => {
    return { path, contents, temporary: temporaryName(path) };
  });
  let renamed = 0;
  try {
    for (const { temporary, contents } of moves) await write(temporary, contents, files);
    for (const { temporary, path } of moves) {
      await rename(temporary, path);
      renamed++;
    }
  } catch (error) {
    // What cannot be written can often not be removed either; the first failure is the one to report.
    const left = moves.slice(renamed).map(({ temporary }) => unlink(temporary));
    await Promise.allSettled(left);
    throw namingTheFile(error, moves);
  }
  // The rename itself reaches the disk with its folder.
  await syncFolder(folder, files);
}

async function write(path: string, contents: Contents, files?: FileSystem): Promise<void> {
  const { open } = files ?? (await import("node:fs/promises"));
  const handle = await open(path, "w");
  try {
    const parts = typeof contents === "string" || isBytes(contents) ? [contents] : contents;
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } catch (error) {
    // Errors of a handle have no path.
    if (error instanceof Error) (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  } finally {
    await handle.close();
  }
}

function isBytes(contents: Contents): contents is Uint8Array {
  return contents instanceof Uint8Array;
}

/** Errors name the file that was meant, not its temporary stand-in. */
function namingTheFile(
  error: unknown,
  moves: readonly { path: string; temporary: string }[],
): unknown {
  if (!(error instanceof Error)) return error;
  const failed = error as NodeJS.ErrnoException;
  const move = moves.find(({ temporary }) => temporary === failed.path);
  if (move !== undefined) failed.path = move.path;
  return failed;
}

/** With its separator at the end; "." for a bare name. */
function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : path.slice(0, end + 1);
}
