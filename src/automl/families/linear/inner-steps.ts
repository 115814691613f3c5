/** How many steps the follower makes in each outer step. */
import type { Task } from "../../../data/index.ts";

/**
 * Steps of the problem's own dynamics. With the full preconditioner least squares need one, and get a few for what
 * rounding leaves. The others get as many as {@link gradientStepsFor} says, and at least 30 with the diagonal
 * preconditioner.
 *
 * @param size - [rows, width + 1] of the design.
 * @param outputs - of all followers together.
 */
export function innerStepsFor(
  task: Task,
  size: readonly number[],
  outputs: number,
  dense: boolean,
): number {
  if (task === "regression" && dense) return 4;
  return affordableSteps(size, outputs, dense ? 12 : 30);
}

/** Plain gradient steps: 100 for small data, fewer for large, where a warm start does the rest, and at least 12. */
export function gradientStepsFor(size: readonly number[], outputs: number): number {
  return affordableSteps(size, outputs, 12);
}

function affordableSteps(size: readonly number[], outputs: number, least: number): number {
  const [rows, columns] = size as [number, number];
  return Math.min(100, Math.max(least, Math.round(3e7 / (rows * columns * outputs))));
}
