/**
 * The image files of a folder with one folder a class. What archives and systems leave behind is no class and no image; it is left
 * out and counted.
 */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../data-error.ts";
import { listNames, plural } from "../words.ts";

/** A class and the names of its images, in order. */
export interface ListedClass {
  readonly name: string;
  readonly files: readonly string[];
}

/** Classes with at least one image each, and one sentence about all that was left out, if anything was. */
export interface ImageListing {
  readonly classes: readonly ListedClass[];
  readonly note: string | undefined;
}

/** @throws {@link DataError} when the folder cannot be read, a link leads in a circle, or no class has an image. */
export async function listImages(folder: string): Promise<ImageListing> {
  const left: string[] = [];
  const empty: string[] = [];
  const classes: ListedClass[] = [];
  for (const entry of await list(folder)) {
    const { name } = entry;
    if (isJunk(name) || !(await isFolder(folder, entry))) left.push(name);
    else {
      const files = await imagesIn(folder, name, left);
      if (files.length === 0) empty.push(name);
      else classes.push({ name, files });
    }
  }
  if (classes.length === 0) {
    throw new DataError(
      `${folder}: needs one folder a class with PNG or JPEG images in it, such as ${join("cat", "1.png")}; none is there, check the path.`,
    );
  }
  return { classes, note: describe(folder, left, empty) };
}

async function imagesIn(folder: string, name: string, left: string[]): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await list(join(folder, name))) {
    const isImage = !entry.isDirectory() && imageEnding.test(entry.name) && !isJunk(entry.name);
    if (isImage) files.push(entry.name);
    else left.push(`${name}/${entry.name}`);
  }
  return files;
}

/** Endings of formats that are read, and of others that a user would miss if they were left out in silence. */
const imageEnding = /\.(png|jpe?g|gif|bmp|tiff?|webp|heic|avif)$/i;

/** Hidden files, and what macOS, Windows, Synology, Python and Linux put beside a user's files. */
const junk =
  /^(\..*|__MACOSX|Icon\r|Thumbs\.db|ehthumbs\.db|desktop\.ini|@eaDir|#recycle|\$RECYCLE\.BIN|System Volume Information|__pycache__|lost\+found)$/i;

function isJunk(name: string): boolean {
  return junk.test(name);
}

/** Whether an entry is a folder or a link to one; a link to nothing is none. */
async function isFolder(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const path = join(folder, entry.name);
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ELOOP") return false;
    throw new DataError(`${path}: it is a link that leads in a circle; remove it.`, { cause });
  }
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new DataError(
      `${folder}: this is no folder that can be read (${(cause as NodeJS.ErrnoException).code}); check the path.`,
      { cause },
    );
  }
}

function describe(
  folder: string,
  left: readonly string[],
  empty: readonly string[],
): string | undefined {
  const parts: string[] = [];
  if (left.length > 0) {
    const what = left.length === 1 ? "1 entry that is" : `${left.length} entries that are`;
    parts.push(`${what} no image of a class (${listNames(left, 3)})`);
  }
  if (empty.length > 0) {
    parts.push(`${plural(empty.length, "class folder")} without images (${listNames(empty, 3)})`);
  }
  return parts.length === 0 ? undefined : `${folder}: left out ${parts.join(" and ")}.`;
}
