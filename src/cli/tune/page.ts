// report.html: one file without scripts or outside resources that says what was done, whether it
// was worth it, how the run went, what each column is worth and how to repeat it.

import { familyNamed, type TuneResult } from "../../automl/index.ts";
import { chosenSentences } from "./chosen-text.ts";
import { compareMethods, onCommonSplits } from "../../automl/internal.ts";
import type { Environment } from "../../study/index.ts";
import type { DataSummary } from "../input/data-summary.ts";
import { formatCount, formatSeconds } from "../../data/internal.ts";
import { lineChart } from "../page/charts.ts";
import { explanationSection } from "./explanation-section.ts";
import { comparisonSection } from "./comparison-section.ts";
import { dataSection } from "../page/data-section.ts";
import { html, Html } from "../page/html.ts";
import { ruleSection } from "./rule-section.ts";
import { styles } from "../page/styles.ts";

/** What the report needs beside the result. */
export interface ReportContext {
  data: DataSummary;
  environment: Environment;
  /** The command that repeats the run without the possible leaks; undefined when there are none, or no other columns. */
  without: string | undefined;
  /** The command that repeats the run. */
  command: string;
  /** The command that goes on with the run when it was stopped. */
  resume: string;
  /** SHA-256 of the data file, hexadecimal. */
  dataHash: string;
}

