/** A split's search as a bilevel problem in the coordinates of its rule, and the way from and to the model's weights. */
import type { BilevelData, Problem, Rule } from "../../../bilevel/index.ts";
import type { Task } from "../../../data/index.ts";
import { type Tensor, tensor, type Tree } from "../../../program/index.ts";
import type { ChosenRule } from "./choose-rule.ts";
import { gradientStepsFor, innerStepsFor } from "./inner-steps.ts";
import { tabularDynamics, tabularProblem, type Rows } from "./problem.ts";
import { normOf } from "./minimize.ts";
import { solvedTolerance } from "../search-record.ts";
import { largestCurvature, scaledData, scaledProblem, scaleAt } from "./scaled.ts";
import type { SearchData } from "./search-data.ts";

/** What is handed to `solve`. */
export interface Formulation {
  readonly problem: Problem;
  readonly rule: Rule;
  /** The rule as one would write it. */
  readonly call: string;
  readonly data: BilevelData<Tree<Tensor>>;
  /** ‖∇L‖ at zero weights, in the rule's coordinates. */
  referenceNorm(logCoefficient: ArrayLike<number>): number;
  /** The followers' response as weights of the model, [followers, outputs, width + 1]. */
  toWeights(response: Tensor, logCoefficient: ArrayLike<number>): Tensor;
  /** The way back, in the data's type. */
  fromWeights(weights: Tensor, logCoefficient: ArrayLike<number>): Tensor;
}

/** Poses the search on one split for a rule, whose report calls the inner problem solved when `tune` does. */
export function formulate(
  task: Task,
  chosen: ChosenRule,
  { training, judged }: SearchData,
): Formulation {
  const { x, y, curvature, groups, sets } = training;
  const [outputs, columns] = [y.shape[0]!, x.shape[1]!];
  const dense = curvature.shape[1] === columns;
  const followers = sets.shape[0]!;
  const isScaled = chosen.coordinates === "scaled";
  const { call, rule } = chosen.make({
    steps: innerStepsFor(task, x.shape, followers * outputs, dense),
    dynamics: tabularDynamics(dense),
    gradientSteps: gradientStepsFor(x.shape, followers * outputs),
    learningRate: isScaled ? Number((1 / largestCurvature(training.curvature)).toPrecision(3)) : 1,
  });
  const gradient = gradientAtZero(task, training);
  const scaleOf = (logCoefficient: ArrayLike<number>): Float64Array =>
    isScaled ? scaleAt(training, logCoefficient) : new Float64Array(followers * columns).fill(1);
  /** The place in the scale of each weight. */
  const placeOf = (i: number): number =>
    Math.floor(i / (outputs * columns)) * columns + (i % columns);
  const referenceNorm: Formulation["referenceNorm"] = (logCoefficient) => {
    const scale = scaleOf(logCoefficient);
    return normOf(gradient.map((g, i) => g * scale[placeOf(i)]!));
  };
  const start = new Float64Array(sets.shape[1]! * groups.shape[0]!);
  const tolerance = { ...rule.tolerance, absolute: solvedTolerance * referenceNorm(start) };
  return {
    problem: isScaled ? scaledProblem(task) : tabularProblem(task),
    rule: { ...rule, tolerance },
    call,
    data: isScaled
      ? scaledData(training, judged)
      : { inner: { ...training }, outer: { ...judged } },
    referenceNorm,
    toWeights: (response, logCoefficient) => {
      const scale = scaleOf(logCoefficient);
      const weights = Float64Array.from(response.data, (u, i) => Number(u) * scale[placeOf(i)]!);
      return tensor(weights, { shape: [...response.shape] });
    },
    fromWeights: (weights, logCoefficient) => {
      const scale = scaleOf(logCoefficient);
      const response = Float64Array.from(weights.data, (w, i) => Number(w) / scale[placeOf(i)]!);
      return tensor(response, { dtype: x.dtype, shape: [...weights.shape] });
    },
  };
}

/** ∇L of each follower at zero weights, [followers · outputs · (width + 1)]: all scores are 0, and no penalty pulls. */
function gradientAtZero(task: Task, { x, y, share }: Rows<Tensor>): Float64Array {
  const [rows, columns] = x.shape as [number, number];
  const [followers, outputs] = [share.shape[0]!, y.shape[0]!];
  const prediction = { regression: 0, binary: 1 / 2, multiclass: 1 / outputs }[task];
  const gradient = new Float64Array(followers * outputs * columns);
  for (let f = 0; f < followers; f++) {
    for (let i = 0; i < rows; i++) {
      const own = share.data[f * rows + i] as number;
      if (own === 0) continue;
      for (let k = 0; k < outputs; k++) {
        const residual = (prediction - (y.data[k * rows + i] as number)) * own;
        const at = (f * outputs + k) * columns;
        for (let j = 0; j < columns; j++) {
          gradient[at + j]! += residual * (x.data[i * columns + j] as number);
        }
      }
    }
  }
  return gradient;
}
