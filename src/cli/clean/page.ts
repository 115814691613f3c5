// report.html of `clean`: the most doubtful rows with their cells, how they were found, and how to
// repeat the run. One file without scripts or outside resources.

import type { Column } from "../../data/index.ts";
import { rankedRow, verdict, type CleanResult } from "./result.ts";
import { formatCount, formatNumber, formatSeconds } from "../../data/internal.ts";
import { shorten } from "../terminal/text.ts";
import { dataSection } from "../page/data-section.ts";
import { html, Html } from "../page/html.ts";
import { styles } from "../page/styles.ts";

/** Other columns whose cells stand beside a row. */
const shownColumns = 6;

/** Builds the whole page. All text that comes from the data is escaped. */
export function cleanPage(result: CleanResult): string {
  const { ranking, plan } = result;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <title>${ranking.target} — doubtful labels</title>
        <style>
          ${new Html(styles)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>Doubtful labels of ${ranking.target}</h1>
            <p class="subtitle">
              ${result.source} · ${formatCount(ranking.rows.length, "row")} ·
              ${formatCount(ranking.classes.length, "class", "classes")}
            </p>
          </header>
          <div class="verdict">${verdict(result).map((sentence) => html`<p>${sentence}</p>`)}</div>
          ${rowsSection(result)} ${dataSection(result.data, result.without)}
          <section>
            <h2>How the rows were ranked</h2>
            <p>
              ${ranking.folds * ranking.repeats} linear models were trained,
              ${formatCount(ranking.repeats, "time")} ${ranking.folds} of them, each without one
              part of the rows, with the L2 coefficient ${formatNumber(ranking.decay, 2)}, whose log
              loss on the rows left out is lowest (${formatNumber(ranking.logLoss)}). The fits’
              gradient fell to ${formatNumber(ranking.relativeGradientNorm, 2)} of its first size.
            </p>
            <p>
              The score is the mean of two ranks, 1 for the most doubtful row. The first is by the
              label’s probability to the models that were trained without the row. The second is by
              the row’s influence: how fast the models’ error on rows they did not see rises with
              the weight of this row, a hypergradient.
            </p>
          </section>
          ${
            result.notes.length > 0 &&
            html`<section class="long">
              <h2>Notes on the data</h2>
              <ul class="notes">
                ${result.notes.map((note) => html`<li>${note}</li>`)}
              </ul>
            </section>`
          }
          <section>
            <h2>To repeat this run</h2>
            <pre>${plan.command}</pre>
            <p>
              The data file’s SHA-256 is ${result.sha256}; the run took
              ${formatSeconds(result.seconds)}.
            </p>
          </section>
          <footer>Every row’s score is in ranked.csv.</footer>
        </main>
      </body>
    </html> `;
  return page.text;
}

function rowsSection({ table, ranking, plan }: CleanResult): Html {
  const others = table.columns.filter(({ name }) => name !== ranking.target);
  const shown = others.slice(0, shownColumns);
  const left = others.length - shown.length;
  const count = Math.min(plan.top, ranking.rows.length);
  const head = ["row", "label", "suggested", "probability", "influence", "score"];
  if (ranking.planted !== undefined) head.push("self-check");
  const lines = Array.from({ length: count }, (_, at) => {
    const one = rankedRow(ranking, at);
    const cells = [
      String(one.row),
      shorten(one.label, 40),
      shorten(one.suggested, 40),
      formatNumber(one.probability, 3),
      formatNumber(one.influence, 3),
      one.score.toFixed(3),
    ];
    if (one.planted !== undefined) cells.push(one.planted ? "planted" : "");
    return [...cells, ...shown.map((column) => cellText(column, one.row - 1))];
  });
  return html`<section class="long">
    <h2>The ${formatCount(count, "most doubtful row", "most doubtful rows")}</h2>
    <p>
      Rows are numbered from 1, the first one of data.
      ${left > 0 && `${formatCount(left, "further column is", "further columns are")} not shown.`}
    </p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            ${[...head, ...shown.map(({ name }) => shorten(name, 40))].map(
              (name) => html`<th scope="col">${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${lines.map(
            (cells) =>
              html`<tr>
                ${cells.map((cell) => html`<td>${cell}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function cellText(column: Column, row: number): string {
  if (column.kind === "numeric") return formatNumber(column.values[row]!);
  const code = column.codes[row]!;
  return code < 0 ? "–" : shorten(column.levels[code]!, 40);
}
