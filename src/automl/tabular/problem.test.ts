import { describe, expect, test } from "vitest";
import { checkHypergradient, hypergradient } from "../../bilevel/index.ts";
import { reverse } from "../../bilevel/rules/reverse.ts";
import { randomKey, randomStream, type Task } from "../../data/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../program/index.ts";
import { compileFit, fitTolerance, type Fitter } from "./fit.ts";
import {
  curvatureOf,
  denseLimit,
  tabularDynamics,
  tabularProblem,
  type Rows,
  type TrainingData,
} from "./problem.ts";

const tasks: readonly Task[] = ["regression", "binary", "multiclass"];

interface Example {
  training: TrainingData<Tensor>;
  validation: Rows<Tensor>;
  lambda: Tensor;
}

describe.each(tasks)("%s", (task) => {
  test("the hypergradient of a few steps agrees with finite differences", async () => {
    const { training, validation, lambda } = await example(task, { dtype: "float64" });
    const [outputs, columns] = [training.y.shape[0]!, training.x.shape[1]!];
    const check = await checkHypergradient(tabularProblem(task), {
      rule: reverse({ steps: 3, dynamics: tabularDynamics(columns - 1) }),
      lambda: { logCoefficient: lambda },
      w: { weights: zeros([outputs, columns], "float64") },
      data: { inner: { ...training }, outer: { ...validation } },
      tolerance: 1e-6,
    });
    expect(check.precision).toBe("float64");
    expect(check.sentence).toBeTypeOf("string");
    expect(check.passed, check.sentence).toBe(true);
  });

  test("the fit ends where the objective's own gradient vanishes", async () => {
    const { training, lambda } = await example(task, { dtype: "float32" });
    const fit = await withFitter(task, training, (fitter) =>
      fitter.fit(training, lambda.data as Float32Array),
    );
    expect(fit.innerGradientNorm).toBeLessThanOrEqual(fitTolerance * fit.referenceGradientNorm);
    // Least squares are exact in one step; the loop looks after five.
    if (task === "regression") expect(fit.steps).toBe(5);
  });
});

test("ridge regression: weights of the normal equations", async () => {
  const { training, lambda } = await example("regression", { dtype: "float32", rows: 60 });
  const { weights } = await withFitter("regression", training, (fitter) =>
    fitter.fit(training, lambda.data as Float32Array),
  );
  const expected = solveRidge(training, lambda);
  // float32: the normal matrix has condition number of order 100, so 1e-7 · 100 with a margin of ten.
  expected.forEach((value, j) => expect(Math.abs(weights.data[j]! - value)).toBeLessThan(1e-4));
});

test("ridge regression: the hypergradient of the closed form, to 1e-6", async () => {
  const { training, validation, lambda } = await example("regression", { dtype: "float64" });
  const evaluate = (at: Tensor): number => ridgeOuter(training, validation, at);
  const columns = training.x.shape[1]!;
  const { gradient, value } = await hypergradient(tabularProblem("regression"), {
    rule: reverse({ steps: 4, dynamics: tabularDynamics(columns - 1) }),
    lambda: { logCoefficient: lambda },
    w: { weights: zeros([1, columns], "float64") },
    data: { inner: { ...training }, outer: { ...validation } },
  });
  expect(value.item()).toBeCloseTo(evaluate(lambda), 9);
  const actual = (gradient as unknown as { logCoefficient: Tensor }).logCoefficient.data;
  for (let i = 0; i < lambda.size; i++) {
    // A central difference with h = 1e-4 errs by h²·F'''/6 ≈ 1e-9 and by rounding 1e-16/h.
    const move = (h: number): number => {
      const moved = Float64Array.from(lambda.data);
      moved[i]! += h;
      return evaluate(tensor(moved));
    };
    expect(Math.abs(actual[i]! - (move(1e-4) - move(-1e-4)) / 2e-4)).toBeLessThan(1e-6);
  }
});

test("the bias is not penalized", async () => {
  const { training, lambda } = await example("regression", { dtype: "float32" });
  const strong = new Float32Array(lambda.size).fill(Math.log(1e3));
  const { weights } = await withFitter("regression", training, (fitter) =>
    fitter.fit(training, strong),
  );
  const mean = (training.y.data as Float32Array).reduce((a, b) => a + b) / training.y.size;
  expect(Math.abs(weights.data[weights.size - 1]! - mean)).toBeLessThan(1e-3);
  expect(Math.abs(weights.data[0]!)).toBeLessThan(1e-2);
});

test("collinear columns: one-hot columns beside the bias, hardly penalized, stay finite", async () => {
  const rows = 90;
  const columns = 4;
  const x = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    x[i * columns + (i % 3)] = 1;
    x[i * columns + 3] = 1;
  }
  const y = Float32Array.from({ length: rows }, (_, i) => (i % 3) - 1);
  const design = tensor(x, { shape: [rows, columns] });
  const training: TrainingData<Tensor> = {
    x: design,
    y: tensor(y, { shape: [1, rows] }),
    groups: tensor([[1, 1, 1, 0]]),
    curvature: await curvature("regression", design),
  };
  const { weights } = await withFitter("regression", training, (fitter) =>
    fitter.fit(training, Float32Array.of(Math.log(1e-8))),
  );
  for (let level = 0; level < 3; level++) {
    expect(weights.data[level]! + weights.data[3]!).toBeCloseTo(level - 1, 3);
  }
});

