/** A split's search as a bilevel problem in the coordinates of its rule, and the way back to the model's weights. */
import type { BilevelData, Problem } from "../../bilevel/problem.ts";
import type { Rule } from "../../bilevel/rule.ts";
import type { Task } from "../../data/index.ts";
import { tensor, type Tensor, type Tree } from "../../program/tensor.ts";
import type { ChosenRule } from "./choose-rule.ts";
import { gradientStepsFor, innerStepsFor } from "./inner-steps.ts";
import { tabularDynamics, tabularProblem, type Rows, type TrainingData } from "./problem.ts";
import { solvedTolerance } from "./result.ts";
import { largestCurvature, scaledData, scaledProblem, scaleAt } from "./scaled.ts";

/** What is handed to `solve`. */
export interface Formulation {
  readonly problem: Problem;
  readonly rule: Rule;
  /** The rule as one would write it. */
  readonly call: string;
  readonly data: BilevelData<Tree<Tensor>>;
  /** ‖∇L‖ at zero weights, in the rule's coordinates. */
  referenceNorm(logCoefficient: ArrayLike<number>): number;
  /** The follower's answer as weights of the model, [outputs, width + 1]. */
  toWeights(answer: Tensor, logCoefficient: ArrayLike<number>): Tensor;
}

/** Poses the search on one split for a rule, whose report calls the inner problem solved when `tune` does. */
export function formulate(
  task: Task,
  chosen: ChosenRule,
  training: TrainingData<Tensor>,
  validation: Rows<Tensor>,
): Formulation {
  const { x, y } = training;
  const [outputs, columns] = [y.shape[0]!, x.shape[1]!];
  const isScaled = chosen.coordinates === "scaled";
  const { call, rule } = chosen.make({
    steps: innerStepsFor(task, x.shape, outputs),
    dynamics: tabularDynamics(columns - 1),
    gradientSteps: gradientStepsFor(x.shape, outputs),
    learningRate: isScaled ? Number((1 / largestCurvature(training.curvature)).toPrecision(3)) : 1,
  });
  const gradient = gradientAtZero(task, training);
  const scaleOf = (logCoefficient: ArrayLike<number>): Float64Array =>
    isScaled ? scaleAt(training, logCoefficient) : new Float64Array(columns).fill(1);
  const referenceNorm: Formulation["referenceNorm"] = (logCoefficient) => {
    const scale = scaleOf(logCoefficient);
    return Math.hypot(...gradient.map((g, i) => g * scale[i % columns]!));
  };
  const start = new Float64Array(training.groups.shape[0]!);
  const tolerance = { ...rule.tolerance, absolute: solvedTolerance * referenceNorm(start) };
  return {
    problem: isScaled ? scaledProblem(task) : tabularProblem(task),
    rule: { ...rule, tolerance },
    call,
    data: isScaled
      ? scaledData(training, validation)
      : { inner: { ...training }, outer: { ...validation } },
    referenceNorm,
    toWeights: (answer, logCoefficient) => {
      if (!isScaled) return answer;
      const scale = scaleOf(logCoefficient);
      const weights = Float64Array.from(answer.data, (u, i) => Number(u) * scale[i % columns]!);
      return tensor(weights, { dtype: answer.dtype, shape: [...answer.shape] });
    },
  };
}

/** ∇L at zero weights, [outputs · (width + 1)]: all scores are 0, and no penalty pulls. */
function gradientAtZero(task: Task, { x, y }: Rows<Tensor>): Float64Array {
  const [rows, columns] = x.shape as [number, number];
  const outputs = y.shape[0]!;
  const prediction = { regression: 0, binary: 1 / 2, multiclass: 1 / outputs }[task];
  const gradient = new Float64Array(outputs * columns);
  for (let k = 0; k < outputs; k++) {
    for (let i = 0; i < rows; i++) {
      const residual = (prediction - (y.data[k * rows + i] as number)) / rows;
      for (let j = 0; j < columns; j++) {
        gradient[k * columns + j]! += residual * (x.data[i * columns + j] as number);
      }
    }
  }
  return gradient;
}
