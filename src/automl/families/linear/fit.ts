/**
 * Training at fixed coefficients: the followers alone, in float64, until their gradients are small. It serves the default
 * coefficient, every point of the grid, the coefficients that hypergradients found, and the final model, so that all of
 * them are fitted alike. The runtime evaluates the objectives of the whole stack; L-BFGS, from the bound on the curvature
 * that makes it Newton's method for squares, takes the steps.
 */
import { numpy as np } from "@jax-js/jax";
import type { Task } from "../../../data/index.ts";
import { compile, type SessionOptions, type Tensor, tensor } from "../../../program/index.ts";
import { curvatureMetric } from "./curvature-metric.ts";
import { minimizeStack, normOf, type StackObjective } from "./minimize.ts";
import { scoresOf } from "./losses.ts";
import { curvatureOf } from "./problem.ts";

/** What the followers of a fit train on, float64. */
export interface FitData {
  /** [rows, width + 1], the last column of ones. */
  x: Tensor;
  /** [outputs, rows] */
  y: Tensor;
  /** [followers, 1, rows], each follower's shares sum to 1. */
  share: Tensor;
  /** The input that each encoded column belongs to, without padding and bias. */
  group: readonly number[];
}

/** A fit and how well the inner problems were solved. */
export interface Fit {
  /** [followers, outputs, width + 1], float64. */
  weights: Tensor;
  /** ‖∇L‖ of the follower that is farthest from its minimum, relative to ‖∇L‖ at zero weights. */
  relativeGradient: number;
  /** Evaluations of the objectives. */
  evaluations: number;
  /** False when the fit ended before every relative gradient was at most {@link fitTolerance}. */
  isSolved: boolean;
}

/** Fits on the same rows. */
export interface Fitter {
  /**
   * @param logCoefficient - [inputs], for every follower its own or one for all.
   * @param start - weights to start from; default zeros.
   */
  fit(
    logCoefficient: ArrayLike<number> | readonly ArrayLike<number>[],
    start?: Tensor,
  ): Promise<Fit>;
}

/** Compiled programs, one for each shape of data. */
export interface FitPrograms {
  open(data: FitData): Promise<Fitter>;
  dispose(): Promise<void>;
}

/** A fit ends at this gradient norm relative to that of zero weights. */
export const fitTolerance = 1e-6;

/** Evaluations after which a fit gives up; only separable classes with almost no penalty come near it. */
export const evaluationLimit = 4000;

/**
 * Programs for the fits of a task. They run on the CPU, whatever device the search uses: others have no float64.
 *
 * @param options.limit - evaluations after which a fit gives up. Default {@link evaluationLimit}.
 */
export function fitPrograms(
  task: Task,
  options: Pick<SessionOptions, "threads"> & { limit?: number } = {},
): FitPrograms {
  const { limit = evaluationLimit, ...session } = options;
  const objective = compile(stackObjective(task), session);
  const bound = compile(curvatureOf(task, true, gramDamping), session);
  const diagonal = compile(curvatureOf(task, false), session);
  return {
    open: async (data) => {
      const { x, y, share, group } = data;
      const [rows, columns] = x.shape as [number, number];
      const shape = [share.shape[0]!, y.shape[0]!, columns] as const;
      const [followers, outputs] = shape;
      const size = outputs * columns;
      const isFull = columns <= fullLimit && columns <= 4 * rows;
      const curvature = await (isFull ? bound : diagonal)(x, share);
      const evaluate =
        (coefficient: Tensor): StackObjective =>
        async (weights) => {
          const w = tensor(weights, { shape: [...shape] });
          const { values, gradients } = await objective(w, coefficient, share, x, y);
          return {
            values: values.data as Float64Array,
            gradients: gradients.data as Float64Array,
          };
        };
      const zeros = new Float64Array(followers * size);
      // Without weights no penalty counts.
      const none = tensor(new Float64Array(followers * columns), {
        shape: [followers, 1, columns],
      });
      const { gradients } = await evaluate(none)(zeros);
      const references = Float64Array.from({ length: followers }, (_, f) =>
        normOf(gradients.subarray(f * size, (f + 1) * size)),
      );
      return {
        fit: async (logCoefficient, start) => {
          const coefficients = expand(logCoefficient, group, followers, columns);
          const { weights, gradientNorms, evaluations } = await minimizeStack(
            evaluate(tensor(coefficients, { shape: [followers, 1, columns] })),
            start === undefined ? zeros : (start.data as Float64Array),
            {
              metric: curvatureMetric(curvature, coefficients),
              tolerances: references.map((norm) => fitTolerance * norm),
              limit,
            },
          );
          const relative = gradientNorms.map((norm, f) => (norm === 0 ? 0 : norm / references[f]!));
          const relativeGradient = Math.max(...relative);
          return {
            weights: tensor(weights, { shape: [...shape] }),
            relativeGradient,
            evaluations,
            isSolved: relativeGradient <= fitTolerance,
          };
        },
      };
    },
    dispose: async () => {
      await Promise.all([objective.dispose(), bound.dispose(), diagonal.dispose()]);
    },
  };
}

