// What `clean` leaves behind: ranked.csv, report.html, result.json, and the table on the screen.

import type { Ranking } from "../../automl/index.ts";
import { type Column, formatTable } from "../../data/index.ts";
import type { NewFile } from "../../files/index.ts";
import { leakLines } from "../input/announcement.ts";
import { type CleanResult, checkOf, rankedRow, verdict } from "./result.ts";
import { oneLine } from "../command/errors.ts";
import { formatCount, formatNumber, formatSeconds } from "../../data/internal.ts";
import { cleanPage } from "./page.ts";
import { renderTable } from "../terminal/table.ts";
import { shorten, wrapWords } from "../terminal/text.ts";

/** The files of a run, the most important first. */
export function cleanFiles(result: CleanResult): NewFile[] {
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
  lines.push(
    ...verdict(result).flatMap(say),
    ...leakLines(result.data, result.without, say),
    "",
    `Files in ${plan.folder}:`,
  );
  lines.push(...names.map((name) => `  ${name.padEnd(13)} ${fileMeanings[name] ?? ""}`));
  stdout.write(`${lines.join("\n")}\n`);
}

const fileMeanings: Record<string, string> = {
  "ranked.csv": "every row's score, from the most doubtful one down",
  "report.html": "the report; open it in a browser",
  "settings.json": "what was asked for",
  "events.jsonl": "what happened, an event a line",
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
    data: result.data,
    decay,
    folds,
    repeats,
    seed: plan.seed,
    logLoss,
    relativeGradientNorm,
    top: Array.from({ length: top }, (_, at) => rankedRow(ranking, at)),
    selfCheck: checkOf(result),
    verdict: verdict(result),
    notes: result.notes,
    command: plan.command,
    dataSha256: result.sha256,
    seconds: result.seconds,
  };
}
