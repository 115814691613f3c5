/**
 * Stochastic rules on two finite sums, ‖∇F‖² against calls of a batch's derivative: `npm run bench:stochastic --
 * [quadratics,a9a] [seeds]`. Looks for every method's rates, runs it, prints the tables of docs/results/stochastic.md and
 * writes its charts. a9a needs STACKELBERG_DATA, the data folder; `JOBS` methods run at a time, 1 unless set.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { callsChart } from "./stochastic/chart.ts";
import { methods } from "./stochastic/methods.ts";
import { points, tasks, type Outcome } from "./stochastic/tasks.ts";
import { brokenOff, type TracePoint } from "./stochastic/trace.ts";

const [names = "quadratics,a9a", seeds = "0,1,2"] = process.argv.slice(2);
const jobs = Number(process.env["JOBS"] ?? 1);
const child = fileURLToPath(new URL("./stochastic/run.ts", import.meta.url));
/** Parts of the budget at which the tables look. */
const parts = [1 / 8, 1 / 2, 1];

say(`Node ${process.version}, ${availableParallelism()} cores, one thread a run\n`);
for (const name of names.split(",")) {
  if (name === "a9a" && process.env["STACKELBERG_DATA"] === undefined) {
    say("a9a is left out: set STACKELBERG_DATA to the folder that holds libsvm/a9a.gz.");
  } else {
    await study(name);
  }
}

async function study(name: string): Promise<void> {
  const { title, file, budget } = await tasks[name]!.make();
  const outcomes = await inTurn(Object.keys(methods), async (method) => {
    const args = ["--import", "tsx", child, name, method, seeds];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout) as Outcome;
  });
  const head = [
    "method",
    "ρ",
    "γ",
    "calls a step",
    ...parts.map((part) => `at ${part * budget} calls`),
    "range at the end",
    "power",
    "CPU s",
  ];
  const rows = outcomes.map((outcome) => {
    const path = middle(outcome);
    const ends = outcome.runs.map((run) => run.at(-1)!.gradientNorm);
    return [
      outcome.method,
      String(outcome.rates.inner),
      String(outcome.rates.leader),
      outcome.callsPerStep.toFixed(1),
      ...parts.map((part) => short(path[part * (points - 1)]!.gradientNorm)),
      `${short(Math.min(...ends))} to ${short(Math.max(...ends))}`,
      fittedPower(path),
      outcome.seconds.toFixed(1),
    ];
  });
  say(`### ${title}: ‖∇F‖², median of seeds ${seeds}\n`);
  say([line(head), line(head.map(() => "---:")), ...rows.map(line), ""].join("\n"));
  const lines = outcomes.map((outcome) => ({ title: outcome.method, points: middle(outcome) }));
  const chart = callsChart(`‖∇F‖², ${title}`, lines);
  await writeFile(new URL(`../docs/results/${file}`, import.meta.url), chart);
}

/** Like `Promise.all` over the calls, `jobs` of them at a time. */
async function inTurn<T, R>(inputs: readonly T[], make: (input: T) => Promise<R>): Promise<R[]> {
  const found: R[] = [];
  const left = [...inputs.entries()];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      found[next[0]] = await make(next[1]);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return found;
}

/** The median over the seeds. */
function middle({ runs }: Outcome): TracePoint[] {
  return runs[0]!.map(({ calls }, p) => {
    const sorted = runs.map((run) => run[p]!.gradientNorm).toSorted((a, b) => a - b);
    return { calls, gradientNorm: sorted[sorted.length >> 1]! };
  });
}

/** p of a least-squares fit C·callsᵖ to the second half of a path. */
function fittedPower(path: readonly TracePoint[]): string {
  const half = path.slice(path.length >> 1);
  if (half.some(({ gradientNorm }) => gradientNorm === brokenOff)) return "–";
  const x = half.map(({ calls }) => Math.log(calls));
  const y = half.map(({ gradientNorm }) => Math.log(gradientNorm));
  const mean = (v: readonly number[]): number => v.reduce((sum, a) => sum + a, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = mean(x.map((a, i) => (a - mx) * (y[i]! - my)));
  return (covariance / mean(x.map((a) => (a - mx) ** 2))).toFixed(1);
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function short(value: number): string {
  return value === brokenOff ? "broke off" : value.toExponential(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
