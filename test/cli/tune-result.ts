// A hand-made result of a tuning run for the tests of tables and reports: 8 splits, a clear win of
// the per-column coefficients over the grid on log loss, and one column that tries to be a script.

import type { ExplainedInput } from "../../src/automl/families/explanation.ts";
import {
  describeLinear,
  effectiveShrinkage,
  pictureOf,
} from "../../src/automl/families/linear/explain.ts";
import type { MethodResult, TuneResult } from "../../src/automl/tabular/types.ts";
import { meanInterval } from "../../src/data/metrics.ts";
import type { Environment } from "../../src/study/environment.ts";

/** A finished binary run; `columns` input columns, `repeats` splits. */
export function makeTuneResult(options: { columns?: number; repeats?: number } = {}): TuneResult {
  const { columns = 24, repeats = 8 } = options;
  const wave = (i: number): number => Math.sin(12.9898 * (i + 1)) * 0.5 + 0.5;
  const method = (
    name: string,
    title: string,
    called: string,
    level: { loss: number; accuracy: number; seconds: number },
  ): MethodResult => {
    const splits = Array.from({ length: repeats }, (_, i) => i);
    const series = (mean: number, spread: number): number[] =>
      splits.map((i) => mean + spread * (wave(i) - 0.5));
    const estimate = (values: number[]): { values: number[]; mean: number; halfWidth: number } => {
      const { mean, halfWidth } = meanInterval(values);
      return { values, mean, halfWidth };
    };
    return {
      method: name,
      title,
      called,
      role: name === "hypergradient" ? "search" : "baseline",
      seconds: series(level.seconds, 0.05 * level.seconds),
      validationLoss: series(level.loss - 0.01, 0.01),
      test: {
        accuracy: estimate(series(level.accuracy, 0.02 + level.seconds / 100)),
        logLoss: estimate(series(level.loss, 0.02 + level.seconds / 1000)),
        rocAuc: estimate(series(level.accuracy + 0.05, 0.01 + level.seconds / 100)),
      },
    };
  };
  const names = [
    "age",
    "<script>alert(1)</script>",
    "capital-gain",
    "hours-per-week",
    "job & title",
  ];
  const inputs = Array.from({ length: columns }, (_, i): ExplainedInput => {
    const logCoefficient = -9 + 13 * wave(3 * i);
    return {
      name: names[i] ?? `a rather long column name ${i}`,
      kind: i % 4 === 3 ? "categorical" : "numeric",
      columns: i % 4 === 3 ? 7 : 1,
      numbers: {
        logCoefficient,
        coefficient: Math.exp(logCoefficient),
        weightNorm: 1.4 * Math.exp(-0.4 * (logCoefficient + 9)),
        shrinkage: effectiveShrinkage(Math.exp(logCoefficient), "binary"),
      },
    };
  });
  return {
    version: 1,
    status: "completed",
    source: "adult.csv",
    rows: { total: 32561, train: 19537, validation: 6512, test: 6512 },
    target: { task: "binary", name: "income", classes: ["<=50K", ">50K"] },
    task: "binary",
    folds: 5,
    seed: 0,
    repeats,
    completedRepeats: repeats,
    kind: "logistic regression",
    inputs,
    explanation: pictureOf(inputs, "income"),
    methods: [
      method("default", "no tuning", "no tuning", { loss: 0.352, accuracy: 0.842, seconds: 0.12 }),
      method("grid", "best single coefficient", "the best single coefficient", {
        loss: 0.345,
        accuracy: 0.846,
        seconds: 1.31,
      }),
      method("hypergradient", "one coefficient per column", "one coefficient per column", {
        loss: 0.318,
        accuracy: 0.851,
        seconds: 6.4,
      }),
    ],
    history: Array.from({ length: 60 }, (_, i) => ({
      step: i + 1,
      inner: 0.31 + 0.06 * Math.exp(-i / 12),
      outer: 0.318 + 0.05 * Math.exp(-i / 9) + 0.0004 * wave(i),
      gradientNorm: 0.2 * Math.exp(-i / 7) + 1e-4 * (1 + wave(i)),
      innerGradientNorm: 1e-6 * (1 + wave(i)),
      seconds: 0.1 * (i + 1),
    })),
    report: {
      status: "converged",
      sentence:
        "The inner problem was solved to a relative gradient of 2.1e-6, far below what the hypergradient needs.",
      innerGradientNorm: 1.3e-6,
      relativeInnerGradient: 2.1e-6,
      steps: 40,
    },
    rule: {
      name: "reverse",
      call: "reverse({ steps: 15 })",
      bias: null,
      status: "converged",
      sentence:
        "The inner problem is solved: its gradient norm fell to 4.64e-6, 1.89% of its start in 15 steps.",
      innerGradients: 915,
      products: 1830,
      storedBytes: 6240,
    },
    chosen: {
      method: "hypergradient",
      share: 0.5,
      what: describeLinear(
        { logCoefficient: [], single: Math.log(1.2e-4) },
        { method: "hypergradient", share: 0.5, inputs: columns },
      ).words,
      numbers: { singleCoefficient: 1.2e-4 },
      validationLoss: 0.308,
      rows: 32561,
      isSolved: true,
      expected: {
        by: "hypergradient",
        metric: "logLoss",
        mean: 0.318,
        halfWidth: 0.006,
        splits: 8,
      },
    },
    notes: [
      "adult.csv: 14 columns, delimiter ',', a header line.",
      "Column <b>native</b> has 41 levels.",
    ],
    seconds: 63.2,
    model: {
      version: 1,
      family: "linear",
      target: { task: "binary", name: "income", classes: ["<=50K", ">50K"] },
      encoder: {
        version: 1,
        inputs: [
          { kind: "numeric", name: "age", mean: 38, scale: 13, fill: 37, missingIndicator: false },
        ],
        width: 1,
        group: [0],
        columnNames: ["age"],
        dropped: [],
      },
      fitted: { weights: [[0.4]], bias: [-1.2] },
    },
  };
}

/** Where it was made. */
export const environment: Environment = {
  stackelberg: "0.1.0",
  node: "20.20.2",
  onnxruntime: "1.30.0",
  cores: 2,
  threads: 2,
  device: "cpu",
  platform: "linux x64",
};
