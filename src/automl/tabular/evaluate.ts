/** What fitted weights are worth: the loss that was trained and tuned, and the metrics that people read. */
import { accuracy, balancedAccuracy, logLoss, mae, r2, rmse, rocAuc } from "../../data/index.ts";
import type { Task } from "../../data/index.ts";
import type { Tensor } from "../../program/tensors/tensor.ts";
import { predictEncoded, type Prediction } from "./predict.ts";
import type { EncodedRows, SplitPlan } from "./splits.ts";
import type { TabularModel } from "./types.ts";

/** Weights [1, outputs, padded width + 1] as a model: padding removed, the last column is the bias. */
export function toModel(
  plan: Pick<SplitPlan, "encoder" | "target">,
  weights: Tensor,
): TabularModel {
  const { encoder, target } = plan;
  const [, outputs, columns] = weights.shape as [number, number, number];
  const column = (j: number): number[] =>
    Array.from({ length: outputs }, (_, k) => weights.data[k * columns + j]!);
  return {
    version: 1,
    target,
    encoder,
    weights: Array.from({ length: encoder.width }, (_, j) => column(j)),
    bias: column(columns - 1),
  };
}

/**
 * Loss of each row under the follower that judges it, in the units of the objectives: nats, or half the squared
 * standardized error. NaN where `judge` is −1.
 *
 * @param weights - [followers, outputs, columns]
 * @param x - [rows, columns]
 * @param y - [outputs, rows]
 * @param judge - [rows], the follower.
 */
export function rowLosses(
  task: Task,
  weights: Tensor,
  x: Tensor,
  y: Tensor,
  judge: Int32Array,
): Float64Array {
  const [, outputs, columns] = weights.shape as [number, number, number];
  const [w, design, targets] = [weights.data, x.data, y.data] as Float64Array[];
  const score = new Float64Array(outputs);
  const rows = judge.length;
  return Float64Array.from(judge, (follower, i) => {
    if (follower < 0) return NaN;
    for (let k = 0; k < outputs; k++) {
      const at = (follower * outputs + k) * columns;
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += w![at + j]! * design![i * columns + j]!;
      score[k] = sum;
    }
    if (task === "regression") return (score[0]! - targets![i]!) ** 2 / 2;
    if (task === "binary") {
      const signed = targets![i]! === 1 ? -score[0]! : score[0]!;
      return Math.max(signed, 0) + Math.log1p(Math.exp(-Math.abs(signed)));
    }
    const largest = Math.max(...score);
    let total = 0;
    let own = 0;
    for (let k = 0; k < outputs; k++) {
      total += Math.exp(score[k]! - largest);
      if (targets![k * rows + i]! === 1) own = score[k]!;
    }
    return Math.log(total) + largest - own;
  });
}

/** Mean loss in the units of the objectives: nats, or half the squared standardized error. */
export function meanLoss(model: TabularModel, rows: EncodedRows): number {
  const prediction = predictEncoded(model, rows.matrix, rows.count);
  if (prediction.task !== "regression") return logLoss(rows.values, prediction.probabilities);
  const { scale } = model.target as Extract<TabularModel["target"], { task: "regression" }>;
  return (rmse(rows.values, prediction.values) / scale) ** 2 / 2;
}

/** The names of {@link metricsOf}. */
export function metricNames(task: Task): readonly string[] {
  if (task === "regression") return ["rmse", "mae", "r2"];
  const names = ["logLoss", "accuracy", "balancedAccuracy"];
  return task === "binary" ? [...names, "rocAuc"] : names;
}

/** Metrics by name; for regression in the target's unit. */
export function metricsOf(model: TabularModel, rows: EncodedRows): Record<string, number> {
  return metricsOfPrediction(predictEncoded(model, rows.matrix, rows.count), rows.values);
}

/**
 * The same of predictions that are there.
 *
 * @param values - [rows], the number or the class index.
 */
export function metricsOfPrediction(
  prediction: Prediction,
  values: Float64Array,
): Record<string, number> {
  if (prediction.task === "regression") {
    const { values: predicted } = prediction;
    return {
      rmse: rmse(values, predicted),
      mae: mae(values, predicted),
      r2: r2(values, predicted),
    };
  }
  const { probabilities, classIndices } = prediction;
  const metrics = {
    logLoss: logLoss(values, probabilities),
    accuracy: accuracy(values, classIndices),
    balancedAccuracy: balancedAccuracy(values, classIndices),
  };
  if (prediction.task === "multiclass") return metrics;
  const positive = Float64Array.from(values, (_, i) => probabilities[2 * i + 1]!);
  return { ...metrics, rocAuc: rocAuc(values, positive) };
}
