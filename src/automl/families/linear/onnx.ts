/**
 * A linear model's scores in an ONNX graph. One-hot columns times weights is a row of the weights: categorical inputs become a
 * `Gather` from a small table, and no one-hot matrix is ever made.
 */
import type { OnnxLevels, OnnxRows } from "../onnx-rows.ts";
import type { LinearModel } from "./model.ts";

/** bias + numeric block · weights + one table row per categorical input, [rows, outputs]. */
export function linearToOnnx(model: LinearModel, rows: OnnxRows): string {
  const { graph, numeric, categorical } = rows;
  const { bias, weights } = model;
  const terms: string[] = [graph.doubles("bias", [1, bias.length], bias)];
  if (numeric !== undefined) {
    const { value, columns } = numeric;
    const own = columns.flatMap((j) => weights[j]!);
    const factor = graph.doubles("weights", [columns.length, bias.length], own);
    // Not MatMul: ONNX Runtime folds the scale of a single column into a float32 attribute of that.
    terms.push(graph.add("Gemm", [value, factor], "numeric_score"));
  }
  return graph.add(
    "Sum",
    [...terms, ...categorical.map((levels) => levelScore(model, rows, levels))],
    "score",
  );
}

/** The weights of the row's level: its own, those of "other", those of "missing", or zeros. */
function levelScore(
  { weights, bias }: LinearModel,
  { graph }: OnnxRows,
  { input, code, columns }: OnnxLevels,
): string {
  const none = new Array<number>(bias.length).fill(0);
  const table = columns.flatMap((j) => (j === undefined ? none : weights[j]!));
  const rows = graph.doubles(`${input}/weights`, [columns.length, bias.length], table);
  return graph.add("Gather", [rows, code], `${input}/score`, { axis: { int: 0 } });
}
