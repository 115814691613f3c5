/** Validation accuracy against training episodes, the episodes on a logarithmic axis. */
import { linearScale, logScale } from "../../src/cli/page/axis.ts";
import { lineChart } from "../line-chart.ts";

/** One training. */
export interface Curve {
  readonly title: string;
  readonly points: readonly { readonly episodes: number; readonly accuracy: number }[];
}

/** Curves in percent. */
export function accuracyChart(title: string, curves: readonly Curve[]): string {
  const lines = curves.map(({ title, points }) => ({
    title,
    points: points.map(({ episodes, accuracy }) => ({ x: episodes, y: 100 * accuracy })),
  }));
  const points = lines.flatMap((line) => line.points);
  const accuracies = linearScale(
    points.map(({ y }) => y),
    { ticks: 6 },
  );
  return lineChart(
    title,
    { title: "training episodes", scale: logScale(points.map(({ x }) => x)) },
    { title: "validation accuracy, %", scale: accuracies },
    lines,
  );
}
