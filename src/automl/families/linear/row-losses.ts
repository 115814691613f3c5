/** Losses of single rows under the followers that judge them, in plain TypeScript. */
import type { Task } from "../../../data/index.ts";
import type { Tensor } from "../../../program/index.ts";

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
