/** Images from a user's own files: a folder with one folder a class, or a list of files. */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeClasses, type EncodedImage, type ImageOptions } from "./decode-classes.ts";
import type { ImageSet } from "./image-set.ts";
import { DataError, listNames } from "./table.ts";

/**
 * Reads `folder/class/image.png`: PNG and JPEG, any mixture. Classes and images are in the order of their names.
 * Files that begin with a dot or are no images by their ending are left out; links are followed.
 *
 * @throws {@link DataError} when the folder is not of this form, or names the images that cannot be read.
 * @example
 * const set = await readImageFolder("letters", { size: 28, channels: 1, invert: true });
 */
export async function readImageFolder(folder: string, options: ImageOptions): Promise<ImageSet> {
  const entries = await list(folder);
  const isFolder = await Promise.all(entries.map((entry) => isFolderOrLink(folder, entry)));
  const names = entries.filter((_, i) => isFolder[i]).map(({ name }) => name);
  const classes = await Promise.all(
    names.map(async (name) => {
      const files = (await list(join(folder, name))).filter((entry) => !entry.isDirectory());
      const images = files.map((file) => file.name).filter((file) => imageEnding.test(file));
      return { name, images: images.map((file) => encodedFile(folder, `${name}/${file}`)) };
    }),
  );
  if (classes.every(({ images }) => images.length === 0)) {
    throw new DataError(
      `${folder}: needs one folder a class with PNG or JPEG images in it, such as ${join("cat", "1.png")}; none is there, check the path.`,
    );
  }
  const empty = classes.filter(({ images }) => images.length === 0).map(({ name }) => name);
  if (empty.length > 0) {
    throw new DataError(
      `${folder}: no PNG or JPEG images are in ${listNames(empty)}; add some or remove the folder.`,
    );
  }
  return decodeClasses(folder, classes, options);
}

/**
 * Reads PNG and JPEG files as one class, `images`, in the order given.
 *
 * @throws {@link DataError} naming the files that cannot be read.
 */
export async function readImages(
  paths: readonly string[],
  options: ImageOptions,
): Promise<ImageSet> {
  const images = paths.map((path) => ({ name: path, read: () => readFile(path) }));
  return decodeClasses("images", [{ name: "images", images }], options);
}

/** An image in a folder, named in messages by its path below it. */
export function encodedFile(folder: string, name: string): EncodedImage {
  return { name, read: () => readFile(join(folder, name)) };
}

/** Endings of formats that are read, and of others that a user would miss if they were left out in silence. */
const imageEnding = /^[^.].*\.(png|jpe?g|gif|bmp|tiff?|webp|heic|avif)$/i;

async function isFolderOrLink(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(join(folder, entry.name)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !name.startsWith("."))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new DataError(
      `${folder}: this is no folder that can be read (${(cause as NodeJS.ErrnoException).code}); check the path.`,
      { cause },
    );
  }
}
