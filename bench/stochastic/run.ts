/** One method on one task, a process of bench/stochastic.ts: looks for its rates, runs it with every seed, prints JSON. */
import { methods, type Rates } from "./methods.ts";
import type { Task } from "./task.ts";
import { points, tasks, tuning, type Outcome, type TaskEntry } from "./tasks.ts";
import { trace, type TracePoint } from "./trace.ts";

const [name, method, seeds] = process.argv.slice(2) as [string, string, string];
const { make, grid } = tasks[name]!;
const task = await make();
const rates = await bestRates(task, method, grid);
const started = process.cpuUsage();
const runs: TracePoint[][] = [];
let callsPerStep = 0;
for (const seed of seeds.split(",").map(Number)) {
  const made = methods[method]!(task, rates, seed);
  const run = await trace(task, made, { budget: task.budget, points, seed });
  runs.push(run.points);
  callsPerStep = run.callsPerStep;
}
const seconds = process.cpuUsage(started).user / 1e6 / runs.length;
const outcome: Outcome = { method, rates, callsPerStep, runs, seconds };
process.stdout.write(`${JSON.stringify(outcome)}\n`);

async function bestRates(task: Task, method: string, grid: TaskEntry["grid"]): Promise<Rates> {
  const { seed, calls: budget } = tuning;
  const tried: { rates: Rates; end: number }[] = [];
  for (const inner of grid.inner) {
    for (const leader of grid.leader) {
      const rates = { inner, leader };
      const made = methods[method]!(task, rates, seed);
      const run = await trace(task, made, { budget, points: 2, seed });
      tried.push({ rates, end: run.points.at(-1)!.gradientNorm });
    }
  }
  return tried.toSorted((a, b) => a.end - b.end)[0]!.rates;
}
