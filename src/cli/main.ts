#!/usr/bin/env node
// The `stackelberg` command.

import { exitCodes } from "./command/errors.ts";
import { runCommandLine } from "./run.ts";

// A reader that stops early (`| head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
});

process.exitCode = await runCommandLine(process.argv.slice(2), (text) => {
  process.stderr.write(text);
});