/** Most columns of a full curvature bound: its factor costs a sixth of the cube, for each follower and fit. */
const fullLimit = 601;

/** Relative damping of the bound: collinear columns leave it singular where nothing penalizes them. */
const gramDamping = 1e-11;

/** exp λ of each follower's columns, 0 for padding and bias, [followers · columns]. */
function expand(
  logCoefficient: ArrayLike<number> | readonly ArrayLike<number>[],
  group: readonly number[],
  followers: number,
  columns: number,
): Float64Array {
  const result = new Float64Array(followers * columns);
  for (let f = 0; f < followers; f++) {
    const first = logCoefficient[0];
    const own =
      typeof first === "number"
        ? (logCoefficient as ArrayLike<number>)
        : (logCoefficient as readonly ArrayLike<number>[])[f]!;
    group.forEach((input, j) => (result[f * columns + j] = Math.exp(own[input]!)));
  }
  return result;
}

/**
 * Values [followers] and gradients [followers, outputs, width + 1] of L_f, see `tabularProblem`, written out: a fit needs no
 * other derivative.
 */
function stackObjective(
  task: Task,
): (
  w: np.Array,
  coefficient: np.Array,
  share: np.Array,
  x: np.Array,
  y: np.Array,
) => { values: np.Array; gradients: np.Array } {
  return (w, coefficient, share, x, y) => {
    const [followers, outputs, columns] = w.shape as [number, number, number];
    const { loss, residual } = lossOf(task, scoresOf(w, x), y);
    const weighted = np.reshape(residual.mul(share), [followers * outputs, x.shape[0]!]);
    const pull = coefficient.mul(w);
    const penalty = np.sum(pull.mul(w), [1, 2]).mul(0.5);
    return {
      values: np.sum(loss.mul(share), [1, 2]).add(penalty),
      gradients: np.reshape(np.matmul(weighted, x), [followers, outputs, columns]).add(pull),
    };
  };
}

/** Terms of the loss and its derivative by the score, [followers, outputs, rows]. */
function lossOf(task: Task, score: np.Array, y: np.Array): { loss: np.Array; residual: np.Array } {
  if (task === "regression") {
    const residual = score.sub(y);
    return { loss: np.square(residual).mul(0.5), residual };
  }
  if (task === "binary") {
    const shift = np.maximum(score, 0);
    const one = np.exp(score.sub(shift));
    const total = one.add(np.exp(shift.neg()));
    return {
      loss: np.log(total).add(shift).sub(score.mul(y)),
      residual: one.div(total).sub(y),
    };
  }
  const shift = np.max(score, 1, { keepdims: true });
  const powers = np.exp(score.sub(shift));
  const total = np.sum(powers, 1, { keepdims: true });
  return {
    loss: np.log(total).add(shift).sub(score).mul(y),
    residual: powers.div(total).sub(y),
  };
}
