/** What a fitted model is worth: the loss that was trained and tuned, and the metrics that people read. */
import { accuracy, balancedAccuracy, logLoss, mae, r2, rmse, rocAuc } from "../../data/index.ts";
import type { Task } from "../../data/index.ts";
import type { Prediction } from "./predict.ts";
import type { TabularModel } from "./model.ts";

/** Mean loss in the units of the objectives: nats, or half the squared standardized error. */
export function meanLoss(
  model: TabularModel,
  prediction: Prediction,
  values: Float64Array,
): number {
  if (prediction.task !== "regression") return logLoss(values, prediction.probabilities);
  const { scale } = model.target as Extract<TabularModel["target"], { task: "regression" }>;
  return (rmse(values, prediction.values) / scale) ** 2 / 2;
}

/** The names of {@link metricsOfPrediction}. */
export function metricNames(task: Task): readonly string[] {
  if (task === "regression") return ["rmse", "mae", "r2"];
  const names = ["logLoss", "accuracy", "balancedAccuracy"];
  return task === "binary" ? [...names, "rocAuc"] : names;
}

/**
 * Metrics by name; for regression in the target's unit.
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
