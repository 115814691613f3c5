/**
 * Files that somebody names are opened only if they are files: a named pipe would wait for a writer, a device never end.
 *
 * Nothing of Node is loaded before it is needed, so that a bundle for browsers may hold this file.
 */
import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** What was named is no file that can be read. The message is half a sentence, such as `it is a device, not a file`. */
export class NotAFileError extends Error {
  override readonly name = "NotAFileError";
  readonly path: string;

  constructor(path: string, what: string, options?: ErrorOptions) {
    super(`it is ${what}`, options);
    this.path = path;
  }
}

/** Bytes of a file that is read whole, unless its reader says otherwise: a hundred times what runs write. */
const mostBytes = 1e9;

/**
 * Reads a whole file.
 *
 * @param most - bytes that it may have. Default 1e9.
 * @throws {@link NotAFileError} for pipes, devices, sockets, folders, links that lead in a circle, and files that are too
 *   large, at once; Node's error for everything else.
 */
export async function readRegularFile(
  path: string,
  most: number = mostBytes,
): Promise<Buffer<ArrayBuffer>> {
  const file = await openRegularFile(path);
  try {
    const { size } = await file.stat();
    if (size > most) throw new NotAFileError(path, `of ${size} bytes, at most ${most} are read`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * Opens a file for reading.
 *
 * @throws as {@link readRegularFile}.
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  const { constants, open } = await import("node:fs/promises");
  // Looked at first, because opening a device may do something; opened so that nothing that takes its place can block.
  checkRegular(path, await statOf(path));
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    checkRegular(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What something is that is no file, with its article, such as `a pipe`; undefined for a file. */
export function irregularKind(found: Stats): string | undefined {
  return irregularKinds.find(([is]) => is(found))?.[1];
}

function checkRegular(path: string, found: Stats): void {
  const kind = irregularKind(found);
  if (kind !== undefined) throw new NotAFileError(path, `${kind}, not a file`);
}

async function statOf(path: string): Promise<Stats> {
  const { stat } = await import("node:fs/promises");
  try {
    return await stat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ELOOP") throw cause;
    throw new NotAFileError(path, "a link that leads in a circle", { cause });
  }
}

const irregularKinds: readonly (readonly [is: (found: Stats) => boolean, kind: string])[] = [
  [(found) => found.isDirectory(), "a folder"],
  [(found) => found.isFIFO(), "a pipe"],
  [(found) => found.isSocket(), "a socket"],
  [(found) => found.isCharacterDevice() || found.isBlockDevice(), "a device"],
];
