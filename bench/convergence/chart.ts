/** A chart of errors over T, the errors on a logarithmic axis. */
import { linearScale, logScale } from "../../src/cli/page/axis.ts";
import { lineChart } from "../line-chart.ts";

/** One line of the chart. */
export interface Series {
  readonly title: string;
  readonly colour: string;
  /** Dashed, without dots: what theory says. */
  readonly isPrediction?: boolean;
  readonly points: readonly { readonly steps: number; readonly error: number }[];
}

/** Errors against T; values that are not positive are left out. */
export function errorChart(title: string, all: readonly Series[]): string {
  const series = all.map((s) => ({ ...s, points: s.points.filter(({ error }) => error > 0) }));
  const measured = series.filter((s) => !s.isPrediction).flatMap((s) => s.points);
  const steps = series.flatMap(({ points }) => points.map((point) => point.steps));
  const x = linearScale(steps, { ticks: 8, whole: true, tight: true });
  const y = logScale(measured.map(({ error }) => error));
  return lineChart(
    title,
    { title: "T, inner steps", scale: x },
    { title: "error", scale: y },
    series.map(({ title, colour, isPrediction = false, points }) => ({
      title,
      colour,
      isDashed: isPrediction,
      points: points.map(({ steps, error }) => ({ x: steps, y: error })),
    })),
  );
}
