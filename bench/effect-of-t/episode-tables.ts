/** Few-shot results as Markdown: means over seeds with their 95 % intervals, differences paired by seed. */
import { meanInterval } from "../../src/data/index.ts";
import { testSteps, type EpisodeRun } from "./episodes.ts";
import { markdown, percent } from "./tables.ts";

/** Trainings by T in training, in the order of their seeds. */
export type EpisodeRuns = ReadonlyMap<number, readonly EpisodeRun[]>;

/** T at test after which each seed's accuracy is shown. */
const shown = 16;

/** Of a fixed rate: accuracies, their differences between T in training and along T at test, what the trainings left. */
export function fixedRateTables(found: EpisodeRuns): string[] {
  return [accuracies(found), gains(found), curves(found), trainings(found)];
}

/** Of a learned rate: accuracies, their differences between T in training and from the fixed rate's, what the trainings left. */
export function learnedRateTables(found: EpisodeRuns, fixed: EpisodeRuns): string[] {
  return [accuracies(found), gains(found), learnedGains(found, fixed), trainings(found)];
}

/** Share of all query images labelled rightly after so many steps. */
export function testAccuracy({ tests }: EpisodeRun, steps: number): number {
  const test = tests.find((t) => t.steps === steps);
  if (!test) throw new Error(`testAccuracy: the run has no test after ${steps} steps.`);
  return meanInterval(test.accuracies).mean;
}

function accuracies(found: EpisodeRuns): string {
  const rows = [...found].map(([steps, runs]) => [
    String(steps),
    ...testSteps.map((t) => percent(runs.map((run) => testAccuracy(run, t)))),
  ]);
  return markdown([["T in training", ...testSteps.map((t) => `T = ${t}, %`)], ...rows]);
}

/** A row for each two T in training. */
function gains(found: EpisodeRuns): string {
  const all = [...found];
  const rows = all.flatMap(([more, base], i) =>
    all.slice(0, i).map(([fewer, runs]) => [`${fewer} minus ${more}`, ...paired(runs, base)]),
  );
  return markdown([["T in training, points", ...testSteps.map((t) => `T = ${t}`)], ...rows]);
}

function learnedGains(found: EpisodeRuns, fixed: EpisodeRuns): string {
  const rows = [...found].map(([steps, runs]) => [
    String(steps),
    ...paired(runs, fixed.get(steps)!),
  ]);
  const title = "T in training; learned minus fixed rate, points";
  return markdown([[title, ...testSteps.map((t) => `T = ${t}`)], ...rows]);
}

/** Differences of accuracies at each T at test. */
function paired(runs: readonly EpisodeRun[], base: readonly EpisodeRun[]): string[] {
  return testSteps.map((t) =>
    percent(runs.map((run, seed) => testAccuracy(run, t) - testAccuracy(base[seed]!, t))),
  );
}

/** Accuracies minus those after the most steps at test. */
function curves(found: EpisodeRuns): string {
  const most = Math.max(...testSteps);
  const fewer = testSteps.filter((t) => t < most);
  const rows = [...found].map(([steps, runs]) => [
    String(steps),
    ...fewer.map((t) => percent(runs.map((run) => testAccuracy(run, t) - testAccuracy(run, most)))),
  ]);
  const title = `T in training; at test minus T = ${most}, points`;
  return markdown([[title, ...fewer.map((t) => `T = ${t}`)], ...rows]);
}

function trainings(found: EpisodeRuns): string {
  const rows = [...found].map(([steps, runs]) => {
    const own = (read: (run: EpisodeRun) => number, digits: number): string =>
      medianAndRange(runs.map(read), digits);
    return [
      String(steps),
      own(({ learningRate }) => learningRate, 2),
      own(({ loss }) => loss, 3),
      own(({ seconds }) => seconds, 0),
      runs.map((run) => (100 * testAccuracy(run, shown)).toFixed(1)).join(" · "),
    ];
  });
  const last = `each seed at T = ${shown}, %`;
  return markdown([["T in training", "learning rate", "loss", "CPU s", last], ...rows]);
}

/** The range is left out where all values look alike. */
function medianAndRange(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b).map((v) => v.toFixed(digits));
  const [least, median, most] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
  return least === most ? median : `${median} (${least} to ${most})`;
}
