#!/usr/bin/env node
// The `stackelberg` command: reads the words, hands over to one command, and turns whatever it
// throws into a sentence on stderr and an exit code.

import { CommanderError } from "commander";
import { buildCommandLine, commandLineError } from "./command-line.ts";
import { describeFailure, exitCodes } from "./errors.ts";

/** Runs one command line; the result is the process's exit code. */
async function run(words: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  try {
    const program = buildCommandLine((code) => {
      exitCode = code;
    });
    await program.parseAsync([...words], { from: "user" });
    return exitCode;
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? commandLineError(thrown) : thrown;
    // Help and version come as errors without a sentence.
    if (error === undefined) return exitCodes.ok;
    const failure = describeFailure(error);
    process.stderr.write(`stackelberg: ${failure.sentence}\n`);
    if (process.env["STACKELBERG_DEBUG"] === "1" && error instanceof Error) {
      process.stderr.write(`${error.stack ?? ""}\n`);
      if (error.cause instanceof Error) {
        process.stderr.write(`cause: ${error.cause.stack ?? error.cause.message}\n`);
      }
    }
    return failure.exitCode;
  }
}

// A reader that stops early (`| head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
});

process.exitCode = await run(process.argv.slice(2));
