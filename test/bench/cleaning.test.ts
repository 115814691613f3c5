/** The published form of hyper-cleaning, which the benchmark measures, and its scores. */
import { describe, expect, test } from "vitest";
import {
  cleaningProblem,
  oneHot,
  zeroModel,
  type LabelledRows,
} from "../../bench/cleaning/problem.ts";
import { precisionAtK, scoreKept } from "../../bench/cleaning/score.ts";
import { corruptLabels } from "../../src/automl/cleaning/corrupt.ts";
import { adam, checkHypergradient, gradientDescent, solve } from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { randomKey, randomStream } from "../../src/data/index.ts";
import { tensor, zeros, type Tensor } from "../../src/program/index.ts";

describe("scores", () => {
  test("of four kept rows three are clean, of five clean rows three are kept", () => {
    const x = [1, 0, 2, 3, -1, -2, -3];
    const isWrong = [0, 0, 0, 1, 0, 0, 1];
    const { precision, recall, f1, kept } = scoreKept(x, isWrong);
    expect([precision, recall, kept]).toEqual([3 / 4, 3 / 5, 4]);
    expect(f1).toBeCloseTo((2 * 0.75 * 0.6) / 1.35, 15);
  });

  test("all kept, half of them wrong: two thirds; no clean row kept: 0", () => {
    expect(scoreKept([0, 0, 0, 0], [1, 1, 0, 0]).f1).toBeCloseTo(2 / 3, 15);
    expect(scoreKept([-1, -1], [0, 0]).f1).toBe(0);
  });

  test("precision among the lowest", () => {
    expect(precisionAtK([3, -2, 1, -1], [0, 1, 0, 0], 1)).toBe(1);
    expect(precisionAtK([3, -2, 1, -1], [0, 1, 0, 0], 2)).toBe(0.5);
    expect(() => precisionAtK([1], [0], 2)).toThrow("k must be");
  });
});

test("oneHot refuses a label outside the classes", () => {
  expect([...oneHot([1, 0], 2).data]).toEqual([0, 1, 1, 0]);
  expect(() => oneHot([2], 2)).toThrow("row 0 has 2");
  expect(() => cleaningProblem({ decay: -1 })).toThrow("decay");
});

describe("the problem", () => {
  const stream = randomStream(randomKey(5));
  /** Three classes around corners of a triangle. */
  const corners = [
    [2, 0],
    [-1, 2],
    [-1, -2],
  ];
  const rows = (labels: Int32Array, own: Int32Array): LabelledRows<Tensor> => ({
    x: tensor(
      Float32Array.from({ length: 2 * labels.length }, (_, i) => {
        return corners[labels[i >> 1]!]![i & 1]! + 0.5 * stream.normal();
      }),
      { shape: [labels.length, 2] },
    ),
    y: oneHot(own, 3),
  });
  const labels = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i % 3);
  const planted = corruptLabels(labels(90), { classes: 3, rate: 0.3, seed: 3 });
  const data = {
    inner: rows(labels(90), planted.labels),
    outer: rows(labels(60), labels(60)),
  };
  const setting = {
    rule: reverse({ steps: 20, dynamics: gradientDescent({ learningRate: 0.5 }) }),
    lambda: zeros([90]),
    w: zeroModel(2, 3),
    data,
  };

  test("its hypergradient agrees with differences", async () => {
    const check = await checkHypergradient(cleaningProblem({ decay: 0.01 }), setting);
    expect(check.passed, check.sentence).toBe(true);
  });

  test("planted errors sink to the bottom", async () => {
    const { lambda } = await solve(cleaningProblem(), {
      ...setting,
      optimizer: adam({ learningRate: 0.3 }),
      budget: { steps: 30 },
    });
    const x = (lambda as unknown as Tensor).data;
    expect(scoreKept(x, planted.isWrong).f1).toBeGreaterThan(0.95);
    expect(precisionAtK(x, planted.isWrong, 20)).toBe(1);
  });
});