/** Builds the whole page. All text that comes from the data is escaped. */
export function reportPage(whole: TuneResult, context: ReportContext): string {
  const result = onCommonSplits(whole);
  const title = `${result.target.name} — tuning report`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <title>${title}</title>
        <style>
          ${new Html(styles)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>Predicting ${result.target.name}</h1>
            <p class="subtitle">
              ${result.source} · ${formatCount(result.rows.total, "row")} ·
              ${formatCount(result.inputs.length, "input column")} · ${taskText(result)}
            </p>
          </header>
          ${statusWarning(result, context)}
          <section>
            <h2>What was done</h2>
            ${summary(result).map((sentence) => html`<p>${sentence}</p>`)}
          </section>
          <section>
            <h2>The model</h2>
            ${chosenSentences(whole).map((sentence) => html`<p>${sentence}</p>`)}
          </section>
          ${comparisonSection(result, compareMethods(result))}
          ${dataSection(context.data, context.without)} ${explanationSection(result)}
          ${curvesSection(result)} ${ruleSection(result)} ${notesSection(result)}
          ${environmentSection(result, context)}
          <footer>
            Made by stackelberg ${context.environment.stackelberg}. The model is in model.onnx,
            every number of this page in result.json.
          </footer>
        </main>
      </body>
    </html> `;
  return page.text;
}

/** The run in two sentences, and one more on its search where there is one. */
export function summary(result: TuneResult): string[] {
  const { rows, repeats, completedRepeats, rule, model } = result;
  const { methods } = familyNamed(model.family);
  const splits =
    completedRepeats === repeats
      ? formatCount(repeats, "random split")
      : `${completedRepeats} of ${formatCount(repeats, "planned random split")}`;
  const derivative =
    rule?.bias === null
      ? "differentiating exactly through the training of the weights"
      : `with the hypergradients of the rule ${rule?.name}`;
  const trained = formatCount(rows.train + rows.validation, "row");
  const held =
    result.folds === 1
      ? formatCount(rows.validation, "validation row")
      : `${result.folds} folds of ${trained}, each held out once`;
  const ways = methods.map(({ called }) => called);
  return [
    `A ${result.kind} for ${result.target.name} was made of ${formatCount(result.inputs.length, "input column")} in ${formatCount(ways.length, "way")}: ${ways.join("; ")}.`,
    ...methods.flatMap(({ story }) =>
      story === undefined
        ? []
        : `${story.moved}, ${derivative}, on the loss of ${held}; ${story.held}.`,
    ),
    `The choice of each was then trained on ${trained} and measured on ${formatCount(rows.test, "test row")} that neither training nor tuning saw, over ${splits}, in ${formatSeconds(result.seconds)} altogether.`,
  ];
}

function taskText(result: TuneResult): string {
  const { target } = result;
  if (target.task === "regression") return "regression";
  return target.task === "binary"
    ? `two classes: ${target.classes.join(" and ")}`
    : formatCount(target.classes.length, "class", "classes");
}

function statusWarning(result: TuneResult, context: ReportContext): Html | undefined {
  if (result.status === "completed") return undefined;
  const reason = result.status === "budget" ? "the time budget was used up" : "it was interrupted";
  return html`<div class="verdict warning">
    <p>
      <strong>This run is not complete:</strong> it stopped because ${reason}, after
      ${result.completedRepeats} of ${formatCount(result.repeats, "split")}. What follows is what
      was learned until then; <code>${context.resume}</code> goes on from there.
    </p>
  </div>`;
}

function curvesSection(result: TuneResult): Html | undefined {
  const { history, report } = result;
  if (history.length === 0) return undefined;
  const best = history.reduce((a, b) => (b.outer < a.outer ? b : a));
  const mark = { step: best.step, text: `lowest outer objective, step ${best.step}` };
  const series = (
    pick: (row: (typeof history)[number]) => number,
  ): { step: number; value: number }[] =>
    history.map((row) => ({ step: row.step, value: pick(row) }));
  return html`<section>
    <h2>How the tuning went</h2>
    <p>
      The first split, one point per outer step. The outer objective is the held-out loss that
      tuning lowers, with the prior’s price; its lowest point, at step ${best.step} (dashed), gave
      the tuned coefficients. The inner objective is the training loss with the penalties. The
      hypergradient’s norm falls as the coefficients settle, and the inner gradient’s norm tells how
      well the weights were trained at each step.
    </p>
    <div class="charts">
      ${lineChart({ title: "Outer objective (validation)", label: "outer objective", points: series((row) => row.outer), scale: "auto", tone: "outer", mark })}
      ${lineChart({ title: "Inner objective (training)", label: "inner objective", points: series((row) => row.inner), scale: "auto", tone: "inner", mark })}
      ${lineChart({ title: "Norm of the hypergradient", label: "norm", points: series((row) => row.gradientNorm), scale: "log", tone: "gradient", mark })}
      ${lineChart({ title: "Norm of the inner gradient", label: "norm", points: series((row) => row.innerGradientNorm), scale: "log", tone: "inner", mark })}
    </div>
    <p>${report.sentence}</p>
  </section>`;
}

function notesSection(result: TuneResult): Html | undefined {
  if (result.notes.length === 0) return undefined;
  return html`<section class="long">
    <h2>Notes on the data and the run</h2>
    <ul class="notes">
      ${result.notes.map((note) => html`<li>${note}</li>`)}
    </ul>
  </section>`;
}

function environmentSection(result: TuneResult, context: ReportContext): Html {
  const { environment } = context;
  const facts: readonly (readonly [string, string])[] = [
    ["data", `${result.source}, SHA-256 ${context.dataHash}`],
    [
      "rows",
      `${result.rows.train} train, ${result.rows.validation} validation, ${result.rows.test} test`,
    ],
    ["seed", String(result.seed)],
    [
      "versions",
      `stackelberg ${environment.stackelberg}, Node ${environment.node}, ONNX Runtime ${environment.onnxruntime}`,
    ],
    [
      "machine",
      `${environment.platform}, ${formatCount(environment.cores, "core")}, ${formatCount(environment.threads, "thread")}, device ${environment.device}`,
    ],
  ];
  return html`<section>
    <h2>To repeat this run</h2>
    <pre>${context.command}</pre>
    <table class="facts">
      ${facts.map(
        ([name, value]) =>
          html`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr>`,
      )}
    </table>
  </section>`;
}
