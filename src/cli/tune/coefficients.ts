// The tuned coefficients as a picture: one row per input column, a bar for how strongly the column
// is shrunk and a bar for the weight it ended up with, the most used columns first.

import type { TuneResult } from "../../automl/tabular/types.ts";
import { formatCount, formatNumber, formatPercent } from "../terminal/numbers.ts";
import { html, type Html } from "../page/html.ts";

/** Columns drawn one by one; the remaining, most shrunk ones are summed up in a sentence. */
export const shownColumns = 100;

/** An input column with its shrinkage, between 0 and 1. */
export interface ShrunkInput {
  name: string;
  kind: "numeric" | "categorical";
  columns: number;
  coefficient: number;
  weightNorm: number;
  shrinkage: number;
}

/**
 * Effective shrinkage of a coefficient λ: λ / (λ + c), the fraction by which the penalty ½λw² alone
 * pulls the weight of a standardized, uncorrelated column towards 0 when the loss curves by c.
 *
 * c is the loss's curvature (or its bound): 1 for squares, ¼ logistic, ½ softmax.
 */
export function effectiveShrinkage(coefficient: number, task: TuneResult["task"]): number {
  return coefficient / (coefficient + curvature[task]);
}

const curvature: Record<TuneResult["task"], number> = {
  regression: 1,
  binary: 0.25,
  multiclass: 0.5,
};

/** Input columns from the least to the most shrunk, ties by larger weight first. */
export function sortInputs(result: TuneResult): ShrunkInput[] {
  return result.inputs
    .map((input) => ({ ...input, shrinkage: effectiveShrinkage(input.coefficient, result.task) }))
    .toSorted((a, b) => a.shrinkage - b.shrinkage || b.weightNorm - a.weightNorm);
}

/** The picture with the sentence on how to read it. */
export function coefficientsSection(result: TuneResult): Html {
  const inputs = sortInputs(result);
  const shown = inputs.slice(0, shownColumns);
  const rest = inputs.slice(shownColumns);
  const largest = Math.max(...inputs.map(({ weightNorm }) => weightNorm), Number.MIN_VALUE);
  return html`<section class="long">
    <h2>What each column is worth</h2>
    <p>
      How to read it: the left bar is the column’s <em>shrinkage</em>. A <strong>long bar</strong>
      means that the column is strongly shrunk, that is, judged useless for predicting
      <strong>${result.target.name}</strong>; a short bar means that the model is free to use it.
      The right bar is the size of the weight that the final model gives the column. The least
      shrunk columns come first.
    </p>
    <div class="bars" role="table" aria-label="Shrinkage and weight of every input column">
      <div class="bar-row bar-head" role="row">
        <span role="columnheader">column</span><span role="columnheader">shrinkage</span
        ><span role="columnheader">weight</span>
      </div>
      ${shown.map((input) => inputRow(input, largest))}
    </div>
    ${rest.length === 0 ? undefined : restSentence(rest)} ${droppedSentence(result)}
    <p class="small">
      Shrinkage is λ/(λ + c), with λ the column’s tuned L2 coefficient and c the curvature of the
      loss (1 for squared error, ¼ for binary, ½ for several classes): the part of its weight that a
      standardized column, uncorrelated with the others, loses to the penalty. The columns of one
      categorical input share one coefficient; the weight is the Euclidean norm over them. Of two
      columns that carry the same information, either may be the one that is shrunk.
    </p>
  </section>`;
}

function inputRow(input: ShrunkInput, largest: number): Html {
  const detail = `${input.name}: λ = ${formatNumber(input.coefficient, 3)}, shrinkage ${formatPercent(input.shrinkage)}, weight ${formatNumber(input.weightNorm, 3)}`;
  const levels = input.kind === "categorical" ? formatCount(input.columns, "level column") : "";
  return html`<div class="bar-row" role="row" title="${detail}">
    <span class="bar-name" role="cell"
      >${input.name}${levels === "" ? undefined : html` <small>${levels}</small>`}</span
    >
    <span class="bar-cell" role="cell"
      >${bar(input.shrinkage, "shrink")}<span class="bar-value"
        >${formatPercent(input.shrinkage)}</span
      ></span
    >
    <span class="bar-cell" role="cell"
      >${bar(input.weightNorm / largest, "weight")}<span class="bar-value"
        >${formatNumber(input.weightNorm, 2)}</span
      ></span
    >
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

function restSentence(rest: readonly ShrunkInput[]): Html {
  const shrinkages = rest.map(({ shrinkage }) => shrinkage);
  const largest = Math.max(...rest.map(({ weightNorm }) => weightNorm));
  return html`<p>
    ${formatCount(rest.length, "more column")}, shrunk by ${formatPercent(Math.min(...shrinkages))}
    to ${formatPercent(Math.max(...shrinkages))}, with weights up to ${formatNumber(largest, 2)},
    are not drawn; all are in result.json.
  </p>`;
}
