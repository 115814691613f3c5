/** What fitted weights are worth: the loss that was trained and tuned, and the metrics that people read. */
import {
  accuracy,
  balancedAccuracy,
  logLoss,
  mae,
  r2,
  rmse,
  rocAuc,
} from "../../data/index.ts";
import type { Tensor } from "../../program/tensor.ts";
import { predictEncoded } from "./predict.ts";
import { outputsOf, type EncodedRows, type SplitPlan } from "./splits.ts";
import type { TabularModel } from "./types.ts";

/** Weights [padded width + 1, outputs] as a model: padding removed, the last row is the bias. */
export function toModel(plan: Pick<SplitPlan, "encoder" | "target">, weights: Tensor): TabularModel {
  const { encoder, target } = plan;
  const outputs = outputsOf(target);
  const row = (j: number): number[] => Array.from(weights.data.subarray(j * outputs, (j + 1) * outputs));
  return {
    version: 1,
    target,
    encoder,
    weights: Array.from({ length: encoder.width }, (_, j) => row(j)),
    bias: row(weights.shape[0]! - 1),
  };
}

/** Mean loss in the units of the objectives: nats, or half the squared standardized error. */
export function meanLoss(model: TabularModel, rows: EncodedRows): number {
  const prediction = predictEncoded(model, rows.matrix, rows.count);
  if (prediction.task !== "regression") return logLoss(rows.values, prediction.probabilities);
  const { scale } = model.target as Extract<TabularModel["target"], { task: "regression" }>;
  return (rmse(rows.values, prediction.values) / scale) ** 2 / 2;
}

/** Metrics by name; for regression in the target's unit. */
export function metricsOf(model: TabularModel, rows: EncodedRows): Record<string, number> {
  const { values } = rows;
  const prediction = predictEncoded(model, rows.matrix, rows.count);
  if (prediction.task === "regression") {
    const { values: predicted } = prediction;
    return { rmse: rmse(values, predicted), mae: mae(values, predicted), r2: r2(values, predicted) };
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
