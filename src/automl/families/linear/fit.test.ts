import { describe, expect, test } from "vitest";
import { randomKey, randomStream, type Task } from "../../../data/index.ts";
import { tensor } from "../../../program/index.ts";
import { fitPrograms, fitTolerance, type Fit, type FitData } from "./fit.ts";

const tasks: readonly Task[] = ["regression", "binary", "multiclass"];

describe.each(tasks)("%s", (task) => {
  test("two followers end where their own gradients vanish", async () => {
    const data = example(task, { rows: 40, width: 4 });
    const logs = [
      [-3, -4, -5, -6],
      [0, -7, -2, -9],
    ];
    const fit = await run(task, data, logs);
    expect(fit.isSolved).toBe(true);
    expect(fit.relativeGradient).toBeLessThanOrEqual(fitTolerance);
    logs.forEach((log, f) => {
      const gradient = gradientOf(task, data, fit, log, f);
      // Of order 0.1 at zero weights.
      expect(Math.hypot(...gradient)).toBeLessThan(1e-6);
    });
  });
});

test("squares are solved in a step, whatever the coefficients", async () => {
  const data = example("regression", { rows: 60, width: 20 });
  for (const log of [-18, -5, 3]) {
    const { evaluations, isSolved } = await run(
      "regression",
      data,
      new Array<number>(20).fill(log),
    );
    expect(isSolved).toBe(true);
    // The start, the step, and one more where collinearity costs digits.
    expect(evaluations).toBeLessThanOrEqual(3);
  }
});

test("the bias is not penalized", async () => {
  const data = example("regression", { rows: 50, width: 3 });
  const fit = await run("regression", data, [50, 50, 50]);
  const own = Array.from({ length: 50 }, (_, i) => Number(data.share.data[i]));
  const mean = own.reduce((sum, share, i) => sum + share * Number(data.y.data[i]), 0);
  expect(Number(fit.weights.data[3])).toBeCloseTo(mean, 10);
  expect(Math.abs(Number(fit.weights.data[0]))).toBeLessThan(1e-10);
});

test("collinear columns: one-hot columns beside the bias, hardly penalized, stay finite", async () => {
  const [rows, columns] = [90, 4];
  const x = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    x[i * columns + (i % 3)] = 1;
    x[i * columns + 3] = 1;
  }
  const y = Float64Array.from({ length: rows }, (_, i) => (i % 3) - 1);
  const data: FitData = {
    x: tensor(x, { shape: [rows, columns] }),
    y: tensor(y, { shape: [1, rows] }),
    share: tensor(new Float64Array(rows).fill(1 / rows), { shape: [1, 1, rows] }),
    group: [0, 0, 0],
  };
  const { weights, isSolved } = await run("regression", data, [Math.log(1e-8)]);
  expect(isSolved).toBe(true);
  for (let level = 0; level < 3; level++) {
    expect(Number(weights.data[level]) + Number(weights.data[3])).toBeCloseTo(level - 1, 6);
  }
});

// More columns than rows, separable classes, a penalty of almost nothing: what used to end unsolved.
test.each([
  ["regression", 60, 900],
  ["binary", 60, 900],
  ["multiclass", 80, 30],
] as const)(
  "%s with %i rows and %i columns is solved with a coefficient of 1e-6",
  async (task, rows, width) => {
    const data = example(task, { rows, width });
    const fit = await run(task, data, new Array<number>(width).fill(Math.log(1e-6)));
    expect(fit.isSolved, `${fit.relativeGradient} after ${fit.evaluations}`).toBe(true);
  },
);

test("a fit that ends at its limit says so", async () => {
  const data = example("binary", { rows: 40, width: 10 });
  const fit = await run("binary", data, new Array<number>(10).fill(-14), 3);
  expect(fit).toMatchObject({ isSolved: false, evaluations: 3 });
  expect(fit.relativeGradient).toBeGreaterThan(fitTolerance);
});

async function run(
  task: Task,
  data: FitData,
  log: readonly number[] | readonly number[][],
  limit?: number,
): Promise<Fit> {
  const programs = fitPrograms(task, { threads: 1, limit });
  try {
    return await (await programs.open(data)).fit(log);
  } finally {
    await programs.dispose();
  }
}

/** Two followers; follower f does not train on rows i with i mod 4 = f. */
function example(task: Task, { rows, width }: { rows: number; width: number }): FitData {
  const stream = randomStream(randomKey(8, task, width));
  const columns = width + 1;
  const outputs = task === "multiclass" ? 3 : 1;
  const x = Float64Array.from({ length: rows * columns }, (_, k) =>
    k % columns === width ? 1 : stream.normal(),
  );
  const y = new Float64Array(outputs * rows);
  for (let i = 0; i < rows; i++) {
    const score = x[i * columns]! - x[i * columns + 1]! + 0.3 * stream.normal();
    if (task === "regression") y[i] = score;
    else if (task === "binary") y[i] = Number(score > 0);
    else y[(score > 0.7 ? 2 : score > -0.7 ? 1 : 0) * rows + i] = 1;
  }
  const share = new Float64Array(2 * rows);
  for (const f of [0, 1]) {
    const own = Array.from({ length: rows }, (_, i) => Number(i % 4 !== f));
    const count = own.reduce((a, b) => a + b);
    own.forEach((one, i) => (share[f * rows + i] = one / count));
  }
  return {
    x: tensor(x, { shape: [rows, columns] }),
    y: tensor(y, { shape: [outputs, rows] }),
    share: tensor(share, { shape: [2, 1, rows] }),
    group: Array.from({ length: width }, (_, j) => j),
  };
}

/** ∇L of a follower, written out a second time with plain probabilities. */
function gradientOf(
  task: Task,
  { x, y, share }: FitData,
  { weights }: Fit,
  log: readonly number[],
  follower: number,
): number[] {
  const [rows, columns] = x.shape as [number, number];
  const outputs = y.shape[0]!;
  const w = (k: number, j: number): number =>
    Number(weights.data[(follower * outputs + k) * columns + j]);
  const gradient = Array.from({ length: outputs * columns }, (_, at) => {
    const [k, j] = [Math.floor(at / columns), at % columns];
    return j < columns - 1 ? Math.exp(log[j]!) * w(k, j) : 0;
  });
  for (let i = 0; i < rows; i++) {
    const scores = Array.from({ length: outputs }, (_, k) =>
      Array.from({ length: columns }, (_, j) => w(k, j) * Number(x.data[i * columns + j])).reduce(
        (a, b) => a + b,
      ),
    );
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    scores.forEach((score, k) => {
      const predicted = {
        regression: score,
        binary: 1 / (1 + Math.exp(-score)),
        multiclass: Math.exp(score) / total,
      }[task];
      const residual = predicted - Number(y.data[k * rows + i]);
      for (let j = 0; j < columns; j++) {
        gradient[k * columns + j]! +=
          Number(share.data[follower * rows + i]) * residual * Number(x.data[i * columns + j]);
      }
    });
  }
  return gradient;
}
