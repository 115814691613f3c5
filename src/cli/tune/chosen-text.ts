// Which model came out, and which error to expect of it, in words: for the terminal, the report and result.json.

import type { TuneResult } from "../../automl/index.ts";
import { describeMetric } from "../../automl/internal.ts";
import { formatCount, formatEstimate } from "../../data/internal.ts";

/** Two sentences or three: the model, its expected error, and a fit that did not end. */
export function chosenSentences(result: TuneResult): string[] {
  const { chosen, folds, rows } = result;
  const where = folds === 1 ? "the validation rows" : `${folds} folds`;
  const all = `fitted on all ${formatCount(chosen.rows, "row")}`;
  const sentences = [
    `The model: ${chosen.what}, as the held-out loss on ${where} favours, ${all}.`,
  ];
  const { expected } = chosen;
  if (expected === undefined) {
    sentences.push("No split was finished, so nothing is known of its error on new rows.");
  } else {
    const { title } = describeMetric(expected.metric);
    const value = formatEstimate(expected.mean, expected.halfWidth);
    const trained = rows.train + rows.validation;
    const splits = expected.splits === 1 ? "one split" : `each of ${expected.splits} splits`;
    const more = expected.splits === 1 ? " (--repeats 5 gives an interval)" : "";
    sentences.push(
      `Error to expect: test ${title} ${value}, from the same choice made and fitted on ${formatCount(trained, "row")} of ${splits}${more}.`,
    );
  }
  if (!chosen.isSolved) {
    sentences.push(
      "Its fit ended before the minimum: see the notes, and take its weights with care.",
    );
  }
  return sentences;
}
