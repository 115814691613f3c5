import { describe, expect, test } from "vitest";
import { curvatureMeter } from "../../../bilevel/advise/curvature.ts";
import { gradientDescent, hypergradient, type Rule } from "../../../bilevel/index.ts";
import { implicit } from "../../../bilevel/rules/index.ts";
import { randomKey, randomStream, type Task } from "../../../data/index.ts";
import { conjugateGradient } from "../../../linear/index.ts";
import { compile, tensor, zeros, type Tensor } from "../../../program/index.ts";
import { formulate } from "./formulation.ts";
import { curvatureOf, tabularDynamics } from "./problem.ts";
import { tuneRules } from "./rules.ts";
import { largestCurvature, scaledProblem } from "./scaled.ts";
import type { SearchData } from "./search-data.ts";

const tasks: readonly Task[] = ["regression", "binary", "multiclass"];
const columns = 5;
const solver = conjugateGradient({ maxSteps: 300, rtol: 1e-13 });

describe.each(tasks)("%s", (task) => {
  test("F and its hypergradient are the same in both coordinates", async () => {
    const example = await makeExample(task);
    const { training } = example;
    const [own, scaled] = (["reverse", "amigo"] as const).map((name) =>
      formulate(task, { name, ...tuneRules[name]! }, example),
    );
    const logCoefficient = [0.3, -1.2, -2.1, 1.5, -0.4, 0.9, -3.2, 0.1];
    const evaluate = async (
      { problem, data }: typeof own & object,
      rule: Rule,
    ): Promise<{ value: number; gradient: number[]; weights: Tensor; norm: number }> => {
      const { value, gradient, w, report } = await hypergradient(problem, {
        rule,
        lambda: { logCoefficient: tensor(Float64Array.from(logCoefficient), { shape: [2, 4] }) },
        w: { weights: zeros([2, training.y.shape[0]!, columns], "float64") },
        data,
      });
      return {
        value: value.item(),
        gradient: Array.from((gradient as { logCoefficient: Tensor }).logCoefficient.data, Number),
        weights: (w as { weights: Tensor }).weights,
        norm: report.initialInnerGradientNorm,
      };
    };
    // Both contract to rounding: the preconditioned step by some 0.9, the gradient step by 1 − 1/κ with κ < 100.
    const dynamics = tabularDynamics(true);
    const learningRate = 1 / largestCurvature(training.curvature);
    const a = await evaluate(own!, implicit({ steps: 800, dynamics, solver }));
    const b = await evaluate(
      scaled!,
      implicit({ steps: 6000, dynamics: gradientDescent({ learningRate }), solver }),
    );
    expect(b.value).toBeCloseTo(a.value, 11);
    b.gradient.forEach((value, j) => expect(value).toBeCloseTo(a.gradient[j]!, 9));
    const weights = scaled!.toWeights(b.weights, logCoefficient).data;
    weights.forEach((value, j) => expect(value).toBeCloseTo(Number(a.weights.data[j]), 9));
    const back = scaled!.fromWeights(a.weights, logCoefficient).data;
    back.forEach((value, j) => expect(value).toBeCloseTo(Number(b.weights.data[j]), 8));
    // The evaluations started at zero weights.
    expect(own!.referenceNorm(logCoefficient)).toBeCloseTo(a.norm, 12);
    expect(scaled!.referenceNorm(logCoefficient)).toBeCloseTo(b.norm, 12);
  });

  test("no curvature exceeds the bound, whatever the coefficients and the weights", async () => {
    const example = await makeExample(task);
    const { training } = example;
    const { data } = formulate(task, { name: "soba", ...tuneRules["soba"]! }, example);
    const bound = largestCurvature(training.curvature);
    const shape = [2, training.y.shape[0]!, columns];
    const stream = randomStream(randomKey(2, "weights"));
    const seen: number[] = [];
    for (const log of [-18, 0, 3, 7]) {
      const lambda = {
        logCoefficient: tensor(Float64Array.of(log, -18, 7, log, 2, log, -3, log), {
          shape: [2, 4],
        }),
      };
      const w = { weights: zeros(shape, "float64") };
      const point = { lambda, w, inner: data.inner };
      const meter = await curvatureMeter(scaledProblem(task), point, { products: 64 });
      for (const size of [0, 1, 10]) {
        const values = Float64Array.from({ length: w.weights.size }, () => size * stream.normal());
        seen.push((await meter.at({ weights: tensor(values, { shape }) })).largest);
      }
      await meter.dispose();
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(bound * (1 + 1e-9));
  });
});

test("the bound is attained by squares without a penalty", async () => {
  const example = await makeExample("regression");
  const { training } = example;
  const { data } = formulate("regression", { name: "soba", ...tuneRules["soba"]! }, example);
  const lambda = { logCoefficient: tensor(new Float64Array(8).fill(-30), { shape: [2, 4] }) };
  const w = { weights: zeros([2, 1, columns], "float64") };
  const meter = await curvatureMeter(
    scaledProblem("regression"),
    { lambda, w, inner: data.inner },
    { products: 2 * columns },
  );
  const { largest } = await meter.at(w);
  await meter.dispose();
  // The curvature bound is damped by 1e-5 of its mean diagonal, some 20 here.
  expect(largest / largestCurvature(training.curvature)).toBeCloseTo(1, 3);
});

/**
 * Three columns that hang together, one ten times larger, a last column of ones; float64. Two followers with a set of
 * coefficients each: the first 40 rows train both, every other one of the last 25 judges one or the other.
 */
async function makeExample(task: Task): Promise<SearchData> {
  const stream = randomStream(randomKey(9, task));
  const outputs = task === "multiclass" ? 3 : 1;
  const [rows, own] = [65, 40];
  const x = new Float64Array(rows * columns);
  const y = new Float64Array(outputs * rows);
  const [trains, judges] = [0, 1].map(() => new Float64Array(2 * rows));
  for (let i = 0; i < rows; i++) {
    const common = stream.normal();
    for (let j = 0; j < 3; j++) x[i * columns + j] = common + stream.normal();
    x[i * columns + 3] = 10 * stream.normal();
    x[i * columns + 4] = 1;
    const score = common + 0.1 * x[i * columns + 3]! + stream.normal();
    if (task === "regression") y[i] = score;
    else if (task === "binary") y[i] = score > 0 ? 1 : 0;
    else y[(score > 0.5 ? 2 : score > -0.5 ? 1 : 0) * rows + i] = 1;
    if (i < own) trains![i] = trains![rows + i] = 1 / own;
    else judges![(i % 2) * rows + i] = 1 / (rows - own);
  }
  const groups = Float64Array.from({ length: 4 * columns }, (_, i) =>
    i % columns === Math.floor(i / columns) ? 1 : 0,
  );
  const design = {
    x: tensor(x, { shape: [rows, columns] }),
    y: tensor(y, { shape: [outputs, rows] }),
  };
  const share = tensor(trains!, { shape: [2, 1, rows] });
  const curvature = compile(curvatureOf(task, true));
  const training = {
    ...design,
    share,
    groups: tensor(groups, { shape: [4, columns] }),
    sets: tensor(Float64Array.of(1, 0, 0, 1), { shape: [2, 2] }),
    curvature: await curvature(design.x, share),
  };
  await curvature.dispose();
  return {
    training,
    judged: {
      ...design,
      share: tensor(judges!, { shape: [2, 1, rows] }),
      present: tensor(new Float64Array(4).fill(1), { shape: [1, 4] }),
      prior: tensor(Float64Array.of(0.01)),
    },
  };
}
