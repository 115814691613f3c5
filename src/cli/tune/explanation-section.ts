// What each input column is worth, as a picture: one row per column with the bars that the model's family asks for, the most
// used columns first.

import type { ExplainedBar, ExplainedInput, TuneResult } from "../../automl/index.ts";
import { formatCount, formatNumber, formatPercent } from "../../data/internal.ts";
import { html, type Html } from "../page/html.ts";

/** Columns drawn one by one; the remaining, least used ones are counted in a sentence. */
export const shownColumns = 100;

/** The picture with the words on how to read it; nothing for a family that does not explain its models. */
export function explanationSection(result: TuneResult): Html | undefined {
  const { inputs, explanation } = result;
  if (explanation === undefined || inputs.length === 0) return undefined;
  const { bars, order, details, reading, definitions } = explanation;
  const rest = Math.max(0, order.length - shownColumns);
  const largest = new Map(
    bars.map(({ number }) => {
      const values = inputs.map(({ numbers }) => numbers[number]!);
      return [number, Math.max(...values, Number.MIN_VALUE)] as const;
    }),
  );
  return html`<section class="long">
    <h2>What each column is worth</h2>
    <p>${reading}</p>
    <div class="bars" role="table" aria-label="What every input column is worth">
      <div class="bar-row bar-head" role="row">
        <span role="columnheader">column</span>${bars.map(
          ({ title }) => html`<span role="columnheader">${title}</span>`,
        )}
      </div>
      ${order
        .slice(0, shownColumns)
        .map((place) => inputRow(inputs[place]!, details[place]!, bars, largest))}
    </div>
    ${
      rest > 0 &&
      html`<p>
        ${formatCount(rest, "more column")} that the model uses less are not drawn; all are in
        result.json.
      </p>`
    }
    ${droppedSentence(result)}
    <p class="small">${definitions}</p>
  </section>`;
}

function inputRow(
  input: ExplainedInput,
  detail: string,
  bars: readonly ExplainedBar[],
  largest: ReadonlyMap<string, number>,
): Html {
  const levels = input.kind === "categorical" ? formatCount(input.columns, "level column") : "";
  return html`<div class="bar-row" role="row" title="${`${input.name}: ${detail}`}">
    <span class="bar-name" role="cell"
      >${input.name}${levels === "" ? undefined : html` <small>${levels}</small>`}</span
    >
    ${bars.map(({ number, scale, tone }) => {
      const value = input.numbers[number]!;
      const isShare = scale === "share";
      const text = isShare ? formatPercent(value) : formatNumber(value, 2);
      return html`<span class="bar-cell" role="cell"
        >${bar(isShare ? value : value / largest.get(number)!, tone)}<span class="bar-value"
          >${text}</span
        ></span
      >`;
    })}
  </div>`;
}

/** SVG instead of a coloured box, because browsers do not print backgrounds. */
function bar(fraction: number, tone: string): Html {
  const width = (100 * Math.min(1, Math.max(0, fraction))).toFixed(2);
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect class="track" width="100" height="10" />
    <rect class="${tone}" width="${width}" height="10" />
  </svg>`;
}

function droppedSentence(result: TuneResult): Html | undefined {
  const { dropped } = result.model.encoder;
  if (dropped.length === 0) return undefined;
  const named = dropped.slice(0, shownColumns).map(({ name, reason }) => `${name} (${reason})`);
  return html`<p>Left out before training: ${named.join(", ")}.</p>`;
}
