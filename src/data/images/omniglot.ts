/**
 * Omniglot: 1623 handwritten characters of 50 alphabets, each drawn by the same number of people, 20.
 * Source: Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program induction",
 * Science 2015; MIT license.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  download,
  DownloadError,
  type RemoteFile,
  readRegularFile,
  sha256,
} from "../../files/index.ts";
import {
  decodeClasses,
  type EncodedClass,
  type EncodedImage,
  type ImageOptions,
} from "./decode-classes.ts";
import { cachedImageSet, cacheFolder } from "./image-cache.ts";
import type { ImageSet, ImageSplits } from "./image-set.ts";
import { type OmniglotSplitOptions, splitOmniglot } from "./omniglot-splits.ts";
import { DataError } from "../data-error.ts";
import { defaultMaxUnpacked, UnpackedError } from "../packed/unpacked.ts";
import { unzipWithin } from "../packed/unzip.ts";

/** Where Omniglot comes from and what becomes of it. */
export interface OmniglotOptions extends Partial<
  Pick<ImageOptions, "size" | "resampling" | "onProgress" | "signal">
> {
  /**
   * A folder with `images_background.zip` and `images_evaluation.zip`, used as they are. Default: `omniglot` in the folder
   * that the environment variable STACKELBERG_DATA names; without it, the authors' files are downloaded.
   */
  readonly folder?: string;
  /** Where downloads and decoded images are kept. Default `stackelberg` in XDG_CACHE_HOME or `~/.cache`. */
  readonly cache?: string;
  /** Most bytes that the drawings of an archive may unpack to; default 256 million. */
  readonly maxUnpacked?: number;
}

/**
 * Reads Omniglot and splits it into training, validation and test characters.
 *
 * Drawings are one-bit images of 105×105 pixels, resized to `size` (default 28). `resampling` is "lanczos" (default),
 * antialiased: what `convert("L").resize((28, 28), LANCZOS)` of Pillow gives, byte for byte; or "nearest": what Pillow
 * gives without the `convert`, as in the scripts of MAML and prototypical networks. They are different data; say which
 * one a result is for. Ink is 1, paper 0.
 *
 * @throws {@link DataError} when the archives cannot be fetched or are not Omniglot's.
 * @example
 * const { train, test } = await readOmniglot({ split: "vinyals" });
 */
export async function readOmniglot(
  options: OmniglotOptions & OmniglotSplitOptions = {},
): Promise<ImageSplits> {
  return splitOmniglot(await readOmniglotCharacters(options), options);
}

/** All 1623 characters upright, in the authors' order: class i is the character with the number i + 1. */
export async function readOmniglotCharacters(options: OmniglotOptions = {}): Promise<ImageSet> {
  return readArchives(archives, options);
}

/** One of the two zip files. */
export interface Archive extends RemoteFile {
  readonly name: string;
  readonly characters: number;
}

const drawings = 20;

const official = "https://github.com/brendenlake/omniglot/raw/master/python";

/** Background and evaluation characters; sums as TensorFlow Datasets records them. */
export const archives: readonly Archive[] = [
  {
    name: "images_background",
    url: `${official}/images_background.zip`,
    sha256: "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640",
    characters: 964,
  },
  {
    name: "images_evaluation",
    url: `${official}/images_evaluation.zip`,
    sha256: "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee",
    characters: 659,
  },
];

/** Characters of the given archives, decoded once for each content, size and resampling. */
export async function readArchives(
  sources: readonly Archive[],
  options: OmniglotOptions,
): Promise<ImageSet> {
  const { size = 28, resampling = "lanczos", maxUnpacked, onProgress, signal } = options;
  const cache = await cacheFolder(options.cache);
  const data = process.env["STACKELBERG_DATA"];
  const folder = options.folder ?? (data ? join(data, "omniglot") : undefined);
  const zips: Uint8Array[] = [];
  for (const source of sources) {
    zips.push(await (folder ? readLocal(folder, source) : fetchArchive(source, cache, options)));
  }
  const digest = sha256(...zips.map((zip) => sha256(zip))).slice(0, 16);
  const stored = join(cache, `omniglot-${size}-${resampling}-${digest}.images`);
  return cachedImageSet(stored, () => {
    const classes = sources.flatMap((source, i) => charactersOf(source, zips[i]!, maxUnpacked));
    return decodeClasses("Omniglot", classes, {
      size,
      channels: 1,
      resampling,
      invert: true,
      onProgress,
      signal,
    });
  });
}

async function fetchArchive(
  source: Archive,
  cache: string,
  { onProgress, signal }: OmniglotOptions,
): Promise<Uint8Array> {
  const remedy = `get ${source.name}.zip elsewhere, put it into a folder omniglot, and name the folder around that in STACKELBERG_DATA`;
  try {
    return await download(source, cache, `omniglot-${source.name}.zip`, {
      onProgress: (progress) => onProgress?.({ stage: "download", ...progress }),
      signal,
      remedy,
    });
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    throw new DataError(error.message, { cause: error });
  }
}

/** A user's own copy is trusted; `.rebuilt.zip` has the same members, packed again. */
async function readLocal(folder: string, { name }: Archive): Promise<Uint8Array> {
  const paths = [`${name}.zip`, `${name}.rebuilt.zip`].map((file) => join(folder, file));
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return readRegularFile(path);
  }
  throw new DataError(
    `${folder}: needs Omniglot's ${name}.zip, it is not there; put it there, or give no folder and unset STACKELBERG_DATA to download it.`,
  );
}

/** Classes of an archive, sorted by the number in the file names. */
function charactersOf(
  { name, characters }: Archive,
  zip: Uint8Array,
  limit?: number,
): EncodedClass[] {
  const found = new Map<string, { name: string; images: EncodedImage[] }>();
  for (const [path, bytes] of unzip(name, zip, limit).sort(([a], [b]) => order(a, b))) {
    const [, alphabet, character, id] = member.exec(path)!;
    const entry = found.get(id!) ?? { name: `${alphabet}/${character}`, images: [] };
    entry.images.push({ name: path, read: () => bytes });
    found.set(id!, entry);
  }
  const classes = [...found.values()];
  const wrong = classes.find(({ images }) => images.length !== drawings);
  if (classes.length !== characters || wrong !== undefined) {
    const came =
      wrong === undefined
        ? `${classes.length} characters`
        : `${wrong.images.length} drawings of ${wrong.name}`;
    throw new DataError(
      `${name}.zip: needs ${characters} characters with ${drawings} drawings each, as ${name}/Alphabet/character01/0001_01.png, ${came} came; fetch it again.`,
    );
  }
  return classes;
}

/** Alphabet, character, number of the character, number of the drawing. */
const member = /^images_\w+\/([^/]+)\/(character\d+)\/(\d{4})_(\d{2})\.png$/;

function unzip(
  name: string,
  zip: Uint8Array,
  limit: number = defaultMaxUnpacked,
): ReturnType<typeof unzipWithin> {
  try {
    return unzipWithin(zip, member, limit);
  } catch (cause) {
    if (cause instanceof UnpackedError)
      throw new DataError(`${name}.zip: ${cause.message}.`, { cause });
    throw new DataError(
      `${name}.zip: the archive is damaged (${(cause as Error).message}); fetch it again.`,
      { cause },
    );
  }
}

/** By file name, without the folders. */
function order(a: string, b: string): number {
  return a.slice(a.lastIndexOf("/")) < b.slice(b.lastIndexOf("/")) ? -1 : 1;
}
