// `stackelberg fewshot` and its four commands as the user types them, with the help texts.

import type { Command } from "commander";
import type { OmniglotSplit } from "../../data/index.ts";
import { UsageError } from "../errors.ts";
import * as parse from "../options.ts";
import type { EvalFlags } from "../commands/fewshot-eval.ts";
import type { FewshotPredictFlags } from "../commands/fewshot-predict.ts";
import { batchNormModes, learnerNames, ruleNames } from "./settings.ts";
import type { TrainFlags } from "./train-plan.ts";

/** A reader of an option's value that does not take a following option for it. */
type Take = <T>(read: (option: string, text: string) => T, option: string) => (text: string) => T;

const splits: readonly OmniglotSplit[] = ["1200/100/323", "1100/100/423", "vinyals"];

/** Adds the commands below `stackelberg fewshot`. */
export function addFewshot(
  command: Command,
  take: Take,
  setExitCode: (code: number) => void,
): void {
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
  addTrain(add("train"), take, setExitCode);
  addEval(add("eval"), take, setExitCode);
  addTable(add("table"), setExitCode);
  addPredict(add("predict"), take, setExitCode);
}

/** Readers of the commands' own values. */
function readers(take: Take): {
  word(option: string): (text: string) => string;
  whole(option: string, least?: number): (text: string) => number;
  oneOf<T extends string>(option: string, choices: readonly T[]): (text: string) => T;
  positive(option: string): (text: string) => number;
} {
  return {
    word: (option) => take(parseWord, option),
    whole: (option, least = 1) => take((name, text) => parse.parseWhole(name, text, least), option),
    oneOf: (option, choices) =>
      take((name, text) => parse.parseChoice(name, text, choices), option),
    positive: (option) => take(parsePositive, option),
  };
}

function addTrain(command: Command, take: Take, setExitCode: (code: number) => void): void {
  const { word, whole, oneOf, positive } = readers(take);
  command
    .description("train a few-shot learner on episodes")
    .option(
      "--data <images>",
      "omniglot, or a folder of class folders with PNG or JPEG images (default: omniglot)",
      word("--data"),
    )
    .option(
      "--split <split>",
      `Omniglot's characters: ${splits.join(", ")} (default: ${splits[0]})`,
      oneOf("--split", splits),
    )
    .option("--size <pixels>", "side that images are resized to (default: 28)", whole("--size"))
    .option("--color", "read a folder's images in color (default: gray)")
    .option("--invert", "a folder's images are dark on light, such as ink on paper")
    .option(
      "--learner <name>",
      `${learnerNames.join(", ")} (default: ${learnerNames[0]})`,
      oneOf("--learner", learnerNames),
    )
    .option("--ways <n>", "classes of an episode (default: 5)", whole("--ways", 2))
    .option("--shots <n>", "labelled images a class (default: 1)", whole("--shots"))
    .option("--queries <n>", "images a class to label (default: 15)", whole("--queries"))
    .option(
      "--train-ways <n>",
      "classes of a training episode (default: --ways)",
      whole("--train-ways", 2),
    )
    .option(
      "--train-shots <n>",
      "labelled images a class in training (default: --shots)",
      whole("--train-shots"),
    )
    .option(
      "--train-queries <n>",
      "images a class to label in training (default: --queries)",
      whole("--train-queries"),
    )
    .option(
      "--tasks <n>",
      "episodes of an outer step, the meta-batch (default: 4)",
      whole("--tasks"),
    )
    .option("--steps <n>", "outer steps at most (default: 20000)", whole("--steps"))
    .option(
      "--budget <time>",
      "time of this call, such as 90s, 30m or 2h (default: none)",
      take(parse.parseDuration, "--budget"),
    )
    .option(
      "--inner-steps <T>",
      "steps of the follower in training (default: the learner's)",
      whole("--inner-steps"),
    )
    .option(
      "--inner-rate <rate>",
      "the follower's learning rate, or where it starts (default: 0.1)",
      positive("--inner-rate"),
    )
    .option(
      "--rule <rule>",
      `hypergradient rule: ${ruleNames.join(", ")} (default: the learner's)`,
      oneOf("--rule", ruleNames),
    )
    .option(
      "--rate <rate>",
      "the leader's learning rate (default: 0.001, for reptile 1)",
      positive("--rate"),
    )
    .option(
      "--filters <n>",
      "channels of each of the encoder's four blocks (default: 64)",
      whole("--filters"),
    )
    .option(
      "--variant <kind>",
      "how a block halves the image: strided or pooled (default: strided)",
      oneOf("--variant", ["strided", "pooled"]),
    )
    .option(
      "--batch-norm <mode>",
      "what normalizes at validation: batch, each set by itself; support, both by the support set; running, by training images (default: batch)",
      oneOf("--batch-norm", batchNormModes),
    )
    .option("--every <n>", "steps between two validations (default: 200)", whole("--every"))
    .option(
      "--validation-episodes <n>",
      "episodes of a validation (default: 200)",
      whole("--validation-episodes", 2),
    )
    .option(
      "--patience <n>",
      "validations without a better one before it ends (default: 30)",
      whole("--patience"),
    )
    .option(
      "--seed <n>",
      "seed of the first weights and of the episodes (default: 0)",
      take(parse.parseSeed, "--seed"),
    )
    .option(
      "--from <model>",
      "start from a model instead of random weights: a run's folder or a model file",
      word("--from"),
    )
    .option(
      "--threads <n>",
      "threads (default: the runtime's choice)",
      take(parse.parseThreads, "--threads"),
    )
    .option(
      "--out <folder>",
      "output folder (default: ./stackelberg-<learner>-<ways>way-<shots>shot)",
      word("--out"),
    )
    .option("--force", "overwrite the run in the output folder")
    .option(
      "--resume <folder>",
      "go on with the run in this folder; takes --steps, --budget, --threads",
      word("--resume"),
    )
    .option("--quiet", "print only the result")
    .addHelpText("after", trainExamples)
    .action(async (flags: TrainFlags) => {
      const { runFewshotTrain } = await import("../commands/fewshot-train.ts");
      setExitCode(await runFewshotTrain(flags));
    });
}

