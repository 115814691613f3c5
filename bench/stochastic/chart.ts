/** A chart of gradient norms over calls, the norms on a logarithmic axis. */
import { linearScale, logScale } from "../../src/cli/page/axis.ts";
import { lineChart } from "../line-chart.ts";
import { brokenOff, type TracePoint } from "./trace.ts";

/** One line of the chart. */
export interface Line {
  readonly title: string;
  readonly points: readonly TracePoint[];
}

/** ‖∇F‖² against calls; a run that broke off ends where it did. */
export function callsChart(title: string, all: readonly Line[]): string {
  const lines = all.map(({ title, points }) => ({
    title,
    isPlain: true,
    points: points
      .filter(({ gradientNorm }) => gradientNorm > 0 && gradientNorm < brokenOff)
      .map(({ calls, gradientNorm }) => ({ x: calls, y: gradientNorm })),
  }));
  const points = lines.flatMap((line) => line.points);
  const calls = linearScale(
    points.map(({ x }) => x),
    { ticks: 6, whole: true, tight: true },
  );
  return lineChart(
    title,
    { title: "calls of a batch's derivative", scale: calls },
    { title: "‖∇F‖²", scale: logScale(points.map(({ y }) => y)) },
    lines,
  );
}
