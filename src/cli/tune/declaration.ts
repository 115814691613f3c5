// `stackelberg tune` as the user types it, with its help text.

import type { CommandDeclaration } from "../command/declaration.ts";
import { oneOf, take, whole, word } from "../command/option-readers.ts";
import * as parse from "../command/options.ts";
import { addReadingOptions } from "../command/reading-options.ts";
import { addTableRunOptions } from "../command/table-run-options.ts";
import type { TuneFlags } from "./plan.ts";

export const tuneDeclaration: CommandDeclaration = {
  name: "tune",
  examples: [
    ["tune --demo", "a first result without any data"],
    ["tune houses.csv --target price", "tune, compare and write a model"],
  ],
  declare(command, setExitCode) {
    command
      .description(
        "learn a model from a table, with one L2 coefficient per column tuned by hypergradients",
      )
      .argument("[file]", "CSV file with one row per example, also gzipped (.csv.gz)")
      .option(
        "--target <column>",
        "the column to predict: a name, a position such as 3, or last",
        word("--target"),
      )
      .option(
        "--task <task>",
        "regression, binary or multiclass (default: inferred)",
        oneOf("--task", parse.tasks),
      )
      .option(
        "--holdout <fraction>",
        "rows kept for testing (default: 0.2)",
        take(parse.parseFraction, "--holdout"),
      )
      .option(
        "--folds <n>",
        "parts of the other rows on which coefficients are judged, each held out once (default: 5)",
        whole("--folds", 2),
      )
      .option(
        "--validation <fraction>",
        "judge on one part of the rows, such as 0.2, in place of folds",
        take(parse.parseFraction, "--validation"),
      )
      .option("--seed <n>", "seed of the splits (default: 0)", take(parse.parseSeed, "--seed"))
      .option("--repeats <n>", "independent random splits (default: 5)", whole("--repeats"))
      .option("--steps <n>", "tuning steps per split at most (default: 60)", whole("--steps"))
      .option(
        "--rule <name>",
        "hypergradient rule, such as reverse, implicit or truncated; auto measures the problem and picks; `stackelberg rules` describes them (default: reverse)",
        word("--rule"),
      )
      .option(
        "--budget <time>",
        "time for everything, such as 500ms, 60s or 2m (default: none)",
        take(parse.parseDuration, "--budget"),
      )
      .option(
        "--threads <n>",
        "threads (default: STACKELBERG_THREADS, else all cores)",
        take(parse.parseThreads, "--threads"),
      )
      .option(
        "--device <device>",
        "cpu, webgpu, cuda or wasm (default: cpu)",
        oneOf("--device", parse.devices),
      )
      .option(
        "--out <folder>",
        "output folder (default: ./stackelberg-<file name>)",
        word("--out"),
      );
    addTableRunOptions(command);
    command
      .option("--demo", "generate a data set whose answer is known and tune it")
      .option(
        "--resume <folder>",
        "go on with the interrupted run of this output folder",
        word("--resume"),
      )
      .addHelpText("after", tuneExamples)
      .action(async (file: string | undefined, flags: TuneFlags) => {
        const { runTune } = await import("./command.ts");
        setExitCode(await runTune(file, flags));
      });
    addReadingOptions(command);
  },
};

const tuneExamples = `
Examples:
  stackelberg tune --demo
  stackelberg tune adult.csv --target income
  stackelberg tune houses.csv.gz --target price --task regression --budget 60s --out houses
  stackelberg tune adult.csv --target income --rule auto
  stackelberg tune data.csv --no-header --target last --categorical c2,c5
  stackelberg tune --resume houses

The output folder holds model.onnx and model.json (the model), report.html (open it in a browser),
result.json (every number) and checkpoint.json (for --resume). Ctrl-C stops cleanly and saves.
Exit codes: 0 done, 1 failure, 2 bad options or data, 130 or 143 interrupted by Ctrl-C or SIGTERM.`;
