// `stackelberg fewshot` and its four commands as the user types them, with the help texts.

import type { Command } from "commander";
import { UsageError } from "../command/errors.ts";
import * as parse from "../command/options.ts";
import type { EvalFlags } from "./eval/flags.ts";
import type { FewshotPredictFlags } from "./predict/command.ts";
import type { CommandDeclaration } from "../command/declaration.ts";
import { oneOf, positive, take, whole, word } from "../command/option-readers.ts";
import { batchNormModes } from "../../fewshot/internal.ts";
import { addTrain } from "./train/declaration.ts";

export const fewshotDeclaration: CommandDeclaration = {
  name: "fewshot",
  examples: [["fewshot train --budget 30m", "a few-shot learner on Omniglot"]],
  declare: addFewshot,
};

/** Adds the commands below `stackelberg fewshot`. */
function addFewshot(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("few-shot learning: train a representation, test it, label images with it")
    .allowExcessArguments(true)
    .addHelpText("after", fewshotExamples)
    .action((_options: unknown, own: Command) => {
      const [unknown] = own.args;
      throw new UsageError(
        unknown === undefined
          ? "fewshot needs a command: train, eval, table or predict; --help shows examples"
          : `fewshot has no command "${unknown}"; its commands are train, eval, table and predict`,
      );
    });
  const add = (name: string): Command =>
    command.command(name).allowExcessArguments(false).helpOption("-h, --help", "print this help");
  addTrain(add("train"), setExitCode);
  addEval(add("eval"), setExitCode);
  addTable(add("table"), setExitCode);
  addPredict(add("predict"), setExitCode);
}

function addEval(command: Command, setExitCode: (code: number) => void): void {
  command
    .allowExcessArguments(true)
    .description("test a model on listed episodes: mean accuracy with its 95 % interval")
    .option(
      "--model <path>",
      "output folder of `stackelberg fewshot train`, or a model file",
      word("--model"),
    )
    .option(
      "--data <images>",
      "omniglot or a folder, of which the test classes are taken (default: the model's)",
      word("--data"),
    )
    .option(
      "--max-unpacked <size>",
      "what an image may become at most, three bytes a pixel (default: 120MB)",
      take(parse.parseBytes, "--max-unpacked"),
    )
    .option("--episodes <n>", "test episodes (default: 600)", whole("--episodes", 2, 100_000))
    .option(
      "--seed <n>",
      "seed of the episodes, the same list for every model (default: 0)",
      take(parse.parseSeed, "--seed"),
    )
    .option(
      "--inner-steps <a,b>",
      "the numbers of inner steps T to test after (default: 1,2,3,5,8,16 and that of the training)",
      take(parseSteps, "--inner-steps"),
    )
    .option(
      "--inner-rate <rate>",
      "the follower's learning rate (default: that of the training, times the test's ways over the training's)",
      positive("--inner-rate"),
    )
    .option(
      "--batch-norm <mode>",
      "batch, support, running or all (default: all); see `fewshot train --help`",
      oneOf("--batch-norm", [...batchNormModes, "all"]),
    )
    .option("--ways <n>", "classes of an episode (default: the model's)", whole("--ways", 2))
    .option("--shots <n>", "labelled images a class (default: the model's)", whole("--shots"))
    .option("--queries <n>", "images a class to label (default: the model's)", whole("--queries"))
    .option(
      "--threads <n>",
      "threads (default: STACKELBERG_THREADS, else all cores)",
      take(parse.parseThreads, "--threads"),
    )
    .option(
      "--out <file>",
      "result file (default: beside the model, with -test-seed<n>.json)",
      word("--out"),
    )
    .option("--force", "overwrite that file")
    .option("--json", "print the result as one JSON object on stdout")
    .option("--quiet", "print no progress")
    .addHelpText("after", evalExamples)
    .action(async (flags: EvalFlags, { args: [word] }: Command) => {
      if (word !== undefined) {
        throw new UsageError(
          `fewshot eval does not know what "${word}" is for; a model goes after --model, one at a time`,
        );
      }
      const { runFewshotEval } = await import("./eval/command.ts");
      setExitCode(await runFewshotEval(flags));
    });
}

