/** Two panels, both axes logarithmic, as an SVG file that reads on light and dark pages. */
import { logScale } from "../../src/cli/page/axis.ts";
import { html, type Html } from "../../src/cli/page/html.ts";

/** Measured points, and the power by which they are predicted to grow, drawn through the last one. */
export interface Panel {
  readonly title: string;
  readonly points: readonly { readonly size: number; readonly value: number }[];
  readonly power: number;
}

const size = { width: 760, height: 300 };
const plot = { left: 62, top: 52, width: 290, height: 190, apart: 378 };
const colour = "#1f4e9c";

/** The panels side by side. */
export function growthChart(title: string, axis: string, panels: readonly Panel[]): string {
  const sizes = panels.flatMap(({ points }) => points.map((point) => point.size));
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
    <clipPath id="plot"><rect width="${plot.width}" height="${plot.height}" /></clipPath>
    <text x="${plot.left}" y="20" font-size="14" font-weight="bold">${title}</text>
    <text x="${plot.left}" y="${size.height - 8}">${axis}; dashed: predicted growth</text>
    ${panels.map((panel, i) => drawPanel(panel, i, sizes))}
  </svg> `;
  return drawn.text;
}

function drawPanel({ title, points, power }: Panel, index: number, sizes: readonly number[]): Html {
  const x = logScale(sizes);
  const y = logScale(points.map(({ value }) => value));
  const px = (value: number): string => (x.position(value) * plot.width).toFixed(1);
  const height = (position: number): string => ((1 - position) * plot.height).toFixed(1);
  const py = (value: number): string => height(y.position(value));
  const path = (line: Panel["points"]): string =>
    line.map(({ size, value }, i) => `${i === 0 ? "M" : "L"}${px(size)} ${py(value)}`).join("");
  const last = points.at(-1);
  const predicted = sizes
    .toSorted((a, b) => a - b)
    .map((size) => ({ size, value: last ? last.value * (size / last.size) ** power : 1 }));
  return html`<g transform="translate(${plot.left + index * plot.apart} ${plot.top})">
    <text y="-10">${title}</text>
    ${y.ticks.map((t) => html`<line x2="${plot.width}" y1="${height(t.position)}" y2="${height(t.position)}" stroke="#ddd" /><text x="-6" y="${Number(height(t.position)) + 4}" text-anchor="end">${t.label}</text>`)}
    ${x.ticks.map((t) => html`<line x1="${px(t.value)}" x2="${px(t.value)}" y1="${plot.height}" y2="${plot.height + 5}" stroke="#333" /><text x="${px(t.value)}" y="${plot.height + 19}" text-anchor="middle">${t.label}</text>`)}
    <path d="M0 0V${plot.height}H${plot.width}" fill="none" stroke="#333" />
    <path
      d="${path(predicted)}"
      fill="none"
      stroke="#b5541c"
      stroke-width="1.4"
      stroke-dasharray="5 4"
      clip-path="url(#plot)"
    />
    <path d="${path(points)}" fill="none" stroke="${colour}" stroke-width="2" />
    ${points.map(({ size, value }) => html`<circle cx="${px(size)}" cy="${py(value)}" r="3" fill="${colour}" />`)}
  </g>`;
}
