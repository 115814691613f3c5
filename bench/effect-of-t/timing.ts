/** Processor time of an outer step for each T, on one thread, measured in turn so that a busy machine slows all alike. */
import { adam, disposePrograms, solve } from "../../src/bilevel/index.ts";
import { zeros } from "../../src/program/index.ts";
import { inputs, type EffectTask } from "./task.ts";
import { learningRateOf, methodFor, settings, startOf, type Steps } from "./run.ts";

/** Milliseconds of an outer step. */
export interface StepTime {
  readonly steps: Steps;
  readonly median: number;
  readonly least: number;
}

const rounds = 30;

/** Takes the times of outer steps, the first of each T, which compiles, left out. */
export async function measureTimes(
  task: EffectTask,
  all: readonly Steps[],
  ridge: number,
): Promise<StepTime[]> {
  const learningRate = learningRateOf(task, ridge);
  const runs = all.map((steps) => {
    const { problem, rule } = methodFor(steps, ridge, learningRate);
    const run = solve(problem, {
      rule,
      optimizer: adam({ learningRate: settings.leaderRate }),
      lambda: startOf(task),
      w: zeros([inputs, task.training.y.shape[1]!], task.training.x.dtype),
      data: { inner: task.training, outer: task.validation },
      budget: { steps: rounds + 1 },
      start: "cold",
      innerValue: false,
      threads: 1,
    });
    // A step is made when it is asked for.
    return { steps, problem, run: run[Symbol.asyncIterator](), times: [] as number[] };
  });
  for (const { run } of runs) await run.next();
  for (let round = 0; round < rounds; round++) {
    for (const { run, times } of runs) {
      const since = process.cpuUsage();
      await run.next();
      const { user, system } = process.cpuUsage(since);
      times.push((user + system) / 1000);
    }
  }
  for (const { run, problem } of runs) {
    await run.return();
    await disposePrograms(problem);
  }
  return runs.map(({ steps, times }) => {
    const sorted = times.toSorted((a, b) => a - b);
    return { steps, median: sorted[sorted.length >> 1]!, least: sorted[0]! };
  });
}