function addTable(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("compare results of `fewshot eval`, beside the published ones")
    .argument("[files...]", "JSON files of `stackelberg fewshot eval`")
    .option("--markdown", "print the table in Markdown")
    .addHelpText("after", tableExamples)
    .action(async (files: string[], flags: { markdown?: boolean }) => {
      if (files.length === 0) {
        throw new UsageError("fewshot table needs files: give the JSON files of `fewshot eval`");
      }
      const { runFewshotTable } = await import("./table/command.ts");
      setExitCode(await runFewshotTable(files, flags));
    });
}

function addPredict(command: Command, setExitCode: (code: number) => void): void {
  command
    .allowExcessArguments(true)
    .description("label images by a few labelled ones")
    .option(
      "--model <path>",
      "output folder of `stackelberg fewshot train`, or a model file (default: the Omniglot model that comes with the package)",
      word("--model"),
    )
    .option("--support <folder>", "the labelled images: folder/class/image.png", word("--support"))
    .option("--images <files...>", "the images to label, PNG or JPEG")
    .option(
      "--max-unpacked <size>",
      "what an image may become at most, three bytes a pixel (default: 120MB)",
      take(parse.parseBytes, "--max-unpacked"),
    )
    .option(
      "--inner-steps <T>",
      "steps of the follower (default: as trained)",
      whole("--inner-steps", 1, 10_000),
    )
    .option(
      "--inner-rate <rate>",
      "the follower's learning rate (default: that of the training, times the number of classes over the training's)",
      positive("--inner-rate"),
    )
    .option(
      "--batch-norm <mode>",
      "batch, support or running (default: running, for learners that adapt the encoder support: no image's label depends on the others)",
      oneOf("--batch-norm", batchNormModes),
    )
    .option("--invert", "the images are dark on light (default: as the model's)")
    .option("--no-invert", "the images are light on dark")
    .option(
      "--threads <n>",
      "threads (default: STACKELBERG_THREADS, else all cores)",
      take(parse.parseThreads, "--threads"),
    )
    .option("--out <file>", "write the labels to this CSV file (default: stdout)", word("--out"))
    .option("--force", "overwrite that file")
    .addHelpText("after", predictExamples)
    .action(async (flags: FewshotPredictFlags, { args: [word] }: Command) => {
      if (word !== undefined) {
        throw new UsageError(
          `fewshot predict does not know what "${word}" is for; the images to label go after --images, all of them`,
        );
      }
      const { runFewshotPredict } = await import("./predict/command.ts");
      setExitCode(await runFewshotPredict(flags));
    });
}

const fewshotExamples = `
Examples:
  stackelberg fewshot train --budget 30m                      Omniglot, 5-way 1-shot
  stackelberg fewshot eval --model stackelberg-hyper-representation-5way-1shot
  stackelberg fewshot predict --support letters --images new/*.png

\`stackelberg fewshot <command> --help\` lists a command's options.`;

function parseSteps(option: string, text: string): number[] {
  const steps = text.split(",").map((part) => part.trim());
  if (steps.every((part) => /^\d{1,5}$/.test(part) && Number(part) <= 10_000))
    return steps.map(Number);
  throw new UsageError(
    `${option} must be whole numbers of at most 10000 separated by commas, such as 1,5,10, not "${text}"`,
  );
}

const evalExamples = `
Examples:
  stackelberg fewshot eval --model proto
  stackelberg fewshot eval --model proto --seed 1 --episodes 1000 --batch-norm running

Query images never occur in the support set. "batch" normalizes the query images by themselves, so that their labels
depend on each other; "support" and "running" do not.`;

const tableExamples = `
Examples:
  stackelberg fewshot table */model-test-seed0.json
  stackelberg fewshot table a.json b.json --markdown`;

const predictExamples = `
Examples:
  stackelberg fewshot predict --support letters --images new/*.png
  stackelberg fewshot predict --model proto --support letters --images new/*.png --out labels.csv

The folder letters has a folder for each class, letters/a/1.png, with one image or more in each. The model that comes
with the package is for dark handwriting on light paper.`;