function addEval(command: Command, take: Take, setExitCode: (code: number) => void): void {
  const { word, whole, oneOf } = readers(take);
  command
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
    .option("--episodes <n>", "test episodes (default: 600)", whole("--episodes", 2))
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
      "--batch-norm <mode>",
      "batch, support, running or all (default: all); see `fewshot train --help`",
      oneOf("--batch-norm", [...batchNormModes, "all"]),
    )
    .option("--ways <n>", "classes of an episode (default: the model's)", whole("--ways", 2))
    .option("--shots <n>", "labelled images a class (default: the model's)", whole("--shots"))
    .option("--queries <n>", "images a class to label (default: the model's)", whole("--queries"))
    .option(
      "--threads <n>",
      "threads (default: the runtime's choice)",
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
    .action(async (flags: EvalFlags) => {
      const { runFewshotEval } = await import("../commands/fewshot-eval.ts");
      setExitCode(await runFewshotEval(flags));
    });
}

function addTable(command: Command, setExitCode: (code: number) => void): void {
  command
    .description("compare results of `fewshot eval`, beside the published ones")
    .argument("<files...>", "JSON files of `stackelberg fewshot eval`")
    .option("--markdown", "print the table in Markdown")
    .addHelpText("after", tableExamples)
    .action(async (files: string[], flags: { markdown?: boolean }) => {
      const { runFewshotTable } = await import("../commands/fewshot-table.ts");
      setExitCode(await runFewshotTable(files, flags));
    });
}

function addPredict(command: Command, take: Take, setExitCode: (code: number) => void): void {
  const { word, whole, oneOf } = readers(take);
  command
    .description("label images by a few labelled ones")
    .option(
      "--model <path>",
      "output folder of `stackelberg fewshot train`, or a model file (default: the Omniglot model that comes with the package)",
      word("--model"),
    )
    .option("--support <folder>", "the labelled images: folder/class/image.png", word("--support"))
    .option("--images <files...>", "the images to label, PNG or JPEG")
    .option(
      "--inner-steps <T>",
      "steps of the follower (default: as trained)",
      whole("--inner-steps"),
    )
    .option(
      "--batch-norm <mode>",
      "batch, support or running (default: running, so that no image's label depends on the others)",
      oneOf("--batch-norm", batchNormModes),
    )
    .option("--invert", "the images are dark on light (default: as the model's)")
    .option("--no-invert", "the images are light on dark")
    .option(
      "--threads <n>",
      "threads (default: the runtime's choice)",
      take(parse.parseThreads, "--threads"),
    )
    .option("--out <file>", "write the labels to this CSV file (default: stdout)", word("--out"))
    .option("--force", "overwrite that file")
    .addHelpText("after", predictExamples)
    .action(async (flags: FewshotPredictFlags) => {
      const { runFewshotPredict } = await import("../commands/fewshot-predict.ts");
      setExitCode(await runFewshotPredict(flags));
    });
}

function parseSteps(option: string, text: string): number[] {
  const steps = text.split(",").map((part) => part.trim());
  if (steps.every((part) => /^\d{1,6}$/.test(part))) return steps.map(Number);
  throw new UsageError(
    `${option} must be whole numbers separated by commas, such as 1,5,10, not "${text}"`,
  );
}

function parseWord(option: string, text: string): string {
  if (text === "") throw new UsageError(`${option} needs a value, not an empty one`);
  return text;
}

function parsePositive(option: string, text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : 0;
  if (value > 0 && value < Infinity) return value;
  throw new UsageError(`${option} must be a number above 0, such as 0.1, not "${text}"`);
}

const fewshotExamples = `
Examples:
  stackelberg fewshot train --budget 30m                      Omniglot, 5-way 1-shot
  stackelberg fewshot eval --model stackelberg-hyper-representation-5way-1shot
  stackelberg fewshot predict --support letters --images new/*.png

\`stackelberg fewshot <command> --help\` lists a command's options.`;

const trainExamples = `
Examples:
  stackelberg fewshot train --ways 5 --shots 1 --budget 30m
  stackelberg fewshot train --learner prototypical --ways 20 --shots 1 --out proto
  stackelberg fewshot train --data letters --invert --ways 3 --shots 2 --queries 5
  stackelberg fewshot train --resume proto --budget 1h

Omniglot is downloaded once, or read from the folder that STACKELBERG_DATA names. The output folder holds
model.safetensors (the best model by validation accuracy), representation.onnx (its encoder, normalizing by training
images), log.jsonl (a line for each validation), settings.json and checkpoint.safetensors (for --resume). Ctrl-C stops
cleanly and saves. Exit codes: 0 done, 1 failure, 2 bad options or data, 130 interrupted.`;

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
