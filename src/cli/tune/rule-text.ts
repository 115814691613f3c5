// What a run says of its hypergradient rule: which one, how good its report was, what it cost, and,
// where the adviser picked it, why this one and not another.

import type { TuneAdvice, TuneResult, UsedRule } from "../../automl/index.ts";
import { formatBytes } from "../../bilevel/internal.ts";
import { formatCount } from "../../data/internal.ts";

/** The rule, its cost and its report; the report's own sentence follows where it says more than "converged"; nothing of a run without. */
export function ruleSentences({ rule }: Pick<TuneResult, "rule">): string[] {
  if (rule === undefined) return [];
  const { call, bias, status, sentence } = rule;
  const response = bias === null ? "exact at the follower's response" : "biased";
  const lines = [
    `Rule: ${call}, ${response}; ${costOf(rule)}. Its report at the chosen step: ${status}.`,
  ];
  if (bias !== null || status !== "converged") lines.push(sentence);
  return lines;
}

function costOf({ innerGradients, products, storedBytes }: UsedRule): string {
  const work = `${formatCount(innerGradients, "inner gradient")} and ${formatCount(products, "product")} with second derivatives`;
  return `${work} in the first split's search, ${formatBytes(storedBytes)} kept at once`;
}

/** What the adviser found, and on how many rows. */
export function adviceSentence({ sentence, rows, ofRows }: TuneAdvice): string {
  const measured = rows < ofRows ? `${rows} of the ${ofRows}` : `all ${ofRows}`;
  return `The adviser, on ${measured} training rows with all coefficients 1: ${sentence}`;
}

/** The rules that the adviser ranked behind, then those that it ruled out, each with its reason. */
export function alternatives({ runnersUp, ruledOut }: TuneAdvice): string[] {
  return [
    ...runnersUp.map(({ call, why, caution }) => `${call}: ${why} ${caution}`),
    ...ruledOut.map(({ rule, why }) => `${rule}, ruled out: ${why}`),
  ];
}
