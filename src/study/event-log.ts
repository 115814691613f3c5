/**
 * events.jsonl: one event a line, in order, each with a checksum over itself and all lines before it.
 *
 * What holds: a line that was written never changes. One process at a time appends (the run folder's lock sees to it); any
 * number may read meanwhile. A kill leaves whole lines and at most one torn one at the end, which a reader leaves out and
 * the next writer cuts off. A log that cannot be written is told once and stops no run.
 */
import { open, type FileHandle } from "node:fs/promises";
import * as v from "valibot";
import { crc32, DamagedFileError, readRegularFile } from "../files/index.ts";
import { runEventSchema, type RunEvent, type RunHappening } from "./run-event.ts";

/** Name of the log in a run's folder. */
export const eventLogName = "events.jsonl";

/**
 * Steps are written at most this often, in milliseconds. The last one before a pause or another event always is, and the
 * first one of something else that is done.
 */
const stepEveryMs = 1000;

/** A log that is open for writing. */
export interface EventLog {
  /** Writes an event, in the order of the calls; steps that come too fast are left out. */
  append(event: RunHappening): void;
  /** Resolves when everything is in the file. */
  close(): Promise<void>;
}

/** What {@link openEventLog} may be told. */
export interface EventLogOptions {
  /** Given the first error of writing; the log is silent afterwards. */
  readonly onTrouble: (error: Error) => void;
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Opens the log of a run for writing, behind the whole lines that are there. The file is made with its first event.
 *
 * @param run - names the run; a log that has events already goes on with their name.
 * @throws {@link DamagedFileError} when a line but the last is not what was written.
 */
export async function openEventLog(
  path: string,
  run: string,
  options: EventLogOptions,
): Promise<EventLog> {
  const { onTrouble, now = Date.now } = options;
  const { events, bytes, sum } = await readWhole(path);
  const name = events[0]?.run ?? run;
  let chain = sum;
  let failed = false;
  let held: RunEvent | undefined;
  let stepAt = -Infinity;
  let doing: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let file: FileHandle | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const write = (event: RunEvent): void => {
    const line = lineOf(event, chain);
    chain = line.sum;
    queue = queue
      .then(async () => {
        if (failed) return;
        file ??= await openAt(path, bytes);
        await file.appendFile(line.text);
      })
      .catch((error: unknown) => {
        if (!failed) onTrouble(error as Error);
        failed = true;
      });
  };
  const writeHeld = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (held !== undefined) write(held);
    held = undefined;
  };
  return {
    append(happening) {
      const event: RunEvent = { at: now(), run: name, ...happening };
      if (event.type !== "step") {
        writeHeld();
        stepAt = -Infinity;
        return write(event);
      }
      held = event;
      const early = stepAt + stepEveryMs - event.at;
      if (early > 0 && event.doing === doing) {
        timer ??= setTimeout(writeHeld, early).unref();
        return;
      }
      stepAt = event.at;
      doing = event.doing;
      writeHeld();
    },
    async close() {
      writeHeld();
      await queue;
      await file?.close();
      failed = true;
    },
  };
}

/** The events of a log, and whether its last line was torn off by a kill. */
export interface ReadEvents {
  readonly events: readonly RunEvent[];
  readonly torn: boolean;
}

/**
 * Reads a log; there is none in a folder without events.
 *
 * @throws {@link DamagedFileError} when a line but the last is not what was written.
 */
export async function readEvents(path: string): Promise<ReadEvents> {
  const { events, bytes, size } = await readWhole(path);
  return { events, torn: bytes < size };
}

interface WholeLines {
  readonly events: readonly RunEvent[];
  /** Bytes of the whole lines, and of the file. */
  readonly bytes: number;
  readonly size: number;
  /** Checksum of the last whole line. */
  readonly sum: string;
}

const noLines = "00000000";
const encoder = new TextEncoder();

async function readWhole(path: string): Promise<WholeLines> {
  const file = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return new Uint8Array();
    throw error;
  });
  const events: RunEvent[] = [];
  let sum = noLines;
  let start = 0;
  for (let end = file.indexOf(10); end >= 0; end = file.indexOf(10, start)) {
    const line = new TextDecoder().decode(file.subarray(start, end));
    const event = eventOf(line, sum);
    if (event === undefined) {
      throw new DamagedFileError(
        `${path} is damaged at line ${events.length + 1}: put a copy of it back, or remove it; the run needs it no more than its readers do`,
      );
    }
    events.push(event.event);
    sum = event.sum;
    start = end + 1;
  }
  return { events, bytes: start, size: file.length, sum };
}

/** A line's text with its checksum over the one before and everything of its own in front of it. */
function lineOf(event: RunEvent, before: string): { text: string; sum: string } {
  const open = `${JSON.stringify(event).slice(0, -1)},"sum":"`;
  const sum = crc32(encoder.encode(before), encoder.encode(open));
  return { text: `${open}${sum}"}\n`, sum };
}

function eventOf(line: string, before: string): { event: RunEvent; sum: string } | undefined {
  const sum = /,"sum":"([0-9a-f]{8})"\}$/.exec(line)?.[1];
  if (sum === undefined) return undefined;
  const open = line.slice(0, -10);
  if (crc32(encoder.encode(before), encoder.encode(open)) !== sum) return undefined;
  const found = v.safeParse(runEventSchema, JSON.parse(line));
  return found.success ? { event: found.output, sum } : undefined;
}

/** Opened for appending, without what a kill left behind the last whole line. */
async function openAt(path: string, bytes: number): Promise<FileHandle> {
  const file = await open(path, "a");
  try {
    await file.truncate(bytes);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}
