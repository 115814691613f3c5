#!/usr/bin/env node
// The `stackelberg` command.

import { runCommandLine } from "./run.ts";
import { watchStandardStreams } from "./terminal/standard-streams.ts";

const streams = watchStandardStreams();
const exitCode = await runCommandLine(process.argv.slice(2), (text) => {
  process.stderr.write(text);
});
process.exitCode = await streams.finish(exitCode);
