/**
 * Tuning one L2 coefficient per input column of a linear model, as a bilevel problem. The leader's
 * hyperparameters are logarithms of coefficients; the follower's weights are those of least squares,
 * logistic or softmax regression. Beside the two objectives stands the follower's dynamics, a gradient
 * step preconditioned by a bound on the Hessian: exact in one step for squares, a fast contraction
 * otherwise.
 */
import { lax, numpy as np } from "@jax-js/jax";
import { bilevel, type Arrays, type Problem } from "../../bilevel/problem.ts";
import { innerGradient, type Dynamics } from "../../bilevel/dynamics.ts";
import type { Task } from "../../data/index.ts";

/** The leader's hyperparameters: ln of the L2 coefficient of each input column, [inputs]. */
export interface Coefficients<A = np.Array> {
  logCoefficient: A;
}

/** The follower's weights, [outputs, width + 1]; the last column is the bias. */
export interface Weights<A = np.Array> {
  weights: A;
}

/**
 * Rows of the design with a last column of ones, and their targets: the standardized target, 0 and 1,
 * or one-hot classes.
 */
export interface Rows<A = np.Array> {
  /** [rows, width + 1] */
  x: A;
  /** [outputs, rows]: elementwise work with scalars is slow in the runtime along a last axis of length 1. */
  y: A;
}

/** The follower's data: training rows and what stays the same for every coefficient. */
export interface TrainingData<A = np.Array> extends Rows<A> {
  /** 0/1, [inputs, width + 1]: which encoded columns share an input's coefficient; the bias has none. */
  groups: A;
  /** From {@link curvatureOf}: [width + 1, width + 1], or [width + 1] beyond {@link denseLimit}. */
  curvature: A;
}

/** What `prepare` adds: all that depends on λ but not on the weights. */
interface PreparedData extends TrainingData {
  /** exp λ of each encoded column, 0 for the bias, [1, width + 1]. */
  coefficient: np.Array;
  /** M: [width + 1, width + 1], or [1, width + 1]. */
  preconditioner: np.Array;
}

/**
 * Most encoded columns for which the preconditioner is a full matrix. Its inverse costs some sixty
 * products of such matrices in every outer step; beyond this width the diagonal with momentum is cheaper.
 */
export const denseLimit = 600;

/** Bound on the loss's second derivative by the score: squares, logistic, softmax (Böhning 1992). */
export const curvatureBounds: Readonly<Record<Task, number>> = {
  regression: 1,
  binary: 1 / 4,
  multiclass: 1 / 2,
};

/** Relative damping of the curvature: keeps the inverse finite in float32 with collinear columns (one-hot and a bias). */
const damping = 1e-5;

/**
 * min over λ of E(w(λ)), the mean validation loss, where w(λ) minimises
 *
 *     L(w, λ) = mean_i loss_i(w) + ½ Σ_j exp(λ_group(j)) ‖w_j‖²      (the bias is not penalized)
 *
 * loss: ½ squared error of the standardized target; logistic; softmax cross-entropy.
 */
export function tabularProblem(task: Task): Problem {
  return bilevel<Coefficients, Weights, Rows & Partial<PreparedData>>({
    prepare: (lambda, data) => ("curvature" in data ? prepare(lambda, data as TrainingData) : data),
    inner: (w, _lambda, data) =>
      meanLoss(task, w, data).add(np.sum(data.coefficient!.mul(np.square(w.weights)).mul(0.5))),
    outer: (w, _lambda, data) => meanLoss(task, w, data),
  });
}

/**
 * The follower's dynamics: w ← w − M(λ) ∇L(w, λ) with M(λ) = (c·XᵀX/n + diag(exp λ))⁻¹ and c from
 * {@link curvatureBounds}. As c·XᵀX/n bounds the loss's Hessian from above, each step decreases L, and
 * the only fixed point is the minimum.
 *
 * Beyond {@link denseLimit} encoded columns, M is the inverse of a diagonal bound and the step has
 * momentum 0.9.
 *
 * @param width - encoded columns.
 * @see Böhning, "Multinomial logistic regression algorithm", Ann. Inst. Statist. Math. 44, 1992.
 */
export function tabularDynamics(width: number): Dynamics {
  const isDense = width <= denseLimit;
  return {
    name: isDense ? "preconditioned gradient" : "diagonally preconditioned gradient with momentum",
    gradientsPerStep: 1,
    init: (w) => ({ w, memory: isDense ? [] : np.zerosLike(weightsIn(w)) }),
    step: (state, lambda, data, inner) => {
      const weights = weightsIn(state.w);
      const { preconditioner } = data as unknown as PreparedData;
      const gradient = weightsIn(innerGradient(inner, state.w, lambda, data));
      if (isDense) {
        return { w: { weights: weights.sub(np.matmul(gradient, preconditioner)) }, memory: [] };
      }
      const velocity = (state.memory as np.Array).mul(0.9).sub(preconditioner.mul(gradient));
      return { w: { weights: weights.add(velocity) }, memory: velocity };
    },
  };
}

