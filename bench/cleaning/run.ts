/**
 * A process of its own for one run, so that its memory is its own: `run.ts <data set> <seed> <title or "baselines"> <gradients>`.
 * Prints the results as one JSON array.
 */
import { baselines, clean } from "./clean.ts";
import { cleaningTask } from "./data.ts";
import { leaderRates } from "./leader-rates.ts";
import { methods } from "./methods.ts";

const [name, seed, title, gradients] = process.argv.slice(2) as [string, string, string, string];
const rows = 5000;
const task = await cleaningTask(process.env["STACKELBERG_DATA"]!, name, {
  training: rows,
  validation: rows,
  test: 10_000,
  rate: 0.5,
  seed: Number(seed),
});
const results =
  title === "baselines"
    ? await baselines(task)
    : [
        await clean(task, title, methods(rows)[title]!, {
          gradients: Number(gradients),
          leaderRate: leaderRates[title]!,
        }),
      ];
const { realisedRate } = task;
process.stdout.write(JSON.stringify(results.map((result) => ({ ...result, realisedRate }))));
