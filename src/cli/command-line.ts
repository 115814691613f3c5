// The commands and their options as the user types them, with the help texts. Values are parsed in
// options.ts; the commands themselves are loaded only when they run, so that help is instant.

import { Command, type CommanderError } from "commander";
import type { CleanFlags } from "./clean/plan.ts";
import type { PredictFlags } from "./predict/command.ts";
import { asTyped } from "./command/command-text.ts";
import { UsageError } from "./command/errors.ts";
import { addFewshot } from "./fewshot/command.ts";
import * as parse from "./command/options.ts";
import { addReadingOptions } from "./command/reading-options.ts";
import type { TuneFlags } from "./tune/plan.ts";
import { packageVersion } from "../study/index.ts";

/** Builds the parser; `setExitCode` is told what the command that ran returns. */
export function buildCommandLine(setExitCode: (code: number) => void): Command {
  const program = new Command("stackelberg")
    .description("Tune a model's hyperparameters by gradients through its training.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
      writeOut: (text) => process.stdout.write(asTyped(text)),
    })
    .addHelpText("after", programExamples)
    .allowExcessArguments(true)
    .action((_options: unknown, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) {
        throw new UsageError(
          `there is no command "${unknown}"; the commands are tune, predict, clean, fewshot, rules and doctor`,
        );
      }
      throw new UsageError(
        "no command given; try `stackelberg tune data.csv --target column` or --help",
      );
    });
  const add = (name: string): Command =>
    program.command(name).allowExcessArguments(false).helpOption("-h, --help", "print this help");
  addTune(add("tune"), setExitCode);
  addPredict(add("predict"), setExitCode);
  addClean(add("clean"), setExitCode);
  addFewshot(add("fewshot"), take, setExitCode);
  addRules(add("rules"), setExitCode);
  addDoctor(add("doctor"), setExitCode);
  return program;
}

/** The parser's own complaint as a sentence; `undefined` for help and version. */
export function commandLineError(error: CommanderError): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  const message = error.message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/^option '([^ ,']+)[^']*' argument missing$/, "$1 needs a value")
    .replace(/^missing required argument '(.*)'$/, "the $1 is missing")
    .replace(
      /^too many arguments for '(.*)'\. Expected (\d+) arguments? but got (\d+)\.?$/,
      tooMany,
    );
  return new UsageError(`${message}; --help lists what is understood`);
}

function tooMany(_: string, command: string, expected: string, got: string): string {
  const files = expected === "1" ? "1 file or folder" : `${expected} files or folders`;
  return `${command} takes ${files}, ${got} words came; put names that contain spaces in quotes`;
}

/** An option that takes a value: a following option is not swallowed as that value. */
function take<T>(read: (option: string, text: string) => T, option: string): (text: string) => T {
  return (text) => {
    if (/^--[a-z]/.test(text)) {
      throw new UsageError(
        `${option} needs a value, but ${text} follows; for a value that starts with dashes write ${option}=${text}`,
      );
    }
    return read(option, text);
  };
}

const word = (option: string, text: string): string => {
  if (text === "") throw new UsageError(`${option} needs a value, not an empty one`);
  return text;
};
const atLeast =
  (least: number) =>
  (option: string, text: string): number =>
    parse.parseWhole(option, text, least);
const oneOf =
  <T extends string>(choices: readonly T[]) =>
  (option: string, text: string): T =>
    parse.parseChoice(option, text, choices);

function addTune(command: Command, setExitCode: (code: number) => void): void {
  command
    .description(
      "learn a model from a table, with one L2 coefficient per column tuned by hypergradients",
    )
    .argument("[file]", "CSV file with one row per example, also gzipped (.csv.gz)")
    .option(
      "--target <column>",
      "the column to predict: a name, a position such as 3, or last",
      take(word, "--target"),
    )
    .option(
      "--task <task>",
      "regression, binary or multiclass (default: inferred)",
      take(oneOf(parse.tasks), "--task"),
    )
    .option(
      "--holdout <fraction>",
      "rows kept for testing (default: 0.2)",
      take(parse.parseFraction, "--holdout"),
    )
    .option(
      "--folds <n>",
      "parts of the other rows on which coefficients are judged, each held out once (default: 5)",
      take(atLeast(2), "--folds"),
    )
    .option(
      "--validation <fraction>",
      "judge on one part of the rows, such as 0.2, in place of folds",
      take(parse.parseFraction, "--validation"),
    )
    .option("--seed <n>", "seed of the splits (default: 0)", take(parse.parseSeed, "--seed"))
    .option(
      "--repeats <n>",
      "independent random splits (default: 5)",
      take(atLeast(1), "--repeats"),
    )
    .option(
      "--steps <n>",
      "tuning steps per split at most (default: 60)",
      take(atLeast(1), "--steps"),
    )
    .option(
      "--rule <name>",
      "hypergradient rule, such as reverse, implicit or truncated; auto measures the problem and picks; `stackelberg rules` describes them (default: reverse)",
      take(word, "--rule"),
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
      take(oneOf(parse.devices), "--device"),
    )
    .option(
      "--out <folder>",
      "output folder (default: ./stackelberg-<file name>)",
      take(word, "--out"),
    )
    .option(
      "--force",
      "replace the run in the output folder; it waits in previous/ until this one has its result",
    )
    .option("--json", "print the result as one JSON object on stdout")
    .option("--quiet", "print only the final table and the files")
    .option(
      "--exclude <e,f>",
      "columns not to use, such as ids and what is known only with the answer",
      take(parse.parseNames, "--exclude"),
    )
    .option(
      "--min-class <n>",
      "leave out the rows of classes that have fewer than n (default: none)",
      take(atLeast(2), "--min-class"),
    )
    .option("--demo", "generate a data set whose answer is known and tune it")
    .option(
      "--resume <folder>",
      "go on with the interrupted run of this output folder",
      take(word, "--resume"),
    )
    .addHelpText("after", tuneExamples)
    .action(async (file: string | undefined, flags: TuneFlags) => {
      const { runTune } = await import("./tune/command.ts");
      setExitCode(await runTune(file, flags));
    });
  addReadingOptions(command, take);
}

