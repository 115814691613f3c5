// `stackelberg fewshot table`: several results of `fewshot eval` in one table, beside the published ones.

import { exitCodes, UsageError } from "../../command/errors.ts";
import {
  type EvaluationDocument,
  learnerNames,
  percent,
  readEvaluation,
  trainedAccuracy,
  trainingEpisode,
} from "../../../fewshot/internal.ts";
import { publishedResult } from "./published.ts";
import { formatSeconds } from "../../../data/internal.ts";
import { renderTable } from "../../terminal/table.ts";

/** Runs the command; the result is the exit code. */
export async function runFewshotTable(
  files: readonly string[],
  flags: { markdown?: boolean },
): Promise<number> {
  const documents: EvaluationDocument[] = [];
  for (const file of files) documents.push(await readEvaluation(file));
  checkSameEpisodes(documents);
  documents.sort(order);
  const rows = [
    heading,
    ...documents.map((document) => row(document, hasSeeds(document, documents))),
  ];
  const lines = flags.markdown === true ? markdown(rows) : terminal(rows);
  process.stdout.write(`${lines.join("\n")}\n`);
  return exitCodes.ok;
}

const heading = [
  "test",
  "learner",
  "accuracy, batch",
  "support",
  "running",
  "published",
  "n",
  "training episodes",
  "time",
];

/** One result, at as many inner steps as in training. */
function row(document: EvaluationDocument, withSeed: boolean): string[] {
  const { model, test } = document;
  const published = publishedResult({ ...model.settings, data: test.data }, test);
  const cell = (mode: "batch" | "support" | "running"): string => {
    const found = trainedAccuracy(document, mode);
    return found === undefined ? "–" : percent(found.mean, found.halfWidth);
  };
  return [
    `${test.ways}-way ${test.shots}-shot`,
    nameOf(document, withSeed),
    cell("batch"),
    cell("support"),
    cell("running"),
    published === undefined ? "–" : `${published.accuracy} %`,
    String(test.episodes),
    model.episodes.toLocaleString("en-US"),
    formatSeconds(model.seconds),
  ];
}

/** The learner, the size of its training episodes where it is not that of the test, and the seed of its training. */
function nameOf({ model, test }: EvaluationDocument, withSeed: boolean): string {
  const { ways, shots } = trainingEpisode(model.settings);
  const isSame = ways === test.ways && shots === test.shots;
  const { learner, seed } = model.settings;
  return [
    learner,
    ...(isSame ? [] : [`trained ${ways}-way ${shots}-shot`]),
    ...(withSeed ? [`seed ${seed}`] : []),
  ].join(", ");
}

/** Whether its learner was trained with several seeds. */
function hasSeeds(
  { model: { settings } }: EvaluationDocument,
  documents: readonly EvaluationDocument[],
): boolean {
  return documents.some(
    ({ model }) =>
      model.settings.learner === settings.learner && model.settings.seed !== settings.seed,
  );
}

/** By ways, then shots, then learner. */
function order(a: EvaluationDocument, b: EvaluationDocument): number {
  const rank = ({ model }: EvaluationDocument): number =>
    learnerNames.indexOf(model.settings.learner);
  return a.test.ways - b.test.ways || a.test.shots - b.test.shots || rank(a) - rank(b);
}

/** Results of one kind of test can only be compared on the same episodes. */
function checkSameEpisodes(documents: readonly EvaluationDocument[]): void {
  const lists = new Map<string, EvaluationDocument>();
  for (const document of documents) {
    const { data, ways, shots, queries, listSha256, seed, episodes } = document.test;
    const kind = JSON.stringify([data, ways, shots]);
    const first = lists.get(kind) ?? document;
    lists.set(kind, first);
    if (first.test.listSha256 === listSha256) continue;
    const describe = (n: number, q: number, s: number): string =>
      `${n} episodes with ${q} queries of seed ${s}`;
    const { test } = first;
    throw new UsageError(
      `the ${ways}-way ${shots}-shot results were made on different episodes: ${describe(test.episodes, test.queries, test.seed)}, and ${describe(episodes, queries, seed)}; test both on the same ones`,
    );
  }
}

function terminal(rows: readonly (readonly string[])[]): string[] {
  const { stdout } = process;
  const cells = rows.map((texts) => texts.map((text) => ({ text })));
  return renderTable(cells, { width: stdout.isTTY ? stdout.columns : Infinity, color: false });
}

function markdown([head, ...body]: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head!), line(head!.map((_, i) => (i < 2 ? "---" : "--:"))), ...body.map(line)];
}
