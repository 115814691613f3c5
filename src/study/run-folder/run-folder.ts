// The output folder of a run, from its opening to its end: one process at a time, an earlier run set aside until the new
// one has its result, and nothing left over by a run that wrote nothing.

import { randomUUID } from "node:crypto";
import { rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  dropPrevious,
  FolderInUseError,
  type FolderLock,
  lockFolder,
  NotARunError,
  ownNames,
  previousName,
  putBack,
  removeLeftovers,
  setAside,
} from "../../files/index.ts";
import { eventLogName, openEventLog, type EventLog } from "../event-log.ts";
import type { RunHappening } from "../run-event.ts";
import { RunFolderError } from "./run-folder-error.ts";
import {
  checkEmpty,
  checkOutputFolder,
  createFolder,
  hasOnlyTraces,
  traces,
} from "./output-folder.ts";
import { runFiles } from "./run-files.ts";
import { type RunSettings, writeSettings } from "./settings-file.ts";

/** One run's folder. */
export interface RunFolder {
  /**
   * Opens a folder for a new run.
   *
   * @param options.force - set an earlier run in it aside.
   * @param options.beside - names that this run writes besides the files of every run, with what such files begin with.
   * @param options.input - the file that the run reads, which it must not write over.
   * @throws {@link RunFolderError} when another process works in it, or it cannot take the run; nothing has changed then.
   */
  begin(
    folder: string,
    options: {
      readonly force: boolean;
      readonly beside?: Readonly<Record<string, RegExp>>;
      readonly input?: string;
    },
  ): Promise<void>;
  /** Opens the folder of a run that goes on; one that does not exist is left to the reader of its files. */
  resume(folder: string): Promise<void>;
  /** Writes settings.json, or replaces it where the run goes on with other settings. */
  describe(settings: Omit<RunSettings, "command">): Promise<void>;
  /** Writes an event into the folder's log; before the folder is open, it waits. */
  tell(event: RunHappening): void;
  /** The run has its result: what was set aside goes. */
  complete(): Promise<void>;
  /** The end, however it came: where no file was written, the folder is as it was before. */
  release(): Promise<void>;
}

interface Opened {
  readonly folder: string;
  readonly lock: FolderLock;
  readonly beside: Readonly<Record<string, RegExp>>;
  /** The first of the folders that were made. */
  readonly created: string | undefined;
  isSetAside: boolean;
  log?: EventLog;
}

/**
 * A folder that is still to be opened.
 *
 * @param doing - the command, for whoever finds the folder in use.
 * @param say - told what happens to an earlier run, and of one that was killed.
 */
export function createRunFolder(doing: string, say: (text: string) => void): RunFolder {
  let opened: Opened | undefined;
  const waiting: RunHappening[] = [];

  const openLog = async (now: Opened): Promise<void> => {
    const path = join(now.folder, eventLogName);
    now.log = await openEventLog(path, randomUUID(), {
      onTrouble: ({ message }) =>
        say(`${path} cannot be written (${message}); the run goes on without it.`),
    });
    waiting.splice(0).forEach(now.log.append);
  };

  const open = async (
    folder: string,
    beside: Readonly<Record<string, RegExp>>,
    created?: string,
  ): Promise<Opened> => {
    const lock = await takeLock(folder, doing);
    opened = { folder, lock, beside, created, isSetAside: false };
    for (const { doing: what, pid, at } of lock.abandoned) {
      say(
        `${folder} was left by ${what} (process ${pid}, since ${clock(at)}), which did not come to its end.`,
      );
    }
    await removeLeftovers(folder);
    return opened;
  };

  return {
    async begin(folder, { force, beside = {}, input }) {
      if (input !== undefined) checkInput(folder, input);
      await checkOutputFolder(folder, force);
      const created = await createFolder(folder);
      try {
        const now = await open(folder, beside, created);
        if (!force) await checkEmpty(folder);
        await checkPlaces(folder, beside);
        if (await hasOnlyTraces(folder)) await removeTraces(folder);
        now.isSetAside = force && (await setEarlierAside(folder, beside));
        await openLog(now);
      } catch (error) {
        if (opened === undefined) await removeCreated(folder, created);
        throw error;
      }
      if (opened?.isSetAside === true) {
        say(
          `The earlier run waits in ${join(folder, previousName)} until this one has its result.`,
        );
      }
    },
    async resume(folder) {
      const found = await stat(folder).catch(() => undefined);
      if (found?.isDirectory() === true) await openLog(await open(folder, {}));
    },
    describe: (settings) => writeSettings(opened!.folder, { command: doing, ...settings }),
    tell(event) {
      if (opened?.log === undefined) waiting.push(event);
      else opened.log.append(event);
    },
    async complete() {
      if (opened !== undefined) await dropPrevious(opened.folder, runFiles(opened.beside));
    },
    async release() {
      if (opened === undefined) return;
      const { folder, lock, beside, created, isSetAside, log } = opened;
      opened = undefined;
      try {
        await log?.close();
        const names = await ownNames(folder, runFiles());
        const written = names.filter((name) => !traces.includes(name));
        if (written.length === 0) await removeTraces(folder);
        if (written.length === 0 && isSetAside) await putBack(folder, runFiles(beside));
        if (written.length === 0 && created !== undefined) {
          await Promise.all(
            Object.keys(beside).map((name) => rm(join(folder, name), { force: true })),
          );
        }
      } finally {
        await lock.release();
        await removeCreated(folder, created);
      }
    },
  };
}

async function removeTraces(folder: string): Promise<void> {
  await Promise.all(traces.map((name) => rm(join(folder, name), { force: true })));
}

async function takeLock(folder: string, doing: string): Promise<FolderLock> {
  try {
    return await lockFolder(folder, doing);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    const { doing: what, pid, host, at } = error.owner;
    throw new RunFolderError(
      "FOLDER_IN_USE",
      `${folder} is in use by ${what} (process ${pid} on ${host}, since ${clock(at)}); if it does not run any more, delete ${error.path}`,
      { cause: error },
    );
  }
}

async function setEarlierAside(
  folder: string,
  beside: Readonly<Record<string, RegExp>>,
): Promise<boolean> {
  try {
    return await setAside(folder, runFiles(beside));
  } catch (error) {
    if (!(error instanceof NotARunError)) throw error;
    throw new RunFolderError("FOLDER_NOT_A_RUN", error.message, { cause: error });
  }
}

function checkInput(folder: string, input: string): void {
  const isInside = dirname(resolve(input)) === resolve(folder);
  if (isInside && runFiles().isOwn(basename(input))) {
    throw new RunFolderError(
      "FOLDER_OF_INPUT",
      `${input} would be replaced by the run's own file of that name`,
    );
  }
}

/** A folder in a file's place would stop the run at its end. */
async function checkPlaces(
  folder: string,
  beside: Readonly<Record<string, RegExp>>,
): Promise<void> {
  for (const name of await ownNames(folder, runFiles(beside))) {
    if ((await stat(join(folder, name))).isDirectory()) {
      throw new RunFolderError(
        "FOLDER_NOT_A_RUN",
        `${join(folder, name)} is a folder, and the run has a file of that name to write`,
      );
    }
  }
}

/** Removes the folders that were made for a run, as far as they are empty. */
async function removeCreated(folder: string, created: string | undefined): Promise<void> {
  if (created === undefined) return;
  for (let path = resolve(folder); path.length >= created.length; path = dirname(path)) {
    const isRemoved = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}

function clock(at: number): string {
  return new Date(at).toISOString().replace("T", " ").slice(0, 19);
}
