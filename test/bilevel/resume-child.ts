/**
 * A run for the resume test, in its own process: `resume-child.ts <checkpoint> [delayMs]`. It goes on from the
 * checkpoint if there is one, and prints a line for each step, so that its parent can choose when to kill it.
 * Ridge-penalised logistic regression with one penalty per column; minibatches, momentum inside, Adam outside.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { nn, numpy as np } from "@jax-js/jax";
import { adam } from "../../src/bilevel/optimizers/adam.ts";
import { momentum } from "../../src/bilevel/optimizers/momentum.ts";
import { cosineDecay } from "../../src/bilevel/optimizers/schedule.ts";
import { bilevel, type Problem } from "../../src/bilevel/problem.ts";
import { reverse } from "../../src/bilevel/rules/reverse.ts";
import { minibatches } from "../../src/bilevel/samplers.ts";
import { solve } from "../../src/bilevel/solve.ts";
import { tensor, zeros } from "../../src/program/tensor.ts";

const [path, delay = "0"] = process.argv.slice(2);
const steps = 40;
const [rows, columns] = [60, 4];

interface Weights {
  slope: np.Array;
  offset: np.Array;
}
interface Examples {
  x: np.Array;
  sign: np.Array;
}
const logistic = (w: Weights, d: Examples): np.Array => {
  const margin = np.matmul(d.x, w.slope).add(w.offset).mul(d.sign);
  return np.mean(nn.softplus(margin.neg()));
};
const problem = bilevel<np.Array, Weights, Examples>({
  inner: (w, lambda, d) => logistic(w, d).add(np.sum(np.exp(lambda).mul(np.square(w.slope)))),
  outer: (w, _lambda, d) => logistic(w, d),
});

/** Deterministic points; the sign follows the first column, with some noise from the others. */
function examples(phase: number): {
  x: ReturnType<typeof tensor>;
  sign: ReturnType<typeof tensor>;
} {
  const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(phase + 1.7 * i * i));
  const sign = Float32Array.from({ length: rows }, (_, i) =>
    x[i * columns]! + 0.4 * x[i * columns + 1]! + 0.5 * Math.cos(9 * i + phase) > 0 ? 1 : -1,
  );
  return { x: tensor(x, { shape: [rows, columns] }), sign: tensor(sign) };
}

const run = solve(problem as Problem, {
  rule: reverse({ steps: 5, dynamics: momentum({ learningRate: 0.3, momentum: 0.8 }) }),
  optimizer: adam({ learningRate: cosineDecay({ initial: 0.2, steps }) }),
  lambda: tensor(Array<number>(columns).fill(-3)),
  w: { slope: zeros([columns]), offset: zeros([]) },
  data: {
    inner: minibatches({ data: examples(0), size: 16, perStep: 5 }),
    outer: minibatches({ data: examples(1), size: 20 }),
  },
  budget: { steps },
  seed: 3,
  threads: 1,
  checkpoint: { path: path!, everySteps: 1 },
  ...(existsSync(path!) && { resume: path! }),
});
for await (const { step } of run) {
  process.stdout.write(`step ${step}\n`);
  if (delay !== "0") await sleep(Number(delay));
}
process.stdout.write(`${(await run).sentence}\n`);
