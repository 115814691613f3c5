/**
 * Files from their official addresses, checked by their SHA-256 and kept in a folder. A download that was cut off goes
 * on where it stopped.
 */
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { irregularKind, readRegularFile } from "./regular-file.ts";
import { sha256 } from "./sha256.ts";

/** A file that cannot be had from elsewhere. The message says what to do. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
  readonly code = "DATA";
}

/** How a download is watched and ended. */
export interface DownloadOptions {
  readonly onProgress?: (progress: {
    readonly source: string;
    /** Bytes. */
    readonly done: number;
    readonly total: number | undefined;
  }) => void;
  readonly signal?: AbortSignal;
  /** Closes the message when there is no network. */
  readonly remedy: string;
}

/** A file that somebody else keeps. */
export interface RemoteFile {
  readonly url: string;
  /** Hexadecimal SHA-256 of the whole file. */
  readonly sha256: string;
}

/**
 * The bytes of a file, from `folder` when it is there with the right sum, otherwise from the network.
 *
 * @param name - what the file is called in `folder`, which exists; until it is whole, `.part` is appended.
 * @throws {@link DownloadError} when the file cannot be fetched (what came is kept, the next call continues), or has another
 *   sum (it is deleted, the next call begins again).
 */
export async function download(
  file: RemoteFile,
  folder: string,
  name: string,
  options: DownloadOptions,
): Promise<Uint8Array> {
  const path = join(folder, name);
  const part = `${path}.part`;
  // Before anything is fetched: a pipe in a file's place would wait for ever.
  await sizeOf(part);
  if ((await sizeOf(path)) > 0) {
    const kept = await readRegularFile(path);
    if (sha256(kept) === file.sha256) return kept;
  }
  try {
    await fetchRest(file.url, part, options);
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new DownloadError(
      `${file.url}: cannot be fetched (${reasonOf(cause)}); try again to continue, or ${options.remedy}.`,
      { cause },
    );
  }
  const bytes = await readRegularFile(part);
  const sum = sha256(bytes);
  if (sum !== file.sha256) {
    await rm(part);
    throw new DownloadError(
      `${file.url}: ${file.sha256} is the SHA-256 of the right file, ${bytes.length} bytes with ${sum} came and are deleted; try again, or ${options.remedy}.`,
    );
  }
  await rename(part, path);
  return bytes;
}

/** Appends to `part` what it lacks of the file. */
async function fetchRest(url: string, part: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  const response = await fetch(url, {
    // A compressed answer could not be continued at a byte of the file.
    headers: { "accept-encoding": "identity", ...(have > 0 && { range: `bytes=${have}-` }) },
    signal: options.signal ?? null,
  });
  // Nothing lies beyond what is there: the sum will tell whether it is the file.
  if (have > 0 && response.status === 416) return;
  if (!response.ok || response.body === null) {
    throw new Error(`the server answers ${response.status} ${response.statusText}`.trim());
  }
  const continues =
    response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${have}-`);
  let done = continues ? have : 0;
  const length = response.headers.get("content-length");
  const total = length === null ? undefined : done + Number(length);
  const file = await open(part, continues ? "a" : "w");
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      await file.writeFile(chunk);
      done += chunk.length;
      options.onProgress?.({ source: url, done, total });
    }
  } finally {
    await file.close();
  }
}

/**
 * Bytes of a file, 0 when there is none.
 *
 * @throws {@link DownloadError} when something else stands in its place.
 */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return 0;
  const kind = irregularKind(found);
  if (kind === undefined) return found.size;
  throw new DownloadError(
    `${path}: it is ${kind}, not a file; remove it, downloads are kept there.`,
  );
}

/** `fetch` says "fetch failed" and puts the reason into the cause. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(reason instanceof Error)) return String(reason);
  return reason.message || ((reason as NodeJS.ErrnoException).code ?? reason.name);
}
