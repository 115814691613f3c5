// Standard output and standard error as a Unix tool has them: what they do not take is one sentence, and a reader that stops
// early (`| head`) is none. The command comes to its end first, for its files matter more than what it prints.

import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { describeFailure, exitCodes } from "../command/errors.ts";

/** The streams of this process while they are watched. */
export interface StandardStreams {
  /**
   * Waits until everything is written, and says what could not be.
   *
   * @param exitCode - of the command.
   * @returns that of the process.
   */
  finish(exitCode: number): Promise<number>;
}

/** What a shell reports of a tool whose reader is gone: such a tool is ended by SIGPIPE, which Node does not listen to. */
const readerIsGone = 128 + (constants.signals.SIGPIPE ?? 13);

/** From now on an error of a stream is kept until the end, and a file gets every byte or an error. */
export function watchStandardStreams(
  stdout: Writable & { fd: number } = process.stdout,
  stderr: Writable & { fd: number } = process.stderr,
): StandardStreams {
  const failures = [stdout, stderr].map((stream) => {
    const found: { first?: NodeJS.ErrnoException } = {};
    stream.on("error", (error) => (found.first ??= error));
    if (!(stream instanceof Socket)) stream._write = writingAll(stream.fd);
    return found;
  });
  return {
    async finish(exitCode) {
      await written(stdout);
      await written(stderr);
      const [out, err] = failures.map(({ first }) => first);
      if (out !== undefined && out.code !== "EPIPE") {
        stderr.write(`stackelberg: ${sentenceOf(out)}\n`);
        await written(stderr);
        return exitCode || exitCodes.usage;
      }
      // Notes are lost, and there is no place left to say so.
      if (err !== undefined && err.code !== "EPIPE") return exitCode || exitCodes.usage;
      return out === undefined ? exitCode : exitCode || readerIsGone;
    },
  };
}

/** Node's own takes what one call writes for all: a disk that becomes full in it would cut the output without an error. */
function writingAll(fd: number): Writable["_write"] {
  return (chunk: Uint8Array, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

/** Once what was given to a stream is written or has failed, and the error told. */
async function written(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
}

function sentenceOf(error: NodeJS.ErrnoException): string {
  error.path = "standard output";
  const { exitCode, sentence } = describeFailure(error);
  return exitCode === exitCodes.usage
    ? sentence
    : `standard output could not be written (${error.code ?? error.message})`;
}
