// `stackelberg clean` as the user types it, with its help text.

import type { CommandDeclaration } from "../command/declaration.ts";
import { oneOf, take, whole, word } from "../command/option-readers.ts";
import * as parse from "../command/options.ts";
import { addReadingOptions } from "../command/reading-options.ts";
import { addTableRunOptions } from "../command/table-run-options.ts";
import type { CleanFlags } from "./plan.ts";

export const cleanDeclaration: CommandDeclaration = {
  name: "clean",
  examples: [["clean houses.csv --target kind", "rows whose label is doubtful"]],
  declare(command, setExitCode) {
    command
      .description("rank the rows of a table by how likely their label is wrong")
      .argument("<file>", "CSV file with one row per example, also gzipped (.csv.gz)")
      .option(
        "--target <column>",
        "the column of labels: a name, a position such as 3, or last",
        word("--target"),
      )
      .option(
        "--task <task>",
        "binary or multiclass (default: inferred; whole numbers are classes here)",
        oneOf("--task", parse.tasks),
      )
      .option("--top <k>", "rows to show (default: 20)", whole("--top"))
      .option(
        "--plant <fraction>",
        "self-check: corrupt this share of the labels first and count how many are found",
        take(parse.parseFraction, "--plant"),
      )
      .option(
        "--seed <n>",
        "seed of the folds and of planted errors (default: 0)",
        take(parse.parseSeed, "--seed"),
      )
      .option(
        "--folds <n>",
        "parts of the rows, each judged by models of the others (default: 5)",
        whole("--folds", 2),
      )
      .option("--repeats <n>", "draws of the folds (default: 3)", whole("--repeats"))
      .option(
        "--threads <n>",
        "threads (default: STACKELBERG_THREADS, else all cores)",
        take(parse.parseThreads, "--threads"),
      )
      .option(
        "--out <folder>",
        "output folder (default: ./stackelberg-<file name>-clean)",
        word("--out"),
      );
    addTableRunOptions(command);
    command.addHelpText("after", cleanExamples).action(async (file: string, flags: CleanFlags) => {
      const { runClean } = await import("./command.ts");
      setExitCode(await runClean(file, flags));
    });
    addReadingOptions(command);
  },
};

const cleanExamples = `
Examples:
  stackelberg clean data.csv --target label
  stackelberg clean data.csv --target label --plant 0.1
  stackelberg clean data.csv --no-header --target last --top 50 --out doubtful

The output folder holds ranked.csv (every row's score), report.html and result.json. The file itself is
not changed. Exit codes: 0 done, 1 failure, 2 bad options or data, 130 or 143 interrupted by Ctrl-C or
SIGTERM (nothing is written).`;
