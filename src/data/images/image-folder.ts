/** Images from a user's own files: a folder with one folder a class, or a list of files. */
import { checkArgument } from "../../program/internal.ts";
import { join } from "node:path";
import { readRegularFile } from "../../files/index.ts";
import { decodeClasses, type EncodedImage, type ImageOptions } from "./decode-classes.ts";
import type { ImageSet } from "./image-set.ts";
import { listImages } from "./list-images.ts";

/**
 * Reads `folder/class/image.png`: PNG and JPEG, any mixture. Classes and images are in the order of their names; links are
 * followed. What is hidden, left behind by an archive or a system (`__MACOSX`, `Thumbs.db`), no image by its ending, or a folder
 * without images is left out; `onNote` hears how much.
 *
 * @throws {@link DataError} when the folder is not of this form, or names the images that cannot be read.
 * @example
 * const set = await readImageFolder("letters", { size: 28, channels: 1, invert: true });
 */
export async function readImageFolder(folder: string, options: ImageOptions): Promise<ImageSet> {
  checkArgument("readImageFolder", "folder", folder, "text");
  checkArgument("readImageFolder", "options", options, "object");
  const { classes, note } = await listImages(folder);
  if (note !== undefined) options.onNote?.(note);
  const encoded = classes.map(({ name, files }) => ({
    name,
    images: files.map((file) => encodedFile(folder, `${name}/${file}`)),
  }));
  return decodeClasses(folder, encoded, options);
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
  checkArgument("readImages", "paths", paths, "list");
  checkArgument("readImages", "options", options, "object");
  const images = paths.map((path) => ({ name: path, read: () => readRegularFile(path) }));
  return decodeClasses("images", [{ name: "images", images }], options);
}

/** An image in a folder, named in messages by its path below it. */
export function encodedFile(folder: string, name: string): EncodedImage {
  return { name, read: () => readRegularFile(join(folder, name)) };
}
