/** The results as Markdown: means over seeds with their 95 % intervals, differences paired by seed. */
import { meanInterval } from "../../src/data/index.ts";
import { fitFrom, slope, type Decay } from "./decay.ts";
import type { Accuracies, EffectRun, Steps } from "./run.ts";
import type { StepTime } from "./timing.ts";

/** Outer steps whose test accuracies the tables show. */
export const looks: readonly number[] = [0, 20, 200];

/** A row for each T: the objective and accuracies at the end, test accuracies on the way. */
export function accuracyTable(found: ReadonlyMap<Steps, readonly EffectRun[]>): string {
  const head = [
    "T",
    "E",
    "training, %",
    "validation, %",
    ...looks.map((step) => `test at step ${step}, %`),
    "test, refitted, %",
    "inner gradient",
  ];
  const rows = [...found].map(([steps, runs]) => [
    String(steps),
    mean(runs.map(({ path }) => path.at(-1)!.value)).toFixed(3),
    percent(runs.map(({ path }) => path.at(-1)!.training)),
    percent(runs.map(({ path }) => path.at(-1)!.validation)),
    ...looks.map((step) => percent(runs.map((run) => at(run, step).test))),
    percent(runs.map(({ refitted }) => refitted.test)),
    // The exact response is no descent from w = 0.
    steps === "exact" ? "–" : mean(runs.map((run) => run.innerGradient)).toExponential(1),
  ]);
  return markdown([head, ...rows]);
}

/** Test accuracies minus those of the exact response, paired by seed. */
export function gainTable(found: ReadonlyMap<Steps, readonly EffectRun[]>): string {
  const exact = found.get("exact");
  if (exact === undefined) return "";
  const columns: readonly (readonly [title: string, read: (run: EffectRun) => number])[] = [
    ...looks.map(
      (step) => [`test at step ${step}`, (run: EffectRun) => at(run, step).test] as const,
    ),
    ["test, refitted", ({ refitted }) => refitted.test],
  ];
  const head = ["T, minus exact, points", ...columns.map(([title]) => title)];
  const rows = [...found].flatMap(([steps, runs]) => {
    if (steps === "exact") return [];
    const gains = columns.map(([, read]) =>
      percent(runs.map((run, seed) => read(run) - read(exact[seed]!))),
    );
    return [[String(steps), ...gains]];
  });
  return markdown([head, ...rows]);
}

/** Errors by T, then the slope measured and predicted. */
export function decayTable({ errors, predicted, fitted, blankPixels }: Decay): string {
  const rows = errors.map(({ steps, error }) => [String(steps), error.toExponential(1)]);
  const slopes = `Slope of log(error / T), T ≥ ${fitFrom}: ${fitted.toFixed(5)}, predicted ${predicted.toFixed(5)} (${blankPixels} pixels are blank in every training row).`;
  return `${markdown([["T", "relative error"], ...rows])}\n\n${slopes}`;
}

/** Milliseconds by T, then the line through them. */
export function timeTable(times: readonly StepTime[]): string {
  const one = times.find(({ steps }) => steps === 1);
  const rows = times.map(({ steps, median, least }) => [
    String(steps),
    median.toFixed(1),
    least.toFixed(1),
    one ? (median / one.median).toFixed(1) : "–",
  ]);
  const { intercept, perStep, r2 } = timeLine(times);
  const line = `Line through the medians: ${intercept.toFixed(1)} ms + ${perStep.toFixed(3)} ms · T, R² = ${r2.toFixed(5)}.`;
  return `${markdown([["T", "median, ms", "least, ms", "times T = 1"], ...rows])}\n\n${line}`;
}

/** The least-squares line of the medians over T. */
export function timeLine(times: readonly StepTime[]): {
  intercept: number;
  perStep: number;
  r2: number;
} {
  const points = times.flatMap(({ steps, median }) =>
    steps === "exact" ? [] : [[steps, median] as const],
  );
  const perStep = slope(points);
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const intercept = my - perStep * mx;
  const left = points.reduce((sum, [x, y]) => sum + (y - intercept - perStep * x) ** 2, 0);
  return {
    intercept,
    perStep,
    r2: 1 - left / points.reduce((sum, [, y]) => sum + (y - my) ** 2, 0),
  };
}

function at({ path }: EffectRun, step: number): Accuracies {
  const point = path.find((p) => p.step === step);
  if (!point) throw new Error(`accuracyTable: the run's path has no outer step ${step}.`);
  return point;
}

function mean(values: readonly number[]): number {
  return meanInterval(values).mean;
}

/** Mean and interval of shares, in hundredths. */
export function percent(values: readonly number[]): string {
  const { mean, halfWidth } = meanInterval(values);
  return plusMinus(mean, halfWidth);
}

function plusMinus(mean: number, halfWidth: number): string {
  const rounded = (100 * mean).toFixed(1);
  const shown = Number(rounded) === 0 ? "0.0" : rounded.replace("-", "−");
  return Number.isNaN(halfWidth) ? shown : `${shown} ± ${(100 * halfWidth).toFixed(1)}`;
}

/** A table, its first row the head. */
export function markdown([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [head!, head!.map(() => "---:"), ...rows].map(line).join("\n");
}
