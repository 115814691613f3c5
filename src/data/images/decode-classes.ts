/** Encoded images of several classes to an image set: what folders and archives have in common. */
import { setImmediate } from "node:timers/promises";
import { decodeImage } from "./decode-image.ts";
import { cumulate, type ImageSet } from "./image-set.ts";
import { type Resampling, resizer } from "./resize-image.ts";
import { DataError } from "../data-error.ts";
import { plural } from "../words.ts";
import { checkLimit } from "../packed/unpacked.ts";

/** How far a loader has come. */
export interface LoadProgress {
  readonly stage: "download" | "decode";
  /** Address or folder. */
  readonly source: string;
  /** Bytes of a download, images otherwise. */
  readonly done: number;
  /** Of the same unit; undefined when the server does not say. */
  readonly total: number | undefined;
}

/** What images become. */
export interface ImageOptions {
  /** Side of the images in pixels. Those of another size or form are stretched. */
  readonly size: number;
  /** 1 for gray, 3 for red, green and blue. */
  readonly channels: 1 | 3;
  /** Default "lanczos". */
  readonly resampling?: Resampling;
  /** Dark ink on light paper, see {@link ImageSet}. Default false. */
  readonly invert?: boolean;
  /**
   * Most bytes that an image may become, three a pixel, six where it has 16 bits; default 120 million, 40 megapixels. A small
   * file can say that it is an image of gigabytes.
   */
  readonly maxUnpacked?: number;
  /** Called with a sentence on what was left out, if anything was. */
  readonly onNote?: (sentence: string) => void;
  /** Called after each class, and while bytes arrive. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends the work between two classes or during a download, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Node makes no array of much more, and few machines have room for it. */
const mostBytes = 2 ** 32;

/** A class whose images are still encoded. */
export interface EncodedClass {
  readonly name: string;
  readonly images: readonly EncodedImage[];
}

/** An image as PNG or JPEG. */
export interface EncodedImage {
  /** Names the image in an error message. */
  readonly name: string;
  /** The file's bytes. */
  readonly read: () => Uint8Array | Promise<Uint8Array>;
}

/**
 * Decodes and resizes all images.
 *
 * @param source - opens error messages.
 * @throws {@link DataError} that names the images which cannot be read, with reasons, after all were tried.
 */
export async function decodeClasses(
  source: string,
  classes: readonly EncodedClass[],
  options: ImageOptions,
): Promise<ImageSet> {
  const { size, channels, invert = false, maxUnpacked, onProgress, signal } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`${source}: size is a whole number of pixels from 1, not ${size}.`);
  }
  if (maxUnpacked !== undefined) checkLimit(maxUnpacked);
  const resize = resizer(size, size, options.resampling ?? "lanczos");
  const bytes = channels * size * size;
  const total = classes.reduce((sum, { images }) => sum + images.length, 0);
  if (total * bytes > mostBytes) {
    throw new DataError(
      `${source}: ${plural(total, "image")} of ${channels}×${size}×${size} take ${((total * bytes) / 2 ** 30).toFixed(1)} GiB of memory, at most 4 GiB are read; choose a smaller size.`,
    );
  }
  const pixels = new Uint8Array(total * bytes);
  const bad: string[] = [];
  let done = 0;
  for (const { images } of classes) {
    for (const image of images) {
      try {
        const planes = decodeImage(await image.read(), channels, maxUnpacked);
        pixels.set(resize(planes), done * bytes);
      } catch (error) {
        bad.push(`${image.name} (${error instanceof Error ? error.message : String(error)})`);
      }
      done++;
    }
    onProgress?.({ stage: "decode", source, done, total });
    // Lets timers and signals in: decoding is pure computation.
    await setImmediate();
    signal?.throwIfAborted();
  }
  if (bad.length > 0) {
    const more = bad.length > 3 ? ` and ${bad.length - 3} more` : "";
    throw new DataError(
      `${source}: of ${plural(total, "image")} ${bad.length} cannot be read: ${bad.slice(0, 3).join(", ")}${more}; repair or remove them.`,
    );
  }
  return {
    height: size,
    width: size,
    channels,
    classes: classes.map(({ name }) => name),
    offsets: cumulate(classes.map(({ images }) => images.length)),
    pixels,
    invert,
  };
}
