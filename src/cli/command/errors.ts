// What the command line says when something goes wrong, and the exit code that goes with it.
// Everything that a person can put right is one sentence and code 2; the rest is code 1.

import { NotAFileError } from "../../files/index.ts";
import { withOptionNames } from "./option-name.ts";
import type { RunFolderCode } from "../../study/index.ts";

/** Exit codes of the `stackelberg` command. */
export const exitCodes = {
  ok: 0,
  /** A failure that nobody at the keyboard can help: a defect, a crashed runtime. */
  failure: 1,
  /** Bad options, bad data, a folder that cannot be written or a full disk: the sentence on stderr says what to change. */
  usage: 2,
} as const;

/** Wrong use of the command line: a sentence without a stack, exit code 2. */
export class UsageError extends Error {
  readonly code = "USAGE";
  override readonly name = "UsageError";
}

/** A failure as the command line reports it. */
export interface Failure {
  exitCode: number;
  /** One clear sentence, on one line, without control characters. */
  sentence: string;
}

/**
 * Turns anything thrown into a sentence and an exit code.
 *
 * Errors with the codes `USAGE` and `DATA` carry their own sentence (exit 2); system errors are
 * named by what happened to which path; whatever else arrives is a defect (exit 1).
 */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return {
      exitCode: exitCodes.failure,
      sentence: oneLine(`unexpected failure: ${String(error)}`),
    };
  }
  const code = (error as { code?: unknown }).code;
  if (code === "USAGE" || code === "DATA") {
    const sentence = error.name === "FewshotError" ? withOptionNames(error.message) : error.message;
    return { exitCode: exitCodes.usage, sentence: oneLine(sentence) };
  }
  // Not asked by its class, which an error loses on its way from another thread.
  const advice = folderAdvice[code as RunFolderCode];
  if (advice !== undefined) {
    return { exitCode: exitCodes.usage, sentence: oneLine(`${error.message}; ${advice}`) };
  }
  if (error instanceof NotAFileError) {
    return { exitCode: exitCodes.usage, sentence: oneLine(`${error.path}: ${error.message}`) };
  }
  const system = systemFailure(error as NodeJS.ErrnoException);
  if (system !== undefined) return system;
  return {
    exitCode: exitCodes.failure,
    sentence: oneLine(`internal error: ${error.message} (STACKELBERG_DEBUG=1 shows the stack)`),
  };
}

const folderAdvice: Readonly<Record<RunFolderCode, string | undefined>> = {
  FOLDER_IS_FILE: "choose another name",
  FOLDER_NOT_EMPTY:
    "use --force to overwrite it, --out for another one, or --resume to go on with an interrupted run",
  FOLDER_NO_PLACE: "choose another place",
  FOLDER_NOT_WRITABLE: "choose another place with --out",
  FOLDER_IN_USE: "wait for its end, or choose another folder",
  FOLDER_NOT_A_RUN: "move it away, or choose another --out",
  FOLDER_OF_INPUT: "choose another --out",
};

const systemSentences: Record<string, readonly [exitCode: number, sentence: string]> = {
  ENOENT: [exitCodes.usage, "does not exist"],
  EACCES: [exitCodes.usage, "may not be read or written by this user"],
  EPERM: [exitCodes.usage, "may not be read or written by this user"],
  EISDIR: [exitCodes.usage, "is a folder, a file was expected"],
  ENOTDIR: [exitCodes.usage, "lies under something that is not a folder"],
  ELOOP: [exitCodes.usage, "leads through links in a circle"],
  EROFS: [exitCodes.usage, "is on a read-only file system"],
  ENAMETOOLONG: [exitCodes.usage, "is too long a name for the file system"],
  EEXIST: [exitCodes.usage, "exists already"],
  ENOSPC: [
    exitCodes.usage,
    "could not be written: the disk is full; files written earlier are intact",
  ],
  EDQUOT: [
    exitCodes.usage,
    "could not be written: the disk quota is used up; files written earlier are intact",
  ],
  EFBIG: [
    exitCodes.usage,
    "could not be written: it is longer than files may be here; files written earlier are intact",
  ],
  EMFILE: [exitCodes.failure, "could not be opened: too many open files"],
};

function systemFailure(error: NodeJS.ErrnoException): Failure | undefined {
  const known = systemSentences[error.code ?? ""];
  if (known === undefined) return undefined;
  return { exitCode: known[0], sentence: oneLine(`${error.path ?? "a file"} ${known[1]}`) };
}

/** Collapses line breaks and drops control characters: user text must not steer a terminal. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\s*[\r\n]+\s*/g, " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
}
