/**
 * Whether both objectives are means over the examples, which rules that draw their own batches take for granted: at outer
 * step 0 the mean of each objective's gradients on all the batches is held against its gradient on all the data.
 */
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../../../program/index.ts";
import { callTree, treeMap } from "../../../program/internal.ts";
import type { MeasuredNumbers } from "../../bounds.ts";
import { addTrees, zerosLikeTree } from "../../estimate/leaves.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Point } from "../../rule.ts";
import { gradientOf } from "../../estimate/levels.ts";
import { cutIntoBatches, onlyIf, type OwnBatchOptions } from "./own-batches.ts";
import { treeNorm } from "../../../linear/internal.ts";

type Values = Tree<Value>;

/** ‖mean of the batches' gradients − gradient of all‖ / the longest of a batch; NaN after outer step 0. */
export interface MeanDefects {
  readonly innerMeanDefect: Value;
  readonly outerMeanDefect: Value;
}

/** Measures both objectives' gradients in (λ, w); one more of each on all the data and one on each batch, at step 0. */
export function measureMeans(
  program: Program,
  rule: string,
  problem: Problem,
  point: Point,
  size: OwnBatchOptions["size"],
  k: Value,
): MeanDefects {
  const { w } = point.state as { w: Values };
  const at = { lambda: point.lambda, w };
  const isFirst = program.call((k: np.Array) => np.equal(k, 0), k);
  const unknown = program.call((at: Arrays) => treeNorm(at).mul(0).add(NaN), at as Values);
  const measure = (at: Values): Values => ({
    innerMeanDefect: defectOf(program, rule, problem, point, size, at, "inner"),
    outerMeanDefect: defectOf(program, rule, problem, point, size, at, "outer"),
  });
  const otherwise = { innerMeanDefect: unknown, outerMeanDefect: unknown };
  return onlyIf(program, isFirst, measure, [at as Values], otherwise) as unknown as MeanDefects;
}

/** @throws TypeError when a run has shown that an objective is no mean over its examples. */
export function refuseOtherThanMeans(rule: string, measured: MeasuredNumbers): void {
  for (const level of ["inner", "outer"]) {
    const defect = measured[`${level}MeanDefect`]!;
    if (!(defect > TOLERANCE)) continue;
    throw new TypeError(
      `${rule}: both objectives must be means over the examples, the first axis of their data, and at the first weights the ${level} one's gradient differs from the mean of those on batches by ${defect.toPrecision(2)} of the largest; use np.mean in the place of np.sum, or a rule that takes all the data at once.`,
    );
  }
}

/** Far above the rounding of float32 sums in another order, far below what a sum in the place of a mean leaves. */
const TOLERANCE = 1e-2;

function defectOf(
  program: Program,
  rule: string,
  problem: Problem,
  { data }: Point,
  size: OwnBatchOptions["size"],
  at: Values,
  level: "inner" | "outer",
): Value {
  const { count, batches } = cutIntoBatches(program, rule, level, data[level], size[level]);
  const { prepare = (_lambda: Arrays, raw: Arrays): Arrays => raw } = problem;
  const gradient = (at: Arrays, raw: Arrays): Arrays =>
    gradientOf((at: Arrays) => {
      const { lambda, w } = at as { lambda: Arrays; w: Arrays };
      return problem[level](w, lambda, prepare(lambda, raw) as Arrays);
    }, at);
  const sum = callTree(program, zerosLikeTree, at);
  const [total] = program.scan(
    { length: count },
    ({ sum, longest }: Sums, batch: Values) => {
      const one = callTree(program, gradient, at, batch);
      const next = program.call(
        (g: Arrays, l: np.Array) => np.maximum(treeNorm(g), l),
        one,
        longest,
      );
      return [{ sum: callTree(program, addTrees, sum, one), longest: next as Value }, []];
    },
    { sum, longest: program.call(treeNorm, sum) as Value },
    batches,
  );
  const relative = (whole: Arrays, sum: Arrays, longest: np.Array): np.Array => {
    const leaf = (whole: np.Array, sum: np.Array): np.Array => whole.sub(sum.div(count));
    const error = treeNorm(treeMap(leaf, whole, sum));
    const isSome = np.greater(longest, 0);
    return np.where(isSome, error.div(np.where(isSome, longest, 1)), np.sign(error));
  };
  const whole = callTree(program, gradient, at, data[level]);
  return program.call(relative, whole, total.sum, total.longest) as Value;
}

type Sums = { readonly sum: Values; readonly longest: Value };