function addPredict(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("predict the rows of a new table with a tuned model")
    .argument("<folder>", "output folder of `stackelberg tune`")
    .argument("<file>", "CSV file with the columns that the model was trained on")
    .option(
      "--out <file>",
      "write the predictions to this file (default: stdout)",
      take(word, "--out"),
    )
    .option("--id <column>", "carry this column of the file to the output", take(word, "--id"))
    .option("--force", "overwrite that file")
    .addHelpText("after", predictExamples)
    .action(async (folder: string, file: string, flags: PredictFlags) => {
      const { runPredict } = await import("./predict/command.ts");
      setExitCode(await runPredict(folder, file, flags));
    });
  addReadingOptions(command, take, { kinds: false });
}

function addClean(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("rank the rows of a table by how likely their label is wrong")
    .argument("<file>", "CSV file with one row per example, also gzipped (.csv.gz)")
    .option(
      "--target <column>",
      "the column of labels: a name, a position such as 3, or last",
      take(word, "--target"),
    )
    .option(
      "--task <task>",
      "binary or multiclass (default: inferred; whole numbers are classes here)",
      take(oneOf(parse.tasks), "--task"),
    )
    .option("--top <k>", "rows to show (default: 20)", take(atLeast(1), "--top"))
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
      take(atLeast(2), "--folds"),
    )
    .option("--repeats <n>", "draws of the folds (default: 3)", take(atLeast(1), "--repeats"))
    .option(
      "--threads <n>",
      "threads (default: STACKELBERG_THREADS, else all cores)",
      take(parse.parseThreads, "--threads"),
    )
    .option(
      "--out <folder>",
      "output folder (default: ./stackelberg-<file name>-clean)",
      take(word, "--out"),
    )
    .option(
      "--force",
      "replace the run in the output folder; it waits in previous/ until this one has its result",
    )
    .option("--json", "print the result as one JSON object on stdout")
    .option("--quiet", "print only the final table and the files")
    .option(
      "--exclude <e,f>",
      "columns not to use, such as ids and what is known only with the answer",
      take(parse.parseNames, "--exclude"),
    )
    .option(
      "--min-class <n>",
      "leave out the rows of classes that have fewer than n (default: none)",
      take(atLeast(2), "--min-class"),
    )
    .addHelpText("after", cleanExamples)
    .action(async (file: string, flags: CleanFlags) => {
      const { runClean } = await import("./clean/command.ts");
      setExitCode(await runClean(file, flags));
    });
  addReadingOptions(command, take);
}

function addRules(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("list the hypergradient rules: what each needs, costs and keeps in memory")
    .option("--json", "print the rules as one JSON array, with biases, failures and sources")
    .action(async (flags: { json?: boolean }) => {
      const { runRules } = await import("./rules/command.ts");
      setExitCode(runRules(flags));
    });
}

function addDoctor(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("say which devices and threads work here and run a one-second self-check")
    .option("--json", "print the findings as one JSON object")
    .option(
      "--probe <device>",
      "try one device and print what happened",
      take(oneOf(parse.devices), "--probe"),
    )
    .action(async (flags: { json?: boolean; probe?: parse.Device }) => {
      const { runDoctor } = await import("./doctor/command.ts");
      setExitCode(await runDoctor(flags));
    });
}

const programExamples = `
Examples:
  stackelberg tune --demo                          a first result without any data
  stackelberg tune houses.csv --target price       tune, compare and write a model
  stackelberg predict stackelberg-houses new.csv   predictions for new rows
  stackelberg clean houses.csv --target kind       rows whose label is doubtful
  stackelberg fewshot train --budget 30m           a few-shot learner on Omniglot
  stackelberg rules                                the ways to a hypergradient
  stackelberg doctor                               what works on this machine

\`stackelberg <command> --help\` lists a command's options.`;

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

const cleanExamples = `
Examples:
  stackelberg clean data.csv --target label
  stackelberg clean data.csv --target label --plant 0.1
  stackelberg clean data.csv --no-header --target last --top 50 --out doubtful

The output folder holds ranked.csv (every row's score), report.html and result.json. The file itself is
not changed. Exit codes: 0 done, 1 failure, 2 bad options or data, 130 or 143 interrupted by Ctrl-C or
SIGTERM (nothing is written).`;

const predictExamples = `
Examples:
  stackelberg predict stackelberg-adult new.csv
  stackelberg predict stackelberg-adult new.csv --id name --out predictions.csv

Where the file has the target, the predictions are scored by it. What differs from the training file,
such as levels that it did not have, is counted on stderr.`;
