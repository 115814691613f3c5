/** The design of a linear model: encoded rows with padding and a last column of ones, targets, and shares in the losses. */
import type { Encoder, Target } from "../../../data/index.ts";
import { type Tensor, tensor } from "../../../program/index.ts";
import {
  judgedRows,
  outputsOf,
  type EncodedRows,
  type EncodingPlan,
  type SplitPlan,
} from "../rows.ts";

/** The design with padding and a last column of ones, and the targets, float64. */
export function toDesign(
  encoded: EncodedRows,
  plan: EncodingPlan,
  width: number,
): { x: Tensor; y: Tensor } {
  const { matrix, values, count } = encoded;
  const own = plan.encoder.width;
  const x = new Float64Array(count * (width + 1));
  for (let i = 0; i < count; i++) {
    x.set(matrix.subarray(i * own, (i + 1) * own), i * (width + 1));
    x[i * (width + 1) + width] = 1;
  }
  return {
    x: tensor(x, { shape: [count, width + 1] }),
    y: tensor(targets(values, plan.target), { shape: [outputsOf(plan.target), count] }),
  };
}

/** Share of each row in its followers' training loss, [followers, 1, rows]. */
export function trainingShares({ trains }: Pick<SplitPlan, "trains">): Float64Array {
  const rows = trains[0]!.length;
  const result = new Float64Array(trains.length * rows);
  trains.forEach((own, f) => {
    const count = own.reduce((sum, one) => sum + one, 0);
    own.forEach((one, i) => (result[f * rows + i] = one / count));
  });
  return result;
}

/** Share of each row in the mean held-out loss, [followers, 1, rows]. */
export function judgingShares({
  judge,
  trains,
}: Pick<SplitPlan, "judge" | "trains">): Float64Array {
  const result = new Float64Array(trains.length * judge.length);
  const count = judgedRows(judge);
  judge.forEach((follower, i) => {
    if (follower >= 0) result[follower * judge.length + i] = 1 / count;
  });
  return result;
}

/** Which encoded columns share an input's coefficient, [inputs, width + 1]; none for padding and bias. */
export function groupsOf(encoder: Encoder, inputs: number, width: number): Tensor {
  const groups = new Float32Array(inputs * (width + 1));
  encoder.group.forEach((input, j) => (groups[input * (width + 1) + j] = 1));
  return tensor(groups, { shape: [inputs, width + 1] });
}

/** The standardized target, 0 and 1, or one-hot classes, [outputs, rows]. */
function targets(values: Float64Array, target: Target): Float64Array {
  if (target.task === "regression") {
    return values.map((value) => (value - target.mean) / target.scale);
  }
  if (target.task === "binary") return values;
  const oneHot = new Float64Array(target.classes.length * values.length);
  values.forEach((value, i) => (oneHot[value * values.length + i] = 1));
  return oneHot;
}
