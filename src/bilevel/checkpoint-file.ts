/**
 * Checkpoints on disk, in Node only. A file is replaced as a whole: written beside the old one, flushed
 * to the disk, then renamed over it. A kill or a full disk at any moment leaves the old file or the new one.
 */
import { CheckpointError } from "./checkpoint.ts";

/** The part of `node:fs/promises` in use, so that a test can fail it. */
export interface FileSystem {
  /** As `fs.promises.open`. */
  open(path: string, flags: "r" | "w"): Promise<OpenFile>;
  /** As `fs.promises.rename`. */
  rename(from: string, to: string): Promise<void>;
  /** As `fs.promises.unlink`. */
  unlink(path: string): Promise<void>;
  /** As `fs.promises.readFile`. */
  readFile(path: string): Promise<Uint8Array>;
}

/** The part of a Node file handle in use. */
export interface OpenFile {
  /** As `FileHandle.writeFile`. */
  writeFile(bytes: Uint8Array): Promise<void>;
  /** As `FileHandle.sync`. */
  sync(): Promise<void>;
  /** As `FileHandle.close`. */
  close(): Promise<void>;
}

/**
 * Replaces the file at `path` atomically.
 *
 * @throws {@link CheckpointError} "io"; the previous file is then untouched and the temporary one removed.
 */
export async function writeCheckpointFile(
  path: string,
  bytes: Uint8Array,
  files?: FileSystem,
): Promise<void> {
  const { open, rename, unlink } = files ?? (await nodeFiles("checkpoint.path"));
  const temporary = `${path}.partial`;
  try {
    await flushed(await open(temporary, "w"), (file) => file.writeFile(bytes));
    await rename(temporary, path);
  } catch (cause) {
    // What cannot be written can often not be removed either; the first failure is the one to report.
    await unlink(temporary).catch(() => undefined);
    throw new CheckpointError(
      "io",
      `checkpoint: ${path} cannot be written (${reason(cause)}); the previous checkpoint, if any, is intact. Free some space or choose another path.`,
      { cause },
    );
  }
  // The rename itself reaches the disk with its folder; some systems cannot flush a folder.
  await open(folderOf(path), "r")
    .then((folder) => flushed(folder))
    .catch(() => undefined);
}

/**
 * Reads a checkpoint file.
 *
 * @throws {@link CheckpointError} "io" when there is no such file or it cannot be read.
 */
export async function readCheckpointFile(path: string, files?: FileSystem): Promise<Uint8Array> {
  const { readFile } = files ?? (await nodeFiles("resume"));
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CheckpointError("io", `resume: ${path} cannot be read (${reason(cause)}).`, {
      cause,
    });
  }
}

async function flushed(
  file: OpenFile,
  write: (file: OpenFile) => Promise<void> = async () => undefined,
): Promise<void> {
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : path.slice(0, end + 1);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function nodeFiles(option: string): Promise<FileSystem> {
  try {
    return await import("node:fs/promises");
  } catch (cause) {
    throw new CheckpointError(
      "io",
      `${option}: a path needs Node; in a browser give ${option === "resume" ? "the checkpoint's bytes" : "checkpoint.save, a function that receives the bytes"}.`,
      { cause },
    );
  }
}
