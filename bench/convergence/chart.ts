/** A chart of errors over T on a logarithmic axis, as an SVG file that reads on light and dark pages. */
import { html, type Html } from "../../src/cli/report/html.ts";
import { linearScale, logScale } from "../../src/cli/report/axis.ts";

/** One line of the chart. */
export interface Series {
  readonly title: string;
  readonly colour: string;
  /** Dashed, without dots: what theory says. */
  readonly isPrediction?: boolean;
  readonly points: readonly { readonly steps: number; readonly error: number }[];
}

const size = { width: 640, height: 400, left: 66, right: 20, top: 38, bottom: 48 };

/** Errors against T; values that are not positive are left out. */
export function errorChart(title: string, all: readonly Series[]): string {
  const series = all.map((s) => ({ ...s, points: s.points.filter(({ error }) => error > 0) }));
  const points = series.flatMap((s) => s.points);
  const measured = series.filter((s) => !s.isPrediction).flatMap((s) => s.points);
  const x = linearScale(
    points.map(({ steps }) => steps),
    { ticks: 8, whole: true, tight: true },
  );
  const y = logScale(measured.map(({ error }) => error));
  const plot = {
    width: size.width - size.left - size.right,
    height: size.height - size.top - size.bottom,
  };
  const base = size.top + plot.height;
  const px = (position: number): string => (size.left + position * plot.width).toFixed(1);
  const py = (position: number): string => (size.top + (1 - position) * plot.height).toFixed(1);
  const path = (s: Series): string =>
    s.points
      .map(
        ({ steps, error }, i) =>
          `${i === 0 ? "M" : "L"}${px(x.position(steps))} ${py(y.position(error))}`,
      )
      .join("");
  const line = (s: Series): Html =>
    html`<path
        d="${path(s)}"
        fill="none"
        stroke="${s.colour}"
        stroke-width="${s.isPrediction ? 1.4 : 2}"
        stroke-dasharray="${s.isPrediction ? "5 4" : "none"}"
        clip-path="url(#plot)"
      />${s.isPrediction ? undefined : s.points.map(({ steps, error }) => html`<circle cx="${px(x.position(steps))}" cy="${py(y.position(error))}" r="3" fill="${s.colour}" />`)}`;
  const legend = (s: Series, i: number): Html => {
    const row = size.top + 16 + 18 * i;
    const left = size.left + plot.width - 190;
    return html`<line
        x1="${left}"
        x2="${left + 24}"
        y1="${row - 4}"
        y2="${row - 4}"
        stroke="${s.colour}"
        stroke-width="2"
        stroke-dasharray="${s.isPrediction ? "5 4" : "none"}"
      /><text x="${left + 30}" y="${row}">${s.title}</text>`;
  };
  const drawn = html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${size.width} ${size.height}"
    font-family="sans-serif"
    font-size="12"
    fill="#333"
    role="img"
    aria-label="${title}"
  >
    <rect width="${size.width}" height="${size.height}" fill="#fff" />
    <clipPath id="plot">
      <rect x="${size.left}" y="${size.top}" width="${plot.width}" height="${plot.height}" />
    </clipPath>
    <text x="${size.left}" y="22" font-size="14" font-weight="bold">${title}</text>
    ${y.ticks.map((t) => html`<line x1="${size.left}" x2="${size.left + plot.width}" y1="${py(t.position)}" y2="${py(t.position)}" stroke="#ddd" /><text x="${size.left - 7}" y="${Number(py(t.position)) + 4}" text-anchor="end">${t.label}</text>`)}
    ${x.ticks.map((t) => html`<line x1="${px(t.position)}" x2="${px(t.position)}" y1="${base}" y2="${base + 5}" stroke="#333" /><text x="${px(t.position)}" y="${base + 19}" text-anchor="middle">${t.label}</text>`)}
    <path
      d="M${size.left} ${size.top}V${base}H${size.left + plot.width}"
      fill="none"
      stroke="#333"
    />
    ${series.map(line)} ${series.map(legend)}
    <text x="${size.left + plot.width / 2}" y="${size.height - 10}" text-anchor="middle">
      T, inner steps
    </text>
    <text transform="translate(16 ${size.top + plot.height / 2}) rotate(-90)" text-anchor="middle">
      error
    </text>
  </svg> `;
  return drawn.text;
}
