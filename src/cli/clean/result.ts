// What a ranking says, in numbers and sentences: what the page, the files and the screen show of it.

import type { Ranking } from "../../automl/index.ts";
import { type SelfCheck, selfCheck, verdictOf } from "../../automl/internal.ts";
import type { Table } from "../../data/index.ts";
import type { CleanPlan } from "./plan.ts";
import type { DataSummary } from "../input/data-summary.ts";

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
    planted: planted && planted[entry] === 1,
  };
}

/** The check on planted errors, `undefined` when none were planted. */
export function checkOf({ ranking, plan }: CleanResult): SelfCheck | undefined {
  return selfCheck(ranking, plan.top);
}

/** What the ranking says, one sentence each, and how to measure it where nothing was planted. */
export function verdict(result: CleanResult): string[] {
  const sentences = verdictOf(result.ranking, result.plan.top);
  return result.ranking.planted === undefined
    ? [...sentences, "--plant 0.1 measures on this file how many planted errors the ranking finds."]
    : sentences;
}
