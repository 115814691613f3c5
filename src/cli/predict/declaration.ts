// `stackelberg predict` as the user types it, with its help text.

import type { CommandDeclaration } from "../command/declaration.ts";
import { word } from "../command/option-readers.ts";
import { addReadingOptions } from "../command/reading-options.ts";
import type { PredictFlags } from "./command.ts";

export const predictDeclaration: CommandDeclaration = {
  name: "predict",
  examples: [["predict stackelberg-houses new.csv", "predictions for new rows"]],
  declare(command, setExitCode) {
    command
      .description("predict the rows of a new table with a tuned model")
      .argument("<folder>", "output folder of `stackelberg tune`")
      .argument("<file>", "CSV file with the columns that the model was trained on")
      .option("--out <file>", "write the predictions to this file (default: stdout)", word("--out"))
      .option("--id <column>", "carry this column of the file to the output", word("--id"))
      .option("--force", "overwrite that file")
      .addHelpText("after", predictExamples)
      .action(async (folder: string, file: string, flags: PredictFlags) => {
        const { runPredict } = await import("./command.ts");
        setExitCode(await runPredict(folder, file, flags));
      });
    addReadingOptions(command, { kinds: false });
  },
};

const predictExamples = `
Examples:
  stackelberg predict stackelberg-adult new.csv
  stackelberg predict stackelberg-adult new.csv --id name --out predictions.csv

Where the file has the target, the predictions are scored by it. What differs from the training file,
such as levels that it did not have, is counted on stderr.`;
