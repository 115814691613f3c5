/** Charts with lines, points and 95 % intervals, as SVG files that read on light and dark pages. */
import { html, type Html } from "../src/cli/page/html.ts";
import type { Scale } from "../src/cli/page/axis.ts";

/** A value at a place on the horizontal axis. */
export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** The interval is y ± this. */
  readonly halfWidth?: number;
}

/** One line of a chart. */
export interface ChartLine {
  readonly title: string;
  /** Default: the next of the chart's own. */
  readonly colour?: string;
  /** Dashed, without dots. */
  readonly isDashed?: boolean;
  /** Without dots. */
  readonly isPlain?: boolean;
  /** Dots alone. */
  readonly isLoose?: boolean;
  readonly points: readonly ChartPoint[];
}

/** An axis: where values lie on it, and what it is. */
export interface Axis {
  readonly title: string;
  readonly scale: Pick<Scale, "position" | "ticks">;
}

const size = { width: 720, height: 400, left: 66, right: 170, top: 38, bottom: 48 };
const plot = {
  width: size.width - size.left - size.right,
  height: size.height - size.top - size.bottom,
};
/** Each serves one line in turn; from the second round on, dashed. */
const colours = ["#1f4e9c", "#b5541c", "#2e7d4f", "#7a3e9d", "#c23b6e", "#0f8b8d", "#6b6b6b"];

/** Places with names, evenly spread: T and the exact response beside each other. */
export function namedPlaces(title: string, names: readonly string[]): Axis {
  const position = (value: number): number => (value + 0.5) / names.length;
  const ticks = names.map((label, value) => ({ value, label, position: position(value) }));
  return { title, scale: { position, ticks } };
}

/** The lines over two axes, with the legend on the right. */
export function lineChart(title: string, x: Axis, y: Axis, lines: readonly ChartLine[]): string {
  const base = size.top + plot.height;
  const px = (value: number): string => pixel(size.left + x.scale.position(value) * plot.width);
  const py = (value: number): string => pixel(base - y.scale.position(value) * plot.height);
  const interval = ({ x, y, halfWidth }: ChartPoint, colour: string): Html | undefined =>
    halfWidth === undefined
      ? undefined
      : html`<path
          d="M${px(x)} ${py(y - halfWidth)}V${py(y + halfWidth)}"
          stroke="${colour}"
          stroke-width="1.4"
        />`;
  const draw = (line: ChartLine, i: number): Html => {
    const { points, isDashed, isLoose, isPlain } = line;
    const { colour, dashes } = strokeOf(line, i);
    const path = points.map((p, k) => `${k === 0 ? "M" : "L"}${px(p.x)} ${py(p.y)}`).join("");
    const stroke = html`<path
      d="${path}"
      fill="none"
      stroke="${colour}"
      stroke-width="${isDashed ? 1.4 : 2}"
      stroke-dasharray="${dashes}"
      clip-path="url(#plot)"
    />`;
    const dot = (p: ChartPoint): Html =>
      html`<circle cx="${px(p.x)}" cy="${py(p.y)}" r="3" fill="${colour}" />`;
    return html`${!isLoose && stroke}${points.map((p) => interval(p, colour))}${
      !isDashed && !isPlain && points.map(dot)
    }`;
  };
  const legend = (line: ChartLine, i: number): Html => {
    const row = size.top + 16 + 18 * i;
    const left = size.left + plot.width + 14;
    const { colour, dashes } = strokeOf(line, i);
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
  const rows = y.scale.ticks.map(({ value, label }) => {
    const at = py(value);
    return html`<line
        x1="${size.left}"
        x2="${size.left + plot.width}"
        y1="${at}"
        y2="${at}"
        stroke="#ddd"
      /><text x="${size.left - 7}" y="${Number(at) + 4}" text-anchor="end">${label}</text>`;
  });
  const columns = x.scale.ticks.map(({ value, label }) => {
    const at = px(value);
    return html`<line x1="${at}" x2="${at}" y1="${base}" y2="${base + 5}" stroke="#333" /><text
        x="${at}"
        y="${base + 19}"
        text-anchor="middle"
      >
        ${label}
      </text>`;
  });
  return html`<svg
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
    ${rows} ${columns}
    <path
      d="M${size.left} ${size.top}V${base}H${size.left + plot.width}"
      fill="none"
      stroke="#333"
    />
    ${lines.map(draw)} ${lines.map(legend)}
    <text x="${size.left + plot.width / 2}" y="${size.height - 10}" text-anchor="middle">
      ${x.title}
    </text>
    <text transform="translate(16 ${size.top + plot.height / 2}) rotate(-90)" text-anchor="middle">
      ${y.title}
    </text>
  </svg> `.text;
}

function strokeOf(
  { colour, isDashed }: ChartLine,
  index: number,
): { colour: string; dashes: string } {
  return {
    colour: colour ?? colours[index % colours.length]!,
    dashes: isDashed || index >= colours.length ? "5 4" : "none",
  };
}

function pixel(value: number): string {
  return value.toFixed(1);
}
