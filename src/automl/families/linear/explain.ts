/** What each column is worth to a linear model: how strongly its coefficient shrinks it, and the weight that it has. */
import type { Encoder, Target, Task } from "../../../data/index.ts";
import { formatCount, formatNumber, formatPercent } from "../../../data/internal.ts";
import type { Explanation, ExplainedInput } from "../explanation.ts";
import type { LinearConfig } from "./config.ts";
import type { LinearModel } from "./model.ts";
import { curvatureBounds } from "./losses.ts";

/**
 * Effective shrinkage of a coefficient λ: λ / (λ + c), the fraction by which the penalty ½λw² alone pulls the weight of a
 * standardized, uncorrelated column towards 0 when the loss curves by c, see {@link curvatureBounds}.
 */
export function effectiveShrinkage(coefficient: number, task: Task): number {
  return coefficient / (coefficient + curvatureBounds[task]);
}

/** Coefficient, shrinkage and weight of every input; the least shrunk come first, of equals those with the larger weight. */
export function explainLinear(
  model: LinearModel,
  { logCoefficient }: LinearConfig,
  { encoder, target }: { encoder: Encoder; target: Target },
): Explanation {
  const inputs = encoder.inputs.map(({ name, kind }, i): ExplainedInput => {
    const weights = model.weights.filter((_, j) => encoder.group[j] === i);
    const coefficient = Math.exp(logCoefficient[i]!);
    return {
      name,
      kind,
      columns: weights.length,
      numbers: {
        logCoefficient: logCoefficient[i]!,
        coefficient,
        weightNorm: Math.hypot(...weights.flat()),
        shrinkage: effectiveShrinkage(coefficient, target.task),
      },
    };
  });
  return { ...pictureOf(inputs, target.name), inputs };
}

/** How the inputs are drawn, and what the drawing means. */
export function pictureOf(
  inputs: readonly ExplainedInput[],
  target: string,
): Omit<Explanation, "inputs"> {
  const at = (i: number, number: string): number => inputs[i]!.numbers[number]!;
  return {
    order: inputs
      .map((_, i) => i)
      .sort(
        (a, b) =>
          at(a, "shrinkage") - at(b, "shrinkage") || at(b, "weightNorm") - at(a, "weightNorm"),
      ),
    bars: [
      { number: "shrinkage", title: "shrinkage", scale: "share", tone: "shrink" },
      { number: "weightNorm", title: "weight", scale: "size", tone: "weight" },
    ],
    details: inputs.map(({ numbers: { coefficient, shrinkage, weightNorm } }) =>
      [
        `λ = ${formatNumber(coefficient, 3)}`,
        `shrinkage ${formatPercent(shrinkage!)}`,
        `weight ${formatNumber(weightNorm, 3)}`,
      ].join(", "),
    ),
    reading: `How to read it: the left bar is the column’s shrinkage. A long bar means that the column is strongly shrunk, that is, judged useless for predicting ${target}; a short bar means that the model is free to use it. The right bar is the size of the weight that the final model gives the column. The least shrunk columns come first.`,
    definitions:
      "Shrinkage is λ/(λ + c), with λ the column’s tuned L2 coefficient and c the curvature of the loss (1 for squared error, ¼ for binary, ½ for several classes): the part of its weight that a standardized column, uncorrelated with the others, loses to the penalty. The columns of one categorical input share one coefficient; the weight is the Euclidean norm over them. Of two columns that carry the same information, either may be the one that is shrunk.",
  };
}

/** Which coefficients these are, after "The model: ". */
export function describeLinear(
  { single }: LinearConfig,
  { method, share, inputs }: { method: string; share: number; inputs: number },
): { words: string; numbers: Record<string, number> } {
  const singleCoefficient = Math.exp(single);
  const shown = formatNumber(singleCoefficient, 3);
  const numbers = { singleCoefficient };
  if (method === "grid")
    return { words: `the single coefficient ${shown} for all columns`, numbers };
  if (method === "default") {
    return { words: `the default coefficient ${shown} for all columns`, numbers };
  }
  const held = share === 1 ? "" : ` and held at ${share} of the way`;
  return {
    words: `one coefficient for each of ${formatCount(inputs, "column")}, tuned from the single one ${shown}${held}`,
    numbers,
  };
}
