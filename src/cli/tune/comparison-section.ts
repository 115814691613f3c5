// The report's evidence: the verdict in words, the table of methods, and the main metric with its
// intervals as a chart.

import type { MethodResult, TuneResult } from "../../automl/index.ts";
import type { Comparison, MetricInfo } from "../../automl/internal.ts";
import { formatEstimate, formatNumber } from "../../data/internal.ts";
import { meanOf } from "./method-table.ts";
import { intervalChart } from "../page/charts.ts";
import { html, type Html } from "../page/html.ts";

/** Verdict, table and interval chart. */
export function comparisonSection(result: TuneResult, comparison: Comparison): Html {
  const { metrics, primary } = comparison;
  return html`<section>
    <h2>Was it worth it?</h2>
    <div class="verdict">
      ${comparison.verdict.map((sentence) => html`<p>${sentence.replaceAll(" %", "\u00a0%")}</p>`)}
    </div>
    ${
      result.methods.length === 0
        ? undefined
        : html`<div class="scroll">
              <table class="methods">
                <thead>
                  <tr>
                    <th scope="col">method</th>
                    <th scope="col">validation loss</th>
                    ${metrics.map(({ metric }) => html`<th scope="col">${heading(metric)}</th>`)}
                    <th scope="col">seconds</th>
                  </tr>
                </thead>
                <tbody>
                  ${result.methods.map((method) => methodRow(method, comparison))}
                </tbody>
              </table>
            </div>
            <p class="small">${tableNote(result, comparison)}</p>`
    }
    ${primary === undefined ? undefined : chart(result, comparison)}
  </section>`;
}

/** A metric with an arrow to its better side, which stays on the last word's line. */
function heading(metric: MetricInfo): string {
  return `test ${metric.title}\u00a0${metric.better === "higher" ? "↑" : "↓"}`;
}

function methodRow(method: MethodResult, comparison: Comparison): Html {
  const cells = comparison.metrics.map(({ metric, best }) => {
    const estimate = method.test[metric.key];
    const text = estimate === undefined ? "–" : formatEstimate(estimate.mean, estimate.halfWidth);
    const label = `test ${metric.title}`;
    return best === method.method
      ? html`<td class="best" data-label="${label}">${text} ★</td>`
      : html`<td data-label="${label}">${text}</td>`;
  });
  return html`<tr>
    <td>${method.title}</td>
    <td data-label="validation loss">${formatNumber(meanOf(method.validationLoss))}</td>
    ${cells}
    <td data-label="seconds">${meanOf(method.seconds).toFixed(2)}</td>
  </tr>`;
}

function tableNote(result: TuneResult, comparison: Comparison): string {
  const splits = result.completedRepeats;
  const spread =
    splits > 1
      ? `Means ± 95 % intervals over ${splits} random splits (Student t, widened because the splits overlap).`
      : "One split only, so no intervals.";
  const marked = comparison.metrics.some(({ best }) => best !== undefined)
    ? "★ marks a method that is better than each of the others beyond the paired interval."
    : splits > 1
      ? "No method is marked best, because no paired interval singles one out."
      : "";
  const loss =
    result.task === "regression"
      ? "half the mean squared error of the standardized target"
      : "the mean log loss";
  return `${spread} ${marked} Validation loss is ${loss}; it and the seconds are means per split. The test rows were never used for choosing.`;
}

/** Searches stand out; baselines have colours of their own, in turn. */
function toneOf(methods: readonly MethodResult[], place: number): string {
  if (methods[place]!.role === "search") return "search";
  return place % 2 === 0 ? "baseline" : "baseline-2";
}

function chart(result: TuneResult, comparison: Comparison): Html {
  const [first] = comparison.metrics;
  const { metric, best } = first!;
  const rows = result.methods.flatMap((method, place) => {
    const estimate = method.test[metric.key];
    if (estimate === undefined) return [];
    return [
      {
        // What stands in parentheses is in the table; here it would run into the estimate.
        title: method.title.replace(/ \(.*\)$/, ""),
        values: estimate.values,
        mean: estimate.mean,
        halfWidth: estimate.halfWidth ?? NaN,
        strong: best === method.method,
        tone: toneOf(result.methods, place),
      },
    ];
  });
  const direction = metric.better === "higher" ? "right is better" : "left is better";
  return intervalChart(
    `Test ${metric.title}: means with 95 % intervals; pale dots are the splits`,
    `test ${metric.title} (${direction})`,
    rows,
  );
}
