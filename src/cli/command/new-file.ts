// A result file that must not take the place of another one, nor fail at the end: checked before any work.

import type { Stats } from "node:fs";
import { access, constants, realpath, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { irregularKind } from "../../files/index.ts";
import { UsageError } from "./errors.ts";

/** What a command is going to do with a file of `--out`. */
export interface NewFileUse {
  /** Whether a file that exists may be replaced. */
  readonly force: boolean;
  /** Files that the command reads. */
  readonly inputs?: readonly string[];
  /** Folders of which it reads every file. */
  readonly folders?: readonly string[];
}

/**
 * Refuses a path that cannot become a file, or that the command reads, or that exists, unless `force`.
 *
 * @throws UsageError that names `--out`.
 */
export async function checkNewFile(path: string, use: NewFileUse): Promise<void> {
  const { force, inputs = [], folders = [] } = use;
  if (/[/\\]$/.test(path)) throw new UsageError(`--out ${path} is a folder; give a file name`);
  const existing = await find(path);
  const kind = existing === undefined ? undefined : irregularKind(existing);
  if (kind !== undefined) throw new UsageError(`--out ${path} is ${kind}; give a file name`);
  if (existing !== undefined) {
    for (const input of inputs) {
      const found = await find(input);
      if (found?.dev === existing.dev && found.ino === existing.ino) {
        throw new UsageError(`--out ${path} is the input file itself; choose another name`);
      }
    }
    for (const folder of folders) {
      if (await liesIn(path, folder)) {
        throw new UsageError(
          `--out ${path} is one of the input files in ${folder}; choose another name`,
        );
      }
    }
    if (!force) {
      throw new UsageError(
        `${path} exists already; use --force to overwrite it, or --out for another`,
      );
    }
  }
  const parent = dirname(resolve(path));
  if ((await find(parent))?.isDirectory() !== true) {
    throw new UsageError(`${dirname(path)} is not a folder; create it, or choose another --out`);
  }
  await access(parent, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw new UsageError(
      `--out ${path}: ${dirname(path)} takes no files of this user; choose another folder`,
      { cause },
    );
  });
}

async function find(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}

async function liesIn(path: string, folder: string): Promise<boolean> {
  const [file, above] = await Promise.all([realpath(path), realpath(folder).catch(() => folder)]);
  return file.startsWith(above.endsWith(sep) ? above : above + sep);
}
