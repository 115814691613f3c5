// The report's charts as inline SVG: a line over steps, and means with their intervals. Sizes are
// chosen so that the text stays readable when the page is 400 pixels wide.

import { formatEstimate, formatNumber } from "../../data/internal.ts";
import { linearScale, logScale, spansDecades, type Scale } from "./axis.ts";
import { html, type Html } from "./html.ts";

/** One line chart: values against steps. */
export interface LineChart {
  title: string;
  /** Label of the vertical axis. */
  label: string;
  points: readonly { step: number; value: number }[];
  /** `"auto"` takes a logarithmic axis when the values span two decades. */
  scale: "log" | "auto";
  /** Colour class of the line, defined in styles.ts. */
  tone: string;
  /** A step to mark, such as the one whose coefficients were kept. */
  mark?: { step: number; text: string };
}

const size = { width: 380, height: 220, left: 58, right: 14, top: 12, bottom: 38 };

/** A line chart with both axes labelled; the text alternative gives the first and last value. */
export function lineChart(chart: LineChart): Html {
  const drawable = chart.points.filter(({ value }) => Number.isFinite(value));
  if (drawable.length === 0)
    return html`<p class="empty">No finite values of the ${chart.label}.</p>`;
  const values = drawable.map(({ value }) => value);
  const positive = values.every((value) => value > 0);
  const log = positive && (chart.scale === "log" || spansDecades(values, 2));
  const y = log ? logScale(values) : linearScale(values, { ticks: 4 });
  const x = linearScale(
    drawable.map(({ step }) => step),
    { ticks: 6, whole: true, tight: true },
  );
  const [plotWidth, plotHeight] = [
    size.width - size.left - size.right,
    size.height - size.top - size.bottom,
  ];
  const px = (step: number): string => (size.left + x.position(step) * plotWidth).toFixed(1);
  const py = (value: number): string =>
    (size.top + (1 - y.position(value)) * plotHeight).toFixed(1);
  const path = drawable.map(
    ({ step, value }, i) => `${i === 0 ? "M" : "L"}${px(step)} ${py(value)}`,
  );
  const last = drawable.at(-1)!;
  const summary = `${chart.title}: from ${formatNumber(values[0])} at step ${drawable[0]!.step} to ${formatNumber(last.value)} at step ${last.step}`;
  const middle = size.top + plotHeight / 2;
  return html`<figure class="chart">
    <figcaption>${chart.title}</figcaption>
    <svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${summary}">
      ${gridLines(x, y, plotWidth, plotHeight)}
      ${chart.mark === undefined ? undefined : html`<line class="mark" x1="${px(chart.mark.step)}" x2="${px(chart.mark.step)}" y1="${size.top}" y2="${size.top + plotHeight}"><title>${chart.mark.text}</title></line>`}
      <path class="line ${chart.tone}" d="${path.join("")}" />
      ${drawable.length > 80 ? undefined : drawable.map(({ step, value }) => html`<circle class="dot ${chart.tone}" cx="${px(step)}" cy="${py(value)}" r="2"><title>step ${step}: ${formatNumber(value, 5)}</title></circle>`)}
      <text
        class="axis"
        x="${size.left + plotWidth / 2}"
        y="${size.height - 4}"
        text-anchor="middle"
      >
        outer step
      </text>
      <text class="axis" transform="translate(11 ${middle}) rotate(-90)" text-anchor="middle">
        ${chart.label}${log ? " (log scale)" : ""}
      </text>
    </svg>
  </figure>`;
}

/** A row of an interval chart: every split's value, the mean and its interval. */
export interface IntervalRow {
  title: string;
  values: readonly number[];
  mean: number;
  halfWidth: number;
  strong: boolean;
  tone: string;
}

/** Means as dots with 95 % whiskers, one row a method, every split's value as a pale dot. */
export function intervalChart(title: string, label: string, rows: readonly IntervalRow[]): Html {
  const [width, left, right, rowHeight] = [380, 14, 14, 46];
  const bottom = 38;
  const height = rows.length * rowHeight + bottom;
  const extremes = rows.flatMap(({ values, mean, halfWidth }) =>
    Number.isFinite(halfWidth)
      ? [...values, mean - halfWidth, mean + halfWidth]
      : [...values, mean],
  );
  const x = linearScale(extremes, { ticks: 4 });
  const px = (value: number): string =>
    (left + x.position(value) * (width - left - right)).toFixed(1);
  const base = rows.length * rowHeight;
  return html`<figure class="chart">
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
      ${x.ticks.map((tick) => html`<line class="grid" x1="${px(tick.value)}" x2="${px(tick.value)}" y1="4" y2="${base}" /><text class="tick" x="${px(tick.value)}" y="${base + 15}" text-anchor="middle">${tick.label}</text>`)}
      ${rows.map((row, i) => {
        const y = i * rowHeight + 32;
        const whisker = Number.isFinite(row.halfWidth)
          ? html`<line
              class="whisker ${row.tone}"
              x1="${px(row.mean - row.halfWidth)}"
              x2="${px(row.mean + row.halfWidth)}"
              y1="${y}"
              y2="${y}"
            />`
          : undefined;
        const estimate = formatEstimate(row.mean, row.halfWidth);
        const className = row.strong ? "row strong" : "row";
        return html`<text class="row" x="${left}" y="${y - 15}">${row.title}</text>
          <text class="${className}" x="${width - right}" y="${y - 15}" text-anchor="end"
            >${estimate}</text
          >
          ${whisker}${row.values.map((value) => html`<circle class="split ${row.tone}" cx="${px(value)}" cy="${y}" r="3"><title>${formatNumber(value, 5)}</title></circle>`)}
          <circle class="mean ${row.tone}" cx="${px(row.mean)}" cy="${y}" r="5" />`;
      })}
      <text class="axis" x="${width / 2}" y="${height - 5}" text-anchor="middle">${label}</text>
    </svg>
  </figure>`;
}

function gridLines(x: Scale, y: Scale, plotWidth: number, plotHeight: number): Html[] {
  const right = size.left + plotWidth;
  const base = size.top + plotHeight;
  const horizontal = y.ticks.map((tick) => {
    const at = (size.top + (1 - tick.position) * plotHeight).toFixed(1);
    return html`<line class="grid" x1="${size.left}" x2="${right}" y1="${at}" y2="${at}" /><text
        class="tick"
        x="${size.left - 6}"
        y="${Number(at) + 4}"
        text-anchor="end"
        >${tick.label}</text
      >`;
  });
  const vertical = x.ticks.map((tick) => {
    const at = (size.left + tick.position * plotWidth).toFixed(1);
    return html`<line class="tickmark" x1="${at}" x2="${at}" y1="${base}" y2="${base + 4}" /><text
        class="tick"
        x="${at}"
        y="${base + 16}"
        text-anchor="middle"
        >${tick.label}</text
      >`;
  });
  const frame = html`<line
    class="base"
    x1="${size.left}"
    x2="${right}"
    y1="${base}"
    y2="${base}"
  />`;
  return [...horizontal, ...vertical, frame];
}
