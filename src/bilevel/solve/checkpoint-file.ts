/** Checkpoints on disk, in Node only, replaced whole or not at all. */
import { checkArgument } from "../../program/internal.ts";
import { type FileSystem as ReplacingFiles, replaceFile } from "../../files/portable.ts";
import { CheckpointError } from "./checkpoint.ts";

/** The part of `node:fs/promises` in use, so that a test can fail it. */
export interface FileSystem extends ReplacingFiles {
  /** As `fs.promises.readFile`. */
  readFile(path: string): Promise<Uint8Array>;
}

/**
 * Replaces the file at `path` atomically.
 *
 * @throws {@link CheckpointError} "io"; the previous file is then untouched and the temporary one removed.
 */
export async function writeCheckpointFile(path: string, bytes: Uint8Array): Promise<void> {
  checkArgument("writeCheckpointFile", "path", path, "text");
  checkArgument("writeCheckpointFile", "bytes", bytes, "bytes");
  return writeThrough(path, bytes);
}

/** As {@link writeCheckpointFile}, with the file system that a test gives. */
export async function writeThrough(
  path: string,
  bytes: Uint8Array,
  files?: FileSystem,
): Promise<void> {
  const system = files ?? (await nodeFiles("checkpoint.path"));
  try {
    await replaceFile(path, bytes, system);
  } catch (cause) {
    throw new CheckpointError(
      "io",
      `checkpoint: ${path} cannot be written (${reason(cause)}); the previous checkpoint, if any, is intact. Free some space or choose another path.`,
      { cause },
    );
  }
}

/**
 * Reads a checkpoint file.
 *
 * @throws {@link CheckpointError} "io" when there is no such file or it cannot be read.
 */
export async function readCheckpointFile(path: string): Promise<Uint8Array> {
  checkArgument("readCheckpointFile", "path", path, "text");
  const read = await regularFiles();
  try {
    return await read(path);
  } catch (cause) {
    throw new CheckpointError("io", `resume: ${path} cannot be read (${reason(cause)}).`, {
      cause,
    });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Loaded when it is needed: a bundle for browsers holds this file. */
async function regularFiles(): Promise<FileSystem["readFile"]> {
  await nodeFiles("resume");
  return (await import("../../files/regular-file.ts")).readRegularFile;
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
