/**
 * A run for the resume test, in its own process: `resume-child.ts <checkpoint> <steps>`. It goes on from the
 * checkpoint if there is one, and prints a line for each step, so that its parent can choose when to kill it.
 * Ridge-penalised logistic regression with one penalty per column; minibatches, momentum inside, Adam outside.
 */
import { existsSync } from "node:fs";
import { adam } from "../../src/bilevel/optimizers/adam.ts";
import { momentum } from "../../src/bilevel/optimizers/momentum.ts";
import { cosineDecay } from "../../src/bilevel/optimizers/schedule.ts";
import { reverse } from "../../src/bilevel/rules/explicit/reverse.ts";
import { minibatches } from "../../src/bilevel/solve/samplers.ts";
import { solve } from "../../src/bilevel/solve/solve.ts";
import { logisticRegression } from "./small-problems.ts";

const path = process.argv[2]!;
const steps = Number(process.argv[3]);

const { problem, lambda, w, data } = logisticRegression(60, 4);
const run = solve(problem, {
  rule: reverse({ steps: 5, dynamics: momentum({ learningRate: 0.3, momentum: 0.8 }) }),
  optimizer: adam({ learningRate: cosineDecay({ initial: 0.2, steps }) }),
  lambda,
  w,
  data: {
    inner: minibatches({ data: data.inner, size: 16, perStep: 5 }),
    outer: minibatches({ data: data.outer, size: 20 }),
  },
  budget: { steps },
  seed: 3,
  threads: 1,
  checkpoint: { path, everySteps: 1 },
  ...(existsSync(path) && { resume: path }),
});
for await (const { step } of run) {
  process.stdout.write(`step ${step}\n`);
}
process.stdout.write(`${(await run).sentence}\n`);
