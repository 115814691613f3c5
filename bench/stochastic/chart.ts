/** A chart of gradient norms over calls on a logarithmic axis, as an SVG file that reads on light and dark pages. */
import { linearScale, logScale } from "../../src/cli/report/axis.ts";
import { html, type Html } from "../../src/cli/report/html.ts";
import { brokenOff, type TracePoint } from "./trace.ts";

/** One line of the chart. */
export interface Line {
  readonly title: string;
  readonly points: readonly TracePoint[];
}

const size = { width: 760, height: 420, left: 66, right: 180, top: 38, bottom: 48 };
const plot = {
  width: size.width - size.left - size.right,
  height: size.height - size.top - size.bottom,
};
/** Each colour serves two lines in turn, the second one dashed. */
const colours = ["#1f4e9c", "#b5541c", "#2e7d4f", "#7a3e9d", "#c23b6e", "#0f8b8d", "#6b6b6b"];

/** ‖∇F‖² against calls; a run that broke off ends where it did. */
export function callsChart(title: string, all: readonly Line[]): string {
  const lines = all.map(({ title, points }) => ({
    title,
    points: points.filter(({ gradientNorm }) => gradientNorm > 0 && gradientNorm < brokenOff),
  }));
  const points = lines.flatMap((line) => line.points);
  const x = linearScale(
    points.map(({ calls }) => calls),
    { ticks: 6, whole: true, tight: true },
  );
  const y = logScale(points.map(({ gradientNorm }) => gradientNorm));
  const base = size.top + plot.height;
  const px = (position: number): string => (size.left + position * plot.width).toFixed(1);
  const py = (position: number): string => (size.top + (1 - position) * plot.height).toFixed(1);
  const path = (line: Line): string =>
    line.points
      .map(
        ({ calls, gradientNorm }, i) =>
          `${i === 0 ? "M" : "L"}${px(x.position(calls))} ${py(y.position(gradientNorm))}`,
      )
      .join("");
  const style = (i: number): { colour: string; dashes: string } => ({
    colour: colours[i % colours.length]!,
    dashes: i < colours.length ? "none" : "5 3",
  });
  const drawLine = (line: Line, i: number): Html => {
    const { colour, dashes } = style(i);
    return html`<path
      d="${path(line)}"
      fill="none"
      stroke="${colour}"
      stroke-width="1.8"
      stroke-dasharray="${dashes}"
    />`;
  };
  const drawTitle = (line: Line, i: number): Html => {
    const { colour, dashes } = style(i);
    const row = size.top + 16 + 18 * i;
    const left = size.left + plot.width + 14;
    return html`<line
        x1="${left}"
        x2="${left + 24}"
        y1="${row - 4}"
        y2="${row - 4}"
        stroke="${colour}"
        stroke-width="2"
        stroke-dasharray="${dashes}"
      /><text x="${left + 30}" y="${row}">${line.title}</text>`;
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
    <text x="${size.left}" y="22" font-size="14" font-weight="bold">${title}</text>
    ${y.ticks.map((t) => html`<line x1="${size.left}" x2="${size.left + plot.width}" y1="${py(t.position)}" y2="${py(t.position)}" stroke="#ddd" /><text x="${size.left - 7}" y="${Number(py(t.position)) + 4}" text-anchor="end">${t.label}</text>`)}
    ${x.ticks.map((t) => html`<line x1="${px(t.position)}" x2="${px(t.position)}" y1="${base}" y2="${base + 5}" stroke="#333" /><text x="${px(t.position)}" y="${base + 19}" text-anchor="middle">${t.label}</text>`)}
    <path
      d="M${size.left} ${size.top}V${base}H${size.left + plot.width}"
      fill="none"
      stroke="#333"
    />
    ${lines.map(drawLine)} ${lines.map(drawTitle)}
    <text x="${size.left + plot.width / 2}" y="${size.height - 10}" text-anchor="middle">
      calls of a batch's derivative
    </text>
  </svg> `;
  return drawn.text;
}
