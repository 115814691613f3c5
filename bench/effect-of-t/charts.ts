/** The charts of docs/results/effect-of-t.md. */
import { linearScale, logScale } from "../../src/cli/page/axis.ts";
import { meanInterval } from "../../src/data/index.ts";
import {
  lineChart,
  namedPlaces,
  type Axis,
  type ChartLine,
  type ChartPoint,
} from "../line-chart.ts";
import type { Decay } from "./decay.ts";
import { testAccuracy, type EpisodeRuns } from "./episode-tables.ts";
import { testSteps } from "./episodes.ts";
import type { Accuracies, EffectRun, Steps } from "./run.ts";
import { timeLine } from "./tables.ts";
import type { StepTime } from "./timing.ts";

/** Accuracies against T, and test accuracy on the way; by name. */
export function accuracyCharts(
  found: ReadonlyMap<Steps, readonly EffectRun[]>,
): [name: string, svg: string][] {
  const all = [...found];
  const byT = (title: string, read: (run: EffectRun) => number): ChartLine => ({
    title,
    points: all.map(([, runs], x) => estimate(x, runs.map(read))),
  });
  const last = (part: keyof Accuracies) => (run: EffectRun) => run.path.at(-1)![part];
  const ends = [
    byT("training", last("training")),
    byT("validation", last("validation")),
    byT("test", last("test")),
    byT("test at step 20", ({ path }) => path.find(({ step }) => step === 20)!.test),
  ];
  const paths = all.map(([steps, runs]): ChartLine => ({
    title: steps === "exact" ? "exact" : `T = ${steps}`,
    points: runs[0]!.path.map(({ step }, i) => ({
      x: step,
      y: meanInterval(runs.map(({ path }) => path[i]!.test)).mean,
    })),
  }));
  const outerSteps = paths[0]!.points.map(({ x }) => x);
  const places = namedPlaces(
    "T, inner steps",
    all.map(([steps]) => String(steps)),
  );
  return [
    ["accuracy", lineChart("Accuracy after tuning H, 95 % intervals", places, share([0, 1]), ends)],
    [
      "path",
      lineChart(
        "Test accuracy while H is tuned",
        { title: "outer steps", scale: linearScale(outerSteps, { whole: true, tight: true }) },
        share(valuesOf(paths)),
        paths,
      ),
    ],
  ];
}

/** The hypergradient's error against T, and the predicted fall through the last one. */
export function decayChart({ errors, predicted }: Decay): string {
  const last = errors.at(-1)!;
  const measured = errors.map(({ steps, error }) => ({ x: steps, y: error }));
  const expected = ({ x }: ChartPoint): ChartPoint => ({
    x,
    y: ((last.error * x) / last.steps) * Math.exp(predicted * (x - last.steps)),
  });
  const lines = [
    { title: "measured", points: measured },
    { title: "predicted, C·T·qᵀ", isDashed: true, points: measured.map(expected) },
  ];
  return lineChart(
    "‖∇F_T − ∇F‖ / ‖∇F‖ at the start",
    steps(measured.map(({ x }) => x)),
    { title: "relative error", scale: logScale(errors.map(({ error }) => error)) },
    lines,
  );
}

/** Times against T with their line, and the exact response's. */
export function timeChart(times: readonly StepTime[]): string {
  const points = times.flatMap((time): ChartPoint[] =>
    time.steps === "exact" ? [] : [{ x: time.steps, y: time.median }],
  );
  const { intercept, perStep } = timeLine(times);
  const exact = times.find((time) => time.steps === "exact");
  const ends = [points[0]!.x, points.at(-1)!.x];
  const across = (title: string, y: (x: number) => number): ChartLine => ({
    title,
    isDashed: true,
    points: ends.map((x) => ({ x, y: y(x) })),
  });
  return lineChart(
    "Processor time of an outer step, one thread",
    steps(points.map(({ x }) => x)),
    { title: "ms", scale: linearScale([0, ...points.map(({ y }) => y)]) },
    [
      { title: "measured", isLoose: true, points },
      across("line", (x) => intercept + perStep * x),
      ...(exact ? [across("exact", () => exact.median)] : []),
    ],
  );
}

/** Accuracies against T at test, a line for each T in training; drawn side by side, or intervals would hide each other. */
export function episodeChart(title: string, found: EpisodeRuns): string {
  const lines = [...found].map(([steps, runs], i): ChartLine => {
    const aside = 0.08 * (i - (found.size - 1) / 2);
    return {
      title: `trained with T = ${steps}`,
      points: testSteps.map((t, x) =>
        estimate(
          x + aside,
          runs.map((run) => testAccuracy(run, t)),
        ),
      ),
    };
  });
  const places = namedPlaces("T at test", testSteps.map(String));
  return lineChart(title, places, share(valuesOf(lines)), lines);
}

function steps(values: readonly number[]): Axis {
  const scale = linearScale(values, { ticks: 8, whole: true, tight: true });
  return { title: "T, inner steps", scale };
}

function share(values: readonly number[]): Axis {
  return {
    title: "share of rows labelled rightly",
    scale: linearScale(values.map((v) => Math.min(v, 1))),
  };
}

function valuesOf(lines: readonly ChartLine[]): number[] {
  return lines.flatMap(({ points }) =>
    points.flatMap(({ y, halfWidth = 0 }) => [y - halfWidth, y + halfWidth]),
  );
}

function estimate(x: number, values: readonly number[]): ChartPoint {
  const { mean, halfWidth } = meanInterval(values);
  return { x, y: mean, ...(Number.isNaN(halfWidth) ? {} : { halfWidth }) };
}
