// The options of `stackelberg fewshot train`, with its help text.

import type { Command } from "commander";
import { UsageError } from "../../command/errors.ts";
import * as parse from "../../command/options.ts";
import { oneOf, positive, take, whole, word } from "../../command/option-readers.ts";
import {
  batchNormModes,
  learnerNames,
  omniglotSplits as splits,
  ruleNames,
  yesOrNo,
} from "../../../fewshot/internal.ts";
import type { TrainFlags } from "./plan.ts";

/** Adds the options and the action. */
export function addTrain(command: Command, setExitCode: (code: number) => void): void {
  command
    .allowExcessArguments(true)
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
    .option(
      "--size <pixels>",
      "side that images are resized to (default: 28)",
      whole("--size", 1, 1024),
    )
    .option(
      "--max-unpacked <size>",
      "what an image may become at most, three bytes a pixel (default: 120MB)",
      take(parse.parseBytes, "--max-unpacked"),
    )
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
      "labelled images a class in training (default: --shots; for reptile 10 or more)",
      whole("--train-shots"),
    )
    .option(
      "--train-queries <n>",
      "images a class to label in training (default: --queries; for reptile 5)",
      whole("--train-queries"),
    )
    .option(
      "--tasks <n>",
      "episodes of an outer step, the meta-batch (default: 4)",
      whole("--tasks", 1, 1000),
    )
    .option("--steps <n>", "outer steps at most (default: 20000)", whole("--steps"))
    .option(
      "--budget <time>",
      "time of this call, such as 90s, 30m or 2h (default: none)",
      take(parse.parseDuration, "--budget"),
    )
    .option(
      "--inner-steps <T>",
      "steps of the follower in training (default: 16 for a classifier alone, 5 for all weights, for imaml 10)",
      whole("--inner-steps", 1, 10_000),
    )
    .option(
      "--inner-rate <rate>",
      "the follower's learning rate, or where it starts (default: 0.05 for a classifier alone, for all weights 0.02 times the classes, for reptile 0.08 times)",
      positive("--inner-rate"),
    )
    .option(
      "--learn-inner-rate <yes|no>",
      "whether the follower's learning rate is a hyperparameter too (default: no)",
      oneOf("--learn-inner-rate", yesOrNo),
    )
    .option(
      "--step-shots <n>",
      "images of each class that one step of reptile's follower sees in training (default: 2)",
      whole("--step-shots"),
    )
    .option(
      "--rule <rule>",
      `hypergradient rule: ${ruleNames.join(", ")} (default: the learner's)`,
      oneOf("--rule", ruleNames),
    )
    .option(
      "--rate <rate>",
      "the leader's learning rate (default: 0.003; for hyper-representation and anil 0.001, for reptile 0.5)",
      positive("--rate"),
    )
    .option(
      "--filters <n>",
      "channels of each of the encoder's four blocks (default: 64)",
      whole("--filters", 1, 1024),
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
      whole("--validation-episodes", 2, 100_000),
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
      "threads (default: STACKELBERG_THREADS, else all cores)",
      take(parse.parseThreads, "--threads"),
    )
    .option(
      "--out <folder>",
      "output folder (default: ./stackelberg-<learner>-<ways>way-<shots>shot)",
      word("--out"),
    )
    .option(
      "--force",
      "replace the run in the output folder; it waits in previous/ until this one has a model",
    )
    .option(
      "--resume <folder>",
      "go on with the run in this folder; takes --steps, --budget, --threads",
      word("--resume"),
    )
    .option("--quiet", "print only the result")
    .addHelpText("after", trainExamples)
    .action(async (flags: TrainFlags, { args: [word] }: Command) => {
      if (word !== undefined) {
        throw new UsageError(
          `fewshot train does not know what "${word}" is for; a folder of images goes after --data, an output folder after --out`,
        );
      }
      const { runFewshotTrain } = await import("./command.ts");
      setExitCode(await runFewshotTrain(flags));
    });
}

const trainExamples = `
Examples:
  stackelberg fewshot train --ways 5 --shots 1 --budget 30m
  stackelberg fewshot train --learner prototypical --ways 20 --shots 1 --out proto
  stackelberg fewshot train --data letters --invert --ways 3 --shots 2 --queries 5
  stackelberg fewshot train --resume proto --budget 1h

Omniglot is downloaded once, or read from the folder that STACKELBERG_DATA names. The output folder holds
model.safetensors (the best model by validation accuracy), representation.onnx (its encoder, normalizing by training
images), log.jsonl (a line for each validation), settings.json and checkpoint.safetensors (for --resume). Ctrl-C stops
cleanly and saves. Exit codes: 0 done, 1 failure, 2 bad options or data, 130 or 143 interrupted by Ctrl-C or SIGTERM.`;
