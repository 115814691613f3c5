/**
 * How processor time and memory of a hypergradient grow: `npm run bench:scale`. Writes the tables and charts of
 * docs/results/scale.md; some minutes. Processor time bears other work on the machine, but an idle one is better.
 *
 *     npm run bench:scale -- [--series steps,tasks] [--rounds 2]      with --series, prints and writes nothing
 */
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { format, resolveConfig } from "prettier";

import { growthChart } from "./scale/chart.ts";
import { fittedPower, measureAll, type Row } from "./scale/measure.ts";
import { allSeries, type Series } from "./scale/series.ts";

/** Less memory than this beyond an empty run is not told from its own. */
const noiseBytes = 25e6;
/** Powers are fitted to the largest sizes, so many of them. */
const fitted = 3;

const { values } = parseArgs({
  options: { series: { type: "string" }, rounds: { type: "string", default: "2" } },
});
const names = values.series?.split(",");
const list = allSeries.filter(({ name }) => names === undefined || names.includes(name));
const rounds = Number(values.rounds);
const started = performance.now();
const { rows, baseBytes } = await measureAll(list, rounds);
const minutes = (performance.now() - started) / 60_000;

const text = [
  `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}; medians of ${rounds} ` +
    `rounds, ${minutes.toFixed(0)} minutes in all. An empty run has ${megabytes(baseBytes)} MB.`,
  summary(),
  ...list.map(section),
].join("\n\n");

if (names) process.stdout.write(`${text}\n`);
else {
  const results = new URL("../docs/results/", import.meta.url);
  const page = new URL("scale.md", results);
  const [before, , after] = (await readFile(page, "utf8")).split(/<!-- \/?measured -->/);
  const config = await resolveConfig(page.pathname);
  const whole = `${before}<!-- measured -->\n\n${text}\n\n<!-- /measured -->${after}`;
  await writeFile(page, await format(whole, { ...config, parser: "markdown" }));
  for (const series of list) {
    const chart = growthChart(series.title, series.axis, panels(series));
    await writeFile(new URL(`scale-${series.name}.svg`, results), chart);
  }
}

function summary(): string {
  const head = [
    "varied",
    "time grows like",
    "fitted",
    "memory grows like",
    "fitted",
    "to compile, ms",
  ];
  return table(
    head,
    list.map((series) => {
      const { title, predicted } = series;
      const compile = rowsOf(series).map((row) => Math.max(0, row.compileMs));
      return [
        title,
        power(predicted.time),
        exponent(timesOf(series)),
        power(predicted.memory),
        exponent(memoriesOf(series)),
        `${Math.min(...compile).toFixed(0)} to ${Math.max(...compile).toFixed(0)}`,
      ];
    }),
  );
}

function section(series: Series): string {
  const lines = rowsOf(series).map((row) => [
    row.size.toLocaleString("en"),
    row.ms.toPrecision(3),
    row.peakBytes < noiseBytes ? `< ${megabytes(noiseBytes)}` : megabytes(row.peakBytes),
    megabytes(row.storedBytes),
  ]);
  const head = [series.axis, "time, ms", "memory, MB", "of it states, by the rule, MB"];
  return [
    `## ${series.title}`,
    `${series.fixed}.`,
    `![Time and memory against ${series.axis}](scale-${series.name}.svg)`,
    table(head, lines),
  ].join("\n\n");
}

function panels(series: Series): Parameters<typeof growthChart>[2] {
  const { time, memory } = series.predicted;
  return [
    { title: "processor time, ms", points: timesOf(series), power: time },
    { title: "memory, MB", points: memoriesOf(series), power: memory },
  ];
}

interface Measured {
  readonly size: number;
  readonly value: number;
}

function timesOf(series: Series): Measured[] {
  return rowsOf(series).map(({ size, ms }) => ({ size, value: ms }));
}

function memoriesOf(series: Series): Measured[] {
  return rowsOf(series)
    .filter(({ peakBytes }) => peakBytes >= noiseBytes)
    .map(({ size, peakBytes }) => ({ size, value: peakBytes / 1e6 }));
}

function exponent(points: readonly Measured[]): string {
  return fittedPower(points.slice(-fitted))?.toFixed(2) ?? "below the noise";
}

function rowsOf({ name }: Series): readonly Row[] {
  return rows.get(name)!;
}

function power(value: number): string {
  return value === 0 ? "constant" : `size^${value}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 0);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? ":--" : "--:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
