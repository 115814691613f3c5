// The report's account of the data: what is predicted, what was left out and why, and the columns
// that may give the answer away. The lists are whole.

import {
  copiesSentence,
  leakNames,
  leakRows,
  taskRows,
  type DataSummary,
} from "../input/data-summary.ts";
import { formatCount } from "../../data/internal.ts";
import { html, type Html } from "./html.ts";

/**
 * @param without - the command that repeats the run without the possible leaks, if anything is left then.
 */
export function dataSection(data: DataSummary, without: string | undefined): Html {
  const { rows, columns } = data;
  return html`<section class="long">
    <h2>The data</h2>
    ${pairs("target", data.target, taskRows(data))}
    ${
      rows.leftOut.length > 0 &&
      html`<h3>Rows left out</h3>
        ${pairs(
          "rows",
          "why",
          rows.leftOut.map(({ count, reason }) => [formatCount(count, "row"), reason]),
        )}`
    }
    ${
      columns.notUsed.length > 0 &&
      html`<h3>Columns not used</h3>
        ${pairs(
          "column",
          "why",
          columns.notUsed.map(({ name, reason }) => [name, reason]),
        )}`
    }
    ${
      data.possibleLeaks.length > 0 &&
      html`<h3>Possible leaks</h3>
        ${pairs("column", "what it shows", leakRows(data))}
        ${
          leakNames(data).length > 0 &&
          html`<p>
            What is not known when you predict must not be used: a model that has it looks better
            than it is. ${without === undefined ? "No other column is used." : "Without them:"}
          </p>`
        }
        ${without !== undefined && html`<pre>${without}</pre>`}`
    }
    ${copiesSentence(data).map((sentence) => html`<p>${sentence}</p>`)}
  </section>`;
}

function pairs(first: string, second: string, rows: readonly (readonly [string, string])[]): Html {
  return html`<div class="scroll">
    <table class="facts">
      <thead>
        <tr>
          <th scope="col">${first}</th>
          <th scope="col">${second}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, text]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${text}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
