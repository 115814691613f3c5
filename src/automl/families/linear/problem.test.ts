import { describe, expect, test } from "vitest";
import { checkHypergradient, hypergradient } from "../../../bilevel/index.ts";
import { reverse } from "../../../bilevel/rules/explicit/reverse.ts";
import { randomKey, randomStream, type Task } from "../../../data/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../../program/index.ts";
import {
  curvatureOf,
  isDense,
  tabularDynamics,
  tabularProblem,
  type JudgedRows,
  type TrainingData,
} from "./problem.ts";

const tasks: readonly Task[] = ["regression", "binary", "multiclass"];
const followers = 3;
const sets = [0, 0, 1];

interface Example {
  training: TrainingData<Tensor>;
  judged: JudgedRows<Tensor>;
  lambda: Tensor;
}

describe.each(tasks)("%s", (task) => {
  test.each([true, false])(
    "the hypergradient of a few steps agrees with finite differences, full preconditioner %s",
    async (dense) => {
      const { training, judged, lambda } = await example(task, dense);
      const [outputs, columns] = [training.y.shape[0]!, training.x.shape[1]!];
      const check = await checkHypergradient(tabularProblem(task), {
        rule: reverse({ steps: 3, dynamics: tabularDynamics(dense) }),
        lambda: { logCoefficient: lambda },
        w: { weights: zeros([followers, outputs, columns], "float64") },
        data: { inner: { ...training }, outer: { ...judged } },
        tolerance: 1e-6,
      });
      expect(check.precision).toBe("float64");
      expect(check.sentence).toBeTypeOf("string");
      expect(check.passed, check.sentence).toBe(true);
    },
  );
});

test("ridge regression: value and hypergradient of the closed form, followers, sets and prior together", async () => {
  const { training, judged, lambda } = await example("regression", true);
  const evaluate = (at: Tensor): number => ridgeOuter(training, judged, at);
  const columns = training.x.shape[1]!;
  const { gradient, value } = await hypergradient(tabularProblem("regression"), {
    rule: reverse({ steps: 4, dynamics: tabularDynamics(true) }),
    lambda: { logCoefficient: lambda },
    w: { weights: zeros([followers, 1, columns], "float64") },
    data: { inner: { ...training }, outer: { ...judged } },
  });
  expect(value.item()).toBeCloseTo(evaluate(lambda), 9);
  const actual = (gradient as unknown as { logCoefficient: Tensor }).logCoefficient.data;
  for (let i = 0; i < lambda.size; i++) {
    // A central difference with h = 1e-4 errs by h²·F'''/6 ≈ 1e-9 and by rounding 1e-16/h.
    const move = (h: number): number => {
      const moved = Float64Array.from(lambda.data);
      moved[i]! += h;
      return evaluate(tensor(moved, { shape: [...lambda.shape] }));
    };
    expect(Math.abs(actual[i]! - (move(1e-4) - move(-1e-4)) / 2e-4)).toBeLessThan(1e-6);
  }
});

test("full preconditioners for as many columns as their inverses allow", () => {
  expect([600, 601].map((width) => isDense(width, 1))).toEqual([true, false]);
  expect([350, 352].map((width) => isDense(width, 5))).toEqual([true, false]);
});

/** Numeric columns and one categorical input of three columns, whose coefficient they share; row i is held out by i mod 3. */
async function example(task: Task, dense: boolean): Promise<Example> {
  const [rows, numeric] = [42, 3];
  const stream = randomStream(randomKey(5, task));
  const width = numeric + 3;
  const outputs = task === "multiclass" ? 3 : 1;
  const effects = Array.from({ length: width * outputs }, () => stream.normal());
  const x = new Float64Array(rows * (width + 1));
  const y = new Float64Array(outputs * rows);
  const [trains, judges] = [0, 1].map(() => new Float64Array(followers * rows));
  for (let i = 0; i < rows; i++) {
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
    else y[scores.indexOf(Math.max(...scores)) * rows + i] = 1;
    for (let f = 0; f < followers; f++) {
      if (i % followers === f) judges![f * rows + i] = 1 / rows;
      else trains![f * rows + i] = 1.5 / rows;
    }
  }
  const groups = new Float64Array((numeric + 1) * (width + 1));
  for (let j = 0; j < width; j++) groups[Math.min(j, numeric) * (width + 1) + j] = 1;
  const design = {
    x: tensor(x, { shape: [rows, width + 1] }),
    y: tensor(y, { shape: [outputs, rows] }),
  };
  const share = tensor(trains!, { shape: [followers, 1, rows] });
  const lambda = Float64Array.from({ length: 2 * (numeric + 1) }, () => -2 + stream.normal());
  const members = Float64Array.from({ length: 2 * followers }, (_, k) =>
    Number(sets[Math.floor(k / 2)] === k % 2),
  );
  const curvature = compile(curvatureOf(task, dense));
  const training: TrainingData<Tensor> = {
    ...design,
    share,
    groups: tensor(groups, { shape: [numeric + 1, width + 1] }),
    sets: tensor(members, { shape: [followers, 2] }),
    curvature: await curvature(design.x, share),
  };
  await curvature.dispose();
  return {
    training,
    judged: {
      ...design,
      share: tensor(judges!, { shape: [followers, 1, rows] }),
      // As if the last input were padding.
      present: tensor(Float64Array.of(1, 1, 1, 0), { shape: [1, numeric + 1] }),
      prior: tensor(Float64Array.of(0.02)),
    },
    lambda: tensor(lambda, { shape: [2, numeric + 1] }),
  };
}

/** (XᵀSX + diag)⁻¹ XᵀSy of a follower by Gaussian elimination. */
function solveRidge(
  { x, y, groups, share }: TrainingData<Tensor>,
  lambda: Tensor,
  follower: number,
): number[] {
  const [n, d] = x.shape as [number, number];
  const inputs = groups.shape[0]!;
  const system = Array.from({ length: d }, (_, j) => {
    const row = new Array<number>(d + 1).fill(0);
    for (let i = 0; i < n; i++) {
      const own = Number(share.data[follower * n + i]) * Number(x.data[i * d + j]);
      for (let k = 0; k < d; k++) row[k]! += own * Number(x.data[i * d + k]);
      row[d]! += own * Number(y.data[i]);
    }
    for (let g = 0; g < inputs; g++)
      row[j]! +=
        Number(groups.data[g * d + j]) *
        Math.exp(Number(lambda.data[sets[follower]! * inputs + g]));
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
  { x, y, share }: JudgedRows<Tensor>,
  lambda: Tensor,
): number {
  const [n, d] = x.shape as [number, number];
  let sum = 0;
  for (let f = 0; f < followers; f++) {
    const w = solveRidge(training, lambda, f);
    for (let i = 0; i < n; i++) {
      const score = w.reduce((total, value, j) => total + value * Number(x.data[i * d + j]), 0);
      sum += (Number(share.data[f * n + i]) * (score - Number(y.data[i])) ** 2) / 2;
    }
  }
  // The prior's price, of the three inputs that are present.
  for (const own of [0, 1]) {
    const values = Array.from(lambda.data, Number).slice(4 * own, 4 * own + 3);
    const mean = values.reduce((a, b) => a + b) / 3;
    for (const value of values) sum += 0.01 * (value - mean) ** 2;
  }
  return sum;
}
