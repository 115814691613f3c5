/** Predictions of a fitted model from a table, in plain TypeScript: the same numbers as its ONNX file. */
import { encode } from "../../data/index.ts";
import type { Table } from "../../data/index.ts";
import type { ModelFamily } from "../families/family.ts";
import { familyNamed } from "../families/index.ts";
import type { TabularModel } from "./model.ts";

/** Predictions for the rows of a table, in their order. */
export type Prediction =
  | {
      task: "regression";
      /** [rows], in the target's unit. */
      values: Float64Array;
    }
  | {
      task: "binary" | "multiclass";
      classes: readonly string[];
      /** [rows] */
      labels: string[];
      /** [rows], indices into `classes`. */
      classIndices: Int32Array;
      /** [rows, classes], row-major. */
      probabilities: Float64Array;
    };

/**
 * Predicts every row of a table. The table needs the model's input columns, in any order; others are
 * not read. Missing cells and levels never seen in training are allowed. Read a file for it with
 * `types: inputTypes(model.encoder)`, so that codes such as "007" stay as they are written.
 *
 * @param among - families that are known. Default: those of the registry.
 * @throws DataError when a column is absent, or holds text where the model was trained on numbers.
 */
export function predictTable(
  model: TabularModel,
  table: Table,
  among?: readonly ModelFamily[],
): Prediction {
  const rows = Int32Array.from({ length: table.rowCount }, (_, i) => i);
  const x = encode(model.encoder, table, rows, "float64");
  return predictEncoded(model, x, table.rowCount, among);
}

/** Predictions from rows that are encoded already, x [rows, width]. */
export function predictEncoded(
  model: TabularModel,
  x: Float32Array | Float64Array,
  rows: number,
  among?: readonly ModelFamily[],
): Prediction {
  const { target } = model;
  const score = familyNamed(model.family, among).scores(model.fitted, x, rows);
  if (target.task === "regression") {
    return { task: "regression", values: score.map((s) => target.mean + target.scale * s) };
  }
  const classes = target.classes;
  const probabilities = target.task === "binary" ? logistic(score) : softmax(score, classes.length);
  const classIndices = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    let best = 0;
    for (let k = 1; k < classes.length; k++) {
      if (probabilities[i * classes.length + k]! > probabilities[i * classes.length + best]!)
        best = k;
    }
    classIndices[i] = best;
  }
  const labels = Array.from(classIndices, (k) => classes[k]!);
  return { task: target.task, classes, labels, classIndices, probabilities };
}

function logistic(score: Float64Array): Float64Array {
  const result = new Float64Array(2 * score.length);
  for (let i = 0; i < score.length; i++) {
    result[2 * i] = 1 / (1 + Math.exp(score[i]!));
    result[2 * i + 1] = 1 / (1 + Math.exp(-score[i]!));
  }
  return result;
}

function softmax(score: Float64Array, classes: number): Float64Array {
  const result = new Float64Array(score.length);
  for (let start = 0; start < score.length; start += classes) {
    const row = score.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const powers = row.map((s) => Math.exp(s - largest));
    const total = powers.reduce((a, b) => a + b);
    powers.forEach((power, k) => (result[start + k] = power / total));
  }
  return result;
}
