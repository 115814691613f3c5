// The settings of a training that goes on, which --resume needs nothing else for.

import { checkSettings, readSettings, settingsName } from "../../../study/index.ts";
import { UsageError } from "../../command/errors.ts";
import { settingsSchema, type TrainSettings } from "../../../fewshot/internal.ts";

/** The settings of the training in a folder. */
export async function readTraining(folder: string): Promise<TrainSettings> {
  const found = await readSettings(folder);
  const { command = "stackelberg fewshot train" } = found ?? {};
  const hint = "give the output folder of `stackelberg fewshot train`";
  if (found === undefined) {
    throw new UsageError(`--resume ${folder}: there is no ${settingsName} in it; ${hint}`);
  }
  if (command !== "stackelberg fewshot train") {
    throw new UsageError(`--resume ${folder}: that is a run of ${command}; ${hint}`);
  }
  return checkSettings(settingsSchema, found, folder);
}
