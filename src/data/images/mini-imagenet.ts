/**
 * miniImageNet in the split of Ravi and Larochelle: 64 training, 16 validation and 20 test classes of 600 images. The
 * images belong to ImageNet and are not ours to distribute: they come from a user's folder.
 * Source: Ravi, Larochelle, "Optimization as a model for few-shot learning", ICLR 2017.
 */
import { checkArgument } from "../../program/internal.ts";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../files/index.ts";
import { decodeClasses, type ImageOptions } from "./decode-classes.ts";
import { cachedImageSet, cacheFolder } from "./image-cache.ts";
import { encodedFile } from "./image-folder.ts";
import type { ImageSet, ImageSplits } from "./image-set.ts";
import { parseRecords } from "../tables/reading/parse-records.ts";
import { checkText, readBytes } from "../packed/read-bytes.ts";
import { DataError } from "../data-error.ts";
import { quote } from "../words.ts";

/** Where miniImageNet lies and what becomes of it. */
export interface MiniImageNetOptions extends Partial<
  Pick<ImageOptions, "size" | "resampling" | "maxUnpacked" | "onProgress" | "signal">
> {
  /** Folder with `train.csv`, `val.csv` and `test.csv`, or the same with `.gz`. Default: the folder of the images. */
  readonly splits?: string;
  /** Where decoded images are kept. Default `stackelberg` in XDG_CACHE_HOME or `~/.cache`. */
  readonly cache?: string;
}

/**
 * Reads the images that three lists name, each a CSV file with the columns `filename` and `label`. Images lie in `folder`
 * or in its folder `images`; they become red, green and blue of `size` × `size` pixels (default 84), their sides
 * stretched. Classes and images are in the order of the lists. The full set takes 1.3 GB of memory.
 *
 * @throws {@link DataError} when a list is missing or malformed, or names images that are not there or cannot be read.
 */
export async function readMiniImageNet(
  folder: string,
  options: MiniImageNetOptions = {},
): Promise<ImageSplits> {
  checkArgument("readMiniImageNet", "folder", folder, "text");
  checkArgument("readMiniImageNet", "options", options, "object");
  return {
    train: await readPart(folder, "train", options),
    validation: await readPart(folder, "val", options),
    test: await readPart(folder, "test", options),
  };
}

async function readPart(
  folder: string,
  part: string,
  options: MiniImageNetOptions,
): Promise<ImageSet> {
  const { size = 84, resampling = "lanczos", maxUnpacked, onProgress, signal } = options;
  const files = await readList(options.splits ?? folder, part);
  const inside = (await exists(join(folder, "images"))) ? join(folder, "images") : folder;
  const cache = await cacheFolder(options.cache);
  const digest = await fingerprint(inside, files);
  const stored = join(cache, `miniimagenet-${part}-${size}-${resampling}-${digest}.images`);
  return cachedImageSet(stored, () => {
    const classes = [...files].map(([name, images]) => ({
      name,
      images: images.map((image) => encodedFile(inside, image)),
    }));
    return decodeClasses(inside, classes, {
      size,
      channels: 3,
      resampling,
      ...(maxUnpacked === undefined ? {} : { maxUnpacked }),
      onProgress,
      signal,
    });
  });
}

/** File names by label. */
async function readList(folder: string, part: string): Promise<ReadonlyMap<string, string[]>> {
  const plain = join(folder, `${part}.csv`);
  const path = (await exists(plain)) ? plain : `${plain}.gz`;
  if (!(await exists(path))) {
    throw new DataError(
      `${folder}: needs the lists train.csv, val.csv and test.csv of Ravi and Larochelle's split, ${part}.csv is not there; put them there or name their folder as splits.`,
    );
  }
  const files = new Map<string, string[]>();
  parseRecords(
    checkText(await readBytes(path), path),
    path,
    { delimiter: "," },
    ([file, label, ...more], { index }) => {
      if (index === 0 && file === "filename" && label === "label") return;
      if (!file || !label || more.length > 0 || index === 0) {
        throw new DataError(
          `${path}: needs the columns filename and label, record ${index + 1} begins with ${quote(file ?? "")}; take the lists of Ravi and Larochelle's split.`,
        );
      }
      const images = files.get(label);
      if (images === undefined) files.set(label, [file]);
      else images.push(file);
    },
  );
  return files;
}

/** Changes when a list or a file does: names, lengths and times of change, which is cheaper than reading everything. */
async function fingerprint(
  folder: string,
  files: ReadonlyMap<string, readonly string[]>,
): Promise<string> {
  const lines: string[] = [];
  const missing: string[] = [];
  for (const [label, names] of files) {
    for (const name of names) {
      const found = await stat(join(folder, name)).catch(() => undefined);
      if (found === undefined) missing.push(name);
      else lines.push(JSON.stringify([label, name, found.size, found.mtimeMs]));
    }
  }
  if (missing.length > 0) {
    const total = lines.length + missing.length;
    throw new DataError(
      `${folder}: ${missing.length} of the ${total} images in the list are not there, such as ${missing[0]}; put them there or check the folder.`,
    );
  }
  return sha256(lines.join("\n")).slice(0, 16);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
