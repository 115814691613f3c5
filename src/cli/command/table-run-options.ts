// What the user types about a run on a table, besides what is computed: tune and clean share it.

import type { Command } from "commander";
import { take, whole } from "./option-readers.ts";
import { parseNames } from "./options.ts";

/** Adds the options to a command. */
export function addTableRunOptions(command: Command): void {
  command
    .option(
      "--force",
      "replace the run in the output folder; it waits in previous/ until this one has its result",
    )
    .option("--json", "print the result as one JSON object on stdout")
    .option("--quiet", "print only the final table and the files")
    .option(
      "--exclude <e,f>",
      "columns not to use, such as ids and what is known only with the answer",
      take(parseNames, "--exclude"),
    )
    .option(
      "--min-class <n>",
      "leave out the rows of classes that have fewer than n (default: none)",
      whole("--min-class", 2),
    );
}
