// The predictions of a whole table, and as the table that `predict` writes.

import { predictEncoded } from "../../automl/internal.ts";
import type { Prediction, TabularModel } from "../../automl/index.ts";
import { type Column, encode, type Table } from "../../data/index.ts";

/** Rows that are encoded at a time, so that a long table needs no wide copy of itself. */
const chunkRows = 8192;

/**
 * Predicts every row.
 *
 * @param aligned - the table with the model's columns, from `alignTable`.
 */
export function predictAligned(model: TabularModel, aligned: Table): Prediction {
  const { rowCount } = aligned;
  const { target } = model;
  const parts = Array.from({ length: Math.ceil(rowCount / chunkRows) }, (_, chunk) => {
    const start = chunk * chunkRows;
    const count = Math.min(chunkRows, rowCount - start);
    const rows = Int32Array.from({ length: count }, (_row, i) => start + i);
    const part = predictEncoded(model, encode(model.encoder, aligned, rows, "float64"), count);
    return { part, start };
  });
  if (target.task === "regression") {
    const values = new Float64Array(rowCount);
    for (const { part, start } of parts) {
      if (part.task === "regression") values.set(part.values, start);
    }
    return { task: "regression", values };
  }
  const { classes, task } = target;
  const classIndices = new Int32Array(rowCount);
  const probabilities = new Float64Array(rowCount * classes.length);
  for (const { part, start } of parts) {
    if (part.task === "regression") continue;
    classIndices.set(part.classIndices, start);
    probabilities.set(part.probabilities, start * classes.length);
  }
  const labels = Array.from(classIndices, (k) => classes[k]!);
  return { task, classes, labels, classIndices, probabilities };
}

/**
 * The predictions as a table: the id first where there is one, a column `prediction`, and for classes a column of
 * probabilities each. Probabilities have nine significant digits, predictions as many as resolve 1e-9 of the target's spread.
 */
export function predictionTable(
  model: TabularModel,
  prediction: Prediction,
  id: readonly Column[] = [],
): Table {
  if (prediction.task === "regression") {
    const { values } = prediction;
    const column: Column = {
      kind: "numeric",
      name: "prediction",
      values: values.map((value) => rounded(value, model.target)),
    };
    return { source: "predictions", rowCount: values.length, columns: [...id, column] };
  }
  const { classes, classIndices, probabilities } = prediction;
  const columns = [
    { kind: "categorical", name: "prediction", codes: classIndices, levels: classes } as const,
    ...classes.map((name, k): Column => {
      const values = Float64Array.from(classIndices, (_, row) =>
        Number(probabilities[row * classes.length + k]!.toPrecision(9)),
      );
      return { kind: "numeric", name: `probability_${name}`, values };
    }),
  ];
  return { source: "predictions", rowCount: classIndices.length, columns: [...id, ...columns] };
}

/** The target may be small differences beside a large offset, such as seconds since 1970: nine digits of these. */
function rounded(value: number, target: TabularModel["target"]): number {
  if (target.task !== "regression" || !Number.isFinite(value)) return value;
  const leading = value === 0 ? 0 : Math.log10(Math.abs(value / target.scale));
  return Number(value.toPrecision(Math.min(17, 9 + Math.max(0, Math.ceil(leading)))));
}