test("beyond the dense limit the diagonal with momentum finds the same predictions", async () => {
  // Columns of zeros fill up the width and change nothing.
  const { training, lambda } = await example("binary", { dtype: "float32", rows: 80, numeric: 6 });
  const narrow = await withFitter("binary", training, (fitter) =>
    fitter.fit(training, lambda.data as Float32Array),
  );
  const [rows, columns] = training.x.shape as [number, number];
  const inputs = training.groups.shape[0]!;
  const width = denseLimit + 1;
  const pad = (source: Tensor, count: number): Tensor => {
    const padded = new Float32Array(count * (width + 1));
    for (let i = 0; i < count; i++) {
      const row = (source.data as Float32Array).subarray(i * columns, (i + 1) * columns);
      padded.set(row.subarray(0, columns - 1), i * (width + 1));
      padded[i * (width + 1) + width] = row[columns - 1]!;
    }
    return tensor(padded, { shape: [count, width + 1] });
  };
  const x = pad(training.x, rows);
  const wide: TrainingData<Tensor> = {
    x,
    y: training.y,
    groups: pad(training.groups, inputs),
    curvature: await curvature("binary", x),
  };
  expect(wide.curvature.shape).toEqual([width + 1]);
  const fit = await withFitter("binary", wide, (fitter) =>
    fitter.fit(wide, lambda.data as Float32Array),
  );
  expect(fit.innerGradientNorm).toBeLessThanOrEqual(1e-4 * fit.referenceGradientNorm);
  for (let j = 0; j < columns - 1; j++) {
    expect(fit.weights.data[j]!).toBeCloseTo(narrow.weights.data[j]!, 2);
  }
});

async function curvature(task: Task, x: Tensor): Promise<Tensor> {
  const compiled = compile(curvatureOf(task));
  const result = await compiled(x);
  await compiled.dispose();
  return result;
}

async function withFitter<R>(
  task: Task,
  training: TrainingData<Tensor>,
  use: (fitter: Fitter) => Promise<R>,
): Promise<R> {
  const fitter = await compileFit(task, training);
  try {
    return await use(fitter);
  } finally {
    await fitter.dispose();
  }
}

/** Numeric columns and one categorical input of three columns, whose coefficient they share. */
async function example(
  task: Task,
  options: { dtype: "float32" | "float64"; rows?: number; numeric?: number },
): Promise<Example> {
  const { dtype, rows = 40, numeric = 3 } = options;
  const stream = randomStream(randomKey(5, task));
  const width = numeric + 3;
  const outputs = task === "multiclass" ? 3 : 1;
  const effects = Array.from({ length: width * outputs }, () => stream.normal());
  const draw = (count: number): Rows<Tensor> => {
    const x = new Float64Array(count * (width + 1));
    const y = new Float64Array(outputs * count);
    for (let i = 0; i < count; i++) {
      const row = x.subarray(i * (width + 1), (i + 1) * (width + 1));
      for (let j = 0; j < numeric; j++) row[j] = stream.normal();
      row[numeric + stream.integer(3)] = 1;
      row[width] = 1;
      const scores = Array.from({ length: outputs }, (_, k) =>
        effects
          .slice(k * width, (k + 1) * width)
          .reduce((sum, effect, j) => sum + effect * row[j]!, stream.normal()),
      );
      if (task === "regression") y[i] = scores[0]!;
      else if (task === "binary") y[i] = scores[0]! > 0 ? 1 : 0;
      else y[scores.indexOf(Math.max(...scores)) * count + i] = 1;
    }
    return {
      x: tensor(tensor(x), { dtype, shape: [count, width + 1] }),
      y: tensor(tensor(y), { dtype, shape: [outputs, count] }),
    };
  };
  const groups = new Float64Array((numeric + 1) * (width + 1));
  for (let j = 0; j < width; j++) groups[Math.min(j, numeric) * (width + 1) + j] = 1;
  const { x, y } = draw(rows);
  const lambda = Float64Array.from({ length: numeric + 1 }, () => -2 + stream.normal());
  return {
    training: {
      x,
      y,
      groups: tensor(tensor(groups), { dtype, shape: [numeric + 1, width + 1] }),
      curvature: await curvature(task, x),
    },
    validation: draw(25),
    lambda: tensor(tensor(lambda), { dtype }),
  };
}

/** (XᵀX/n + diag)⁻¹ Xᵀy/n by Gaussian elimination. */
function solveRidge({ x, y, groups }: TrainingData<Tensor>, lambda: Tensor): number[] {
  const [n, d] = x.shape as [number, number];
  const system = Array.from({ length: d }, (_, j) => {
    const row = new Array<number>(d + 1).fill(0);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < d; k++) row[k]! += (x.data[i * d + j]! * x.data[i * d + k]!) / n;
      row[d]! += (x.data[i * d + j]! * y.data[i]!) / n;
    }
    for (let g = 0; g < lambda.size; g++)
      row[j]! += groups.data[g * d + j]! * Math.exp(lambda.data[g]!);
    return row;
  });
  for (let p = 0; p < d; p++) {
    for (let j = p + 1; j < d; j++) {
      const factor = system[j]![p]! / system[p]![p]!;
      for (let k = p; k <= d; k++) system[j]![k]! -= factor * system[p]![k]!;
    }
  }
  const w = new Array<number>(d).fill(0);
  for (let p = d - 1; p >= 0; p--) {
    const rest = w.reduce((sum, value, k) => (k > p ? sum + system[p]![k]! * value : sum), 0);
    w[p] = (system[p]![d]! - rest) / system[p]![p]!;
  }
  return w;
}

function ridgeOuter(
  training: TrainingData<Tensor>,
  { x, y }: Rows<Tensor>,
  lambda: Tensor,
): number {
  const w = solveRidge(training, lambda);
  const [n, d] = x.shape as [number, number];
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const score = w.reduce((total, value, j) => total + value * x.data[i * d + j]!, 0);
    sum += (score - y.data[i]!) ** 2 / 2;
  }
  return sum / n;
}
