// What to say when the numbers of a training go wrong: which rates to lower.

import { trainingEpisode, type TrainSettings } from "../configured/settings.ts";

/** How a training failed, and what to try. */
export function failureSentence(settings: TrainSettings, step: number, status: string): string {
  const what =
    status === "diverged"
      ? "the loss has risen a million times"
      : "the loss or its gradient is no longer a finite number";
  return `the training failed at step ${step}: ${what}; start a new run with ${lowerRates(settings)}`;
}

/** Whether a mean loss is a hundred times that of guessing, ln(ways), which first weights never are. */
export function isHighLoss(loss: number, settings: TrainSettings): boolean {
  return loss > 100 * guessing(settings);
}

/** Said once, while a training goes on. */
export function highLossSentence(settings: TrainSettings): string {
  return `The loss is far above ${guessing(settings).toFixed(2)}, that of guessing; if it stays there, start a new run with ${lowerRates(settings)}.`;
}

function guessing(settings: TrainSettings): number {
  return Math.log(trainingEpisode(settings).ways);
}

function lowerRates({ rate, innerRate }: TrainSettings): string {
  const inner = innerRate === undefined ? "" : ` or a lower \`innerRate\` than ${innerRate}`;
  return `a lower \`rate\` than ${rate}${inner}`;
}
