// What `clean` leaves behind: ranked.csv, report.html, result.json, and the table on the screen.

import type { Ranking } from "../automl/cleaning/rank.ts";
import { averagePrecision } from "../automl/cleaning/score.ts";
import type { Column, Table } from "../data/table.ts";
import { formatTable } from "../data/write-table.ts";
import type { CleanPlan } from "./clean-plan.ts";
import { oneLine } from "./errors.ts";
import { formatCount, formatNumber, formatPercent, formatSeconds } from "./numbers.ts";
import type { OutputFile } from "./output-folder.ts";
import { cleanPage } from "./report/clean-page.ts";
import { renderTable } from "./terminal-table.ts";
import { shorten, wrapWords } from "./terminal-text.ts";

/** A finished run. */
export interface CleanResult {
  source: string;
  table: Table;
  ranking: Ranking;
  plan: CleanPlan;
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

/** The files of a run, the most important first. */
export function cleanFiles(result: CleanResult): OutputFile[] {
  return [
    { name: "ranked.csv", contents: rankedTable(result.ranking) },
    { name: "report.html", contents: cleanPage(result) },
    { name: "result.json", contents: `${JSON.stringify(resultDocument(result), null, 1)}\n` },
  ];
}

/** One JSON object on one line for `--json`. */
export function cleanJson(result: CleanResult, names: readonly string[]): string {
  return JSON.stringify({ ...resultDocument(result), folder: result.plan.folder, files: names });
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

/** Prints the first rows, what they mean and where the files are. */
export function printRanking(result: CleanResult, names: readonly string[]): void {
  const { ranking, plan } = result;
  const { stdout } = process;
  const color =
    stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
  const width = stdout.isTTY ? stdout.columns : Infinity;
  const say = (text: string): string[] => wrapWords(oneLine(text), width);
  const heading = [
    `${result.source}: labels of "${ranking.target}"`,
    formatCount(ranking.rows.length, "row"),
    formatCount(ranking.classes.length, "class", "classes"),
    formatSeconds(result.seconds),
  ];
  const shown = Math.min(plan.top, ranking.rows.length);
  const rows = Array.from({ length: shown }, (_, at) => {
    const { row, label, suggested, probability, score, planted } = rankedRow(ranking, at);
    const cells = [String(row), label, suggested, formatNumber(probability, 3), score.toFixed(3)];
    if (planted !== undefined) cells.push(planted ? "planted" : "");
    return cells.map((text) => ({ text: shorten(oneLine(text), 24) }));
  });
  const head = ["row", "label", "suggested", "label's probability", "score"];
  if (ranking.planted !== undefined) head.push("self-check");
  const table = renderTable([head.map((text) => ({ text })), ...rows], { width, color });
  const lines = ["", ...say(heading.join(", ")), "", ...table, ""];
  lines.push(...verdict(result).flatMap(say), "", `Files in ${plan.folder}:`);
  lines.push(...names.map((name) => `  ${name.padEnd(12)} ${fileMeanings[name] ?? ""}`));
  stdout.write(`${lines.join("\n")}\n`);
}

const fileMeanings: Record<string, string> = {
  "ranked.csv": "every row's score, from the most doubtful one down",
  "report.html": "the report; open it in a browser",
  "result.json": "the numbers of the run",
};

/** ranked.csv: all rows with a label, the most doubtful first. */
function rankedTable(ranking: Ranking): string {
  const { order, classes, rows, planted } = ranking;
  const numbers = (name: string, read: (entry: number) => number): Column => ({
    kind: "numeric",
    name,
    values: Float64Array.from(order, read),
  });
  const labels = (name: string, codes: Int32Array): Column => ({
    kind: "categorical",
    name,
    codes: order.map((entry) => codes[entry]!),
    levels: classes,
  });
  const short = (value: number): number => Number(value.toPrecision(6));
  const columns: Column[] = [
    numbers("row", (entry) => rows[entry]! + 1),
    labels("label", ranking.labels),
    labels("suggested", ranking.suggested),
    numbers("score", (entry) => short(ranking.score[entry]!)),
    numbers("probability", (entry) => short(ranking.probability[entry]!)),
    numbers("influence", (entry) => short(ranking.influence[entry]!)),
  ];
  if (planted !== undefined) columns.push(numbers("planted", (entry) => planted[entry]!));
  return formatTable({ source: "ranked", rowCount: order.length, columns });
}

function resultDocument(result: CleanResult): Record<string, unknown> {
  const { ranking, plan } = result;
  const { target, classes, decay, folds, repeats, logLoss, relativeGradientNorm } = ranking;
  const top = Math.min(plan.top, ranking.rows.length);
  return {
    source: result.source,
    target,
    classes,
    rows: ranking.rows.length,
    decay,
    folds,
    repeats,
    seed: plan.seed,
    logLoss,
    relativeGradientNorm,
    top: Array.from({ length: top }, (_, at) => rankedRow(ranking, at)),
    selfCheck: selfCheck(result),
    verdict: verdict(result),
    notes: result.notes,
    command: plan.command,
    dataSha256: result.sha256,
    seconds: result.seconds,
  };
}
