// What a ranking says, in numbers and sentences: what the page, the files and the screen show of it.

import type { Ranking } from "../../automl/cleaning/rank.ts";
import { averagePrecision } from "../../automl/cleaning/score.ts";
import type { Table } from "../../data/tables/table.ts";
import type { CleanPlan } from "./plan.ts";
import type { DataSummary } from "../input/data-summary.ts";
import { formatCount, formatPercent } from "../../data/readable-numbers.ts";

/** A finished run. */
export interface CleanResult {
  source: string;
  table: Table;
  ranking: Ranking;
  plan: CleanPlan;
  data: DataSummary;
  /** The command that repeats the run without the possible leaks; undefined when there are none, or no other columns. */
  without: string | undefined;
  notes: readonly string[];
  sha256: string;
  seconds: number;
}

/** How many of the planted errors the ranking found. */
export interface SelfCheck {
  planted: number;
  /** The first rows that are looked at. */
  top: number;
  found: number;
  /** found / top */
  precision: number;
  /** found / planted */
  recall: number;
  averagePrecision: number;
  /** The same by the probability alone. */
  averagePrecisionOfProbability: number;
  /** Share of planted errors among all rows: the precision of a random order. */
  share: number;
}

/** One row as it is shown. */
export interface RankedRow {
  /** 1 for the first row of data in the file. */
  row: number;
  label: string;
  suggested: string;
  probability: number;
  influence: number;
  score: number;
  planted?: boolean;
}

/** Entry `at` of the ranking's order. */
export function rankedRow(ranking: Ranking, at: number): RankedRow {
  const { classes, rows, labels, suggested, probability, influence, score, planted } = ranking;
  const entry = ranking.order[at]!;
  return {
    row: rows[entry]! + 1,
    label: classes[labels[entry]!]!,
    suggested: classes[suggested[entry]!]!,
    probability: probability[entry]!,
    influence: influence[entry]!,
    score: score[entry]!,
    ...(planted === undefined ? {} : { planted: planted[entry] === 1 }),
  };
}

/** The check on planted errors, `undefined` when none were planted. */
export function selfCheck({ ranking, plan }: CleanResult): SelfCheck | undefined {
  const { planted, order, score, probability } = ranking;
  if (planted === undefined) return undefined;
  const count = planted.reduce((sum, v) => sum + v, 0);
  const top = Math.min(plan.top, order.length);
  const found = order.subarray(0, top).reduce((sum, entry) => sum + planted[entry]!, 0);
  return {
    planted: count,
    top,
    found,
    precision: found / top,
    recall: found / count,
    averagePrecision: averagePrecision(score, planted),
    averagePrecisionOfProbability: averagePrecision(
      probability.map((p) => -p),
      planted,
    ),
    share: count / order.length,
  };
}

/** What the ranking says, one sentence each. */
export function verdict(result: CleanResult): string[] {
  const { ranking } = result;
  const doubted = ranking.labels.reduce(
    (sum, label, i) => sum + Number(label !== ranking.suggested[i]),
    0,
  );
  const share = formatPercent(doubted / ranking.rows.length);
  const check = selfCheck(result);
  const sentences = [
    `Models trained without the row prefer another class for ${formatCount(doubted, "row")} (${share}); these can be wrong labels, and rows that are hard or rare.`,
  ];
  if (check === undefined) {
    return [
      ...sentences,
      "Look at the rows before you change them; --plant 0.1 measures on this file how many planted errors the ranking finds.",
    ];
  }
  return [
    ...sentences,
    `Self-check: ${formatCount(check.planted, "error was", "errors were")} planted; ${check.found} of the first ${formatCount(check.top, "row")} are planted (precision ${formatPercent(check.precision)}, recall ${formatPercent(check.recall)}; a random order has precision ${formatPercent(check.share)}).`,
    `Average precision is ${check.averagePrecision.toFixed(3)}, by the probability alone ${check.averagePrecisionOfProbability.toFixed(3)}. Labels that were wrong before count as misses, so the true precision may be higher.`,
  ];
}