/**
 * c·XᵀX/n, damped; a jax-js function of x [n, width + 1], to be run once per split. Beyond
 * {@link denseLimit} columns a diagonal that bounds it instead: row sums of c·|X|ᵀ|X|/n.
 */
export function curvatureOf(task: Task): (x: np.Array) => np.Array {
  const bound = curvatureBounds[task];
  return (x) => {
    const [rows, columns] = x.shape as [number, number];
    if (columns - 1 > denseLimit) {
      const size = np.absolute(x);
      const sums = np.matmul(np.transpose(size), np.sum(size, 1, { keepdims: true }));
      return np
        .reshape(sums, [columns])
        .mul(bound / rows)
        .add(damping);
    }
    const gram = np.matmul(np.transpose(x), x).mul(bound / rows);
    return gram.add(np.eye(columns).mul(np.trace(gram).mul(damping / columns)));
  };
}

function prepare(lambda: Coefficients, data: TrainingData): PreparedData {
  const exponentials = np.reshape(np.exp(lambda.logCoefficient), [1, -1]);
  const coefficient = np.matmul(exponentials, data.groups);
  const preconditioner =
    data.curvature.ndim === 1
      ? np.reciprocal(coefficient.add(data.curvature))
      : inverse(data.curvature.add(np.eye(coefficient.shape[1]!).mul(coefficient)));
  return { ...data, coefficient, preconditioner };
}

/**
 * A⁻¹ of a symmetric positive definite matrix, differentiable, by Newton's and Schulz's iteration
 * X ← X(2I − BX) on B = D A D with unit diagonal. From X = I/‖B‖_∞ it converges quadratically once
 * 2^k passes the condition number. Matrix products only: for a hundred columns several times faster
 * than a factorization, which is a loop over columns.
 *
 * All but the last step are held constant: its derivative dX = −X dA X at X = A⁻¹ is exact, so nothing
 * has to pass through the others.
 */
function inverse(matrix: np.Array): np.Array {
  const constant = lax.stopGradient(matrix);
  const identity = np.eye(matrix.shape[0]!);
  const scale = np.reciprocal(np.sqrt(np.sum(constant.mul(identity), 0, { keepdims: true })));
  const scaled = constant.mul(scale).mul(np.transpose(scale));
  let inverted = identity.div(np.max(np.sum(np.absolute(scaled), 1)));
  for (let k = 0; k < schulzSteps; k++) inverted = schulz(inverted, scaled);
  const start = inverted.mul(scale).mul(np.transpose(scale));
  return schulz(lax.stopGradient(start), matrix);
}

/** 2^28 exceeds the condition numbers that {@link damping} allows. */
const schulzSteps = 28;

function schulz(inverted: np.Array, matrix: np.Array): np.Array {
  return inverted.mul(2).sub(np.matmul(inverted, np.matmul(matrix, inverted)));
}

/**
 * Terms of a loss, [outputs, rows], whose sum over outputs is each row's loss. Exponentials are taken
 * relative to `shift`, any constant near the largest score, so that none overflows.
 */
const losses: Readonly<Record<Task, (score: np.Array, y: np.Array) => np.Array>> = {
  regression: (score, y) => np.square(score.sub(y)).mul(0.5),
  binary: (score, y) => {
    const shift = lax.stopGradient(np.maximum(score, 0));
    const softplus = np.log(np.exp(score.sub(shift)).add(np.exp(shift.neg()))).add(shift);
    return softplus.sub(score.mul(y));
  },
  // y sums to 1 over the classes, so it spreads the normalizer.
  multiclass: (score, y) => {
    const shift = lax.stopGradient(np.max(score, 0, { keepdims: true }));
    const normalizer = np.log(np.sum(np.exp(score.sub(shift)), 0, { keepdims: true })).add(shift);
    return normalizer.sub(score).mul(y);
  },
};

/** w Xᵀ, [outputs, rows]. */
function scoresOf(weights: np.Array, x: np.Array): np.Array {
  return np.matmul(weights, np.transpose(x));
}

/** Mean loss of the rows. */
function meanLoss(task: Task, { weights }: Weights, { x, y }: Rows): np.Array {
  return np.sum(losses[task](scoresOf(weights, x), y).mul(1 / x.shape[0]!));
}

function weightsIn(w: Arrays): np.Array {
  return (w as unknown as Weights).weights;
}
