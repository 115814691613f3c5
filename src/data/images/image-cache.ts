/**
 * Decoded images on disk, so that decoding happens once. A file is a line with the format and the SHA-256 of the rest, a
 * line of JSON with everything but the pixels, and the pixels.
 */
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { NotAFileError, readRegularFile, replaceFile, sha256 } from "../../files/index.ts";
import type { ImageSet } from "./image-set.ts";
import { DataError } from "../data-error.ts";

/**
 * Makes sure that a folder for downloaded and decoded data exists: `cache`, or `stackelberg` in XDG_CACHE_HOME, or
 * `~/.cache/stackelberg`.
 *
 * @throws {@link DataError} when it cannot be made.
 */
export async function cacheFolder(cache?: string): Promise<string> {
  const home = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const folder = cache ?? join(home, "stackelberg");
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new DataError(
      `${folder}: the folder for data cannot be made (${(cause as NodeJS.ErrnoException).code}); name another one as cache, or in XDG_CACHE_HOME.`,
      { cause },
    );
  }
  return folder;
}

/** The image set stored in a file, or what `build` returns, which is then stored. A damaged file is replaced. */
export async function cachedImageSet(
  path: string,
  build: () => Promise<ImageSet>,
): Promise<ImageSet> {
  const kept = await readImageSet(path);
  if (kept !== undefined) return kept;
  const set = await build();
  // Node reads no file of 2 GiB or more at once.
  if (set.pixels.length > 2 ** 31 - 2 ** 24) return set;
  const { pixels, ...rest } = set;
  const described = `${JSON.stringify(rest)}\n`;
  await replaceFile(path, [`${format} ${sha256(described, pixels)}\n${described}`, pixels]);
  return set;
}

/** The number grows when decoding changes: since 2, images are upright. */
const format = "stackelberg-images-2";

/** Undefined when there is no such file or it is not what was written. */
async function readImageSet(path: string): Promise<ImageSet | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readRegularFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (error instanceof NotAFileError) {
      throw new DataError(`${path}: ${error.message}; remove it, decoded images are kept there.`, {
        cause: error,
      });
    }
    throw error;
  }
  const first = bytes.indexOf("\n");
  const body = bytes.subarray(first + 1);
  if (bytes.toString("latin1", 0, first) !== `${format} ${sha256(body)}`) return undefined;
  const second = body.indexOf("\n");
  const rest = JSON.parse(body.toString("utf8", 0, second)) as Omit<ImageSet, "pixels">;
  return { ...rest, pixels: new Uint8Array(body.buffer, body.byteOffset + second + 1) };
}
