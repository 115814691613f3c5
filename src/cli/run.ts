// One command line from words to exit code: whatever a command throws becomes a sentence on stderr.

import { CommanderError } from "commander";
import { buildCommandLine, commandLineError } from "./command-line.ts";
import { asTyped } from "./command/command-text.ts";
import { describeFailure, exitCodes } from "./command/errors.ts";
import { parseThreads } from "./command/options.ts";

/**
 * Runs one command line.
 *
 * @param words - what follows `stackelberg`.
 * @param complain - takes the lines for stderr.
 * @returns the process's exit code, see {@link exitCodes}.
 */
export async function runCommandLine(
  words: readonly string[],
  complain: (text: string) => void,
): Promise<number> {
  let exitCode: number = exitCodes.ok;
  try {
    const program = buildCommandLine((code) => {
      exitCode = code;
    });
    program.hook("preAction", checkEnvironment);
    await program.parseAsync([...words], { from: "user" });
    return exitCode;
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? commandLineError(thrown) : thrown;
    // Help and version come as errors without a sentence.
    if (error === undefined) return exitCodes.ok;
    const failure = describeFailure(error);
    complain(`stackelberg: ${asTyped(failure.sentence)}\n`);
    if (process.env["STACKELBERG_DEBUG"] === "1") complain(stacks(error));
    return failure.exitCode;
  }
}

/** The library would refuse it too, but only when the first program is compiled. */
function checkEnvironment(): void {
  const threads = process.env["STACKELBERG_THREADS"];
  if (threads) parseThreads("STACKELBERG_THREADS", threads);
}

/** The stacks of an error and of what caused it. */
function stacks(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return `${error.stack ?? error.message}\n${stacks(error.cause)}`;
}
