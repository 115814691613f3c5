/**
 * One size of one series in a process of its own, on one thread: prints processor time and peak memory as JSON. Without
 * arguments, the least hypergradient there is, whose memory is that of the process itself.
 */
import { disposePrograms, hypergradient } from "../../src/index.ts";
import type { Point } from "./measure.ts";
import { allSeries } from "./series.ts";

/** Evaluations that are timed: so many, or what this much processor time is enough for, at least two. */
const most = 20;
const enoughMs = 300;

const [name, size] = process.argv.slice(2);
const series = allSeries.find((one) => one.name === (name ?? "parameters"))!;
const { problem, ...evaluation } = series.make(Number(size ?? series.sizes[0]));
const once = async (): Promise<{ ms: number; storedFloats: number }> => {
  const before = process.cpuUsage();
  const { report } = await hypergradient(problem, { ...evaluation, threads: 1 });
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, storedFloats: report.cost.storedFloats };
};

const first = await once();
const times: number[] = [];
while (times.length < 2 || (times.length < most && sum(times) < enoughMs)) {
  times.push((await once()).ms);
}
times.sort((a, b) => a - b);
const ms = times[times.length >> 1]!;
const point: Point = {
  ms,
  compileMs: first.ms - ms,
  peakBytes: 1024 * process.resourceUsage().maxRSS,
  storedBytes: 4 * first.storedFloats,
};
await disposePrograms(problem);
process.stdout.write(`${JSON.stringify(point)}\n`);

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
