/** Validation accuracy against training episodes, as an SVG file that reads on light and dark pages. */
import { linearScale, logScale } from "../../src/cli/report/axis.ts";
import { html, type Html } from "../../src/cli/report/html.ts";

/** One training. */
export interface Curve {
  readonly title: string;
  readonly points: readonly { readonly episodes: number; readonly accuracy: number }[];
}

const colours = [
  "#1f4e9c",
  "#b5541c",
  "#2f7d4f",
  "#7a3e9d",
  "#a8861a",
  "#c0392b",
  "#1a8a99",
  "#666666",
  "#d0619a",
];
const size = { width: 720, height: 400, left: 60, right: 260, top: 38, bottom: 48 };

/** Curves over a logarithmic number of episodes, in percent, with a legend beside them. */
export function accuracyChart(title: string, curves: readonly Curve[]): string {
  const points = curves.flatMap((curve) => curve.points);
  const x = logScale(points.map(({ episodes }) => episodes));
  const y = linearScale(
    points.map(({ accuracy }) => 100 * accuracy),
    { ticks: 6 },
  );
  const width = size.width - size.left - size.right;
  const height = size.height - size.top - size.bottom;
  const base = size.top + height;
  const px = (position: number): string => (size.left + position * width).toFixed(1);
  const py = (position: number): string => (size.top + (1 - position) * height).toFixed(1);
  const at = (p: Curve["points"][number]): [string, string] => [
    px(x.position(p.episodes)),
    py(y.position(100 * p.accuracy)),
  ];
  const line = (curve: Curve, i: number): Html => {
    const places = curve.points.map(at);
    const path = places.map(([a, b], k) => `${k === 0 ? "M" : "L"}${a} ${b}`).join("");
    const colour = colours[i % colours.length]!;
    const row = size.top + 12 + 20 * i;
    const left = size.left + width + 14;
    return html`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2" />${places.map(
        ([a, b]) => html`<circle cx="${a}" cy="${b}" r="2.5" fill="${colour}" />`,
      )}
      <rect x="${left}" y="${row - 9}" width="12" height="10" fill="${colour}" />
      <text x="${left + 18}" y="${row}">${curve.title}</text>`;
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
    ${y.ticks.map((t) => html`<line x1="${size.left}" x2="${size.left + width}" y1="${py(t.position)}" y2="${py(t.position)}" stroke="#ddd" /><text x="${size.left - 7}" y="${Number(py(t.position)) + 4}" text-anchor="end">${t.label}</text>`)}
    ${x.ticks.map((t) => html`<line x1="${px(t.position)}" x2="${px(t.position)}" y1="${base}" y2="${base + 5}" stroke="#333" /><text x="${px(t.position)}" y="${base + 19}" text-anchor="middle">${t.label}</text>`)}
    <path d="M${size.left} ${size.top}V${base}H${size.left + width}" fill="none" stroke="#333" />
    ${curves.map(line)}
    <text x="${size.left + width / 2}" y="${size.height - 10}" text-anchor="middle">
      training episodes
    </text>
    <text transform="translate(16 ${size.top + height / 2}) rotate(-90)" text-anchor="middle">
      validation accuracy, %
    </text>
  </svg> `;
  return drawn.text;
}
