/**
 * Tuning one L2 coefficient per input column of a linear model, as a bilevel problem. The leader's
 * hyperparameters are logarithms of coefficients; the follower's weights are those of least squares,
 * logistic or softmax regression. Beside the two objectives stands the follower's dynamics, a gradient
 * step preconditioned by a bound on the Hessian: exact in one step for squares, a fast contraction
 * otherwise.
 */
import { lax, numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../bilevel/problem.ts";
import { contraction, innerGradient, type Dynamics } from "../../bilevel/dynamics.ts";
import type { Task } from "../../data/target.ts";

/** The leader's hyperparameters: ln of the L2 coefficient of each input column, [inputs]. */
export interface Coefficients<A = np.Array> {
  logCoefficient: A;
}

/** The follower's weights, [width + 1, outputs]; the last row is the bias. */
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
  /** [rows, outputs] */
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
  /** exp λ of each encoded column, 0 for the bias, [width + 1, 1]. */
  coefficient: np.Array;
  /** M: [width + 1, width + 1], or [width + 1, 1]. */
  preconditioner: np.Array;
}

/**
 * Most encoded columns for which the preconditioner is a full matrix. Its inverse costs a loop over
 * the columns in every outer step; beyond this width the diagonal with momentum is cheaper.
 */
export const denseLimit = 600;

/** Bound on the loss's second derivative by the score: squares, logistic, softmax (Böhning 1992). */
export const curvatureBounds: Readonly<Record<Task, number>> = {
  regression: 1,
  binary: 1 / 4,
  multiclass: 1 / 2,
};

/** Relative damping of the curvature: keeps collinear columns (one-hot with a bias) factorizable in float32. */
const damping = 1e-5;

/**
 * min over λ of E(w(λ)), the mean validation loss, where w(λ) minimises
 *
 *     L(w, λ) = mean_i loss_i(w) + ½ Σ_j exp(λ_group(j)) ‖w_j‖²      (the bias is not penalized)
 *
 * loss: ½ squared error of the standardized target; logistic; softmax cross-entropy.
 */
export function tabularProblem(task: Task): Problem {
  const loss = losses[task];
  return bilevel<Coefficients, Weights, Rows & Partial<PreparedData>>({
    prepare: (lambda, data) => ("curvature" in data ? prepare(lambda, data as TrainingData) : data),
    inner: (w, _lambda, data) =>
      loss(w, data).add(np.sum(data.coefficient!.mul(np.square(w.weights))).mul(0.5)),
    outer: (w, _lambda, data) => loss(w, data),
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
  if (width <= denseLimit) {
    return contraction({
      name: "preconditioned gradient",
      step: (
        { weights }: Weights,
        gradient: Weights,
        _lambda: Coefficients,
        data: PreparedData,
      ) => ({
        weights: weights.sub(np.matmul(data.preconditioner, gradient.weights)),
      }),
    });
  }
  return {
    name: "diagonally preconditioned gradient with momentum",
    gradientsPerStep: 1,
    init: (w) => ({ w, memory: np.zerosLike((w as unknown as Weights).weights) }),
    step: (state, lambda, data, inner) => {
      const { weights } = state.w as unknown as Weights;
      const slope = innerGradient(inner, state.w, lambda, data) as unknown as Weights;
      const { preconditioner } = data as unknown as PreparedData;
      const velocity = (state.memory as np.Array).mul(0.9).sub(preconditioner.mul(slope.weights));
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
  const coefficient = np.transpose(np.matmul(exponentials, data.groups));
  const preconditioner =
    data.curvature.ndim === 1
      ? np.reciprocal(coefficient.add(np.reshape(data.curvature, [-1, 1])))
      : inverse(data.curvature.add(np.eye(coefficient.shape[0]!).mul(coefficient)));
  return { ...data, coefficient, preconditioner };
}

/**
 * A⁻¹ of a symmetric positive definite matrix, differentiable. The factorization is held constant and
 * followed by one Newton–Schulz step M ← 2M − M A M, which refines it and whose derivative
 * dM = −M dA M at M = A⁻¹ is exact: no derivative has to pass through the loops of the factorization.
 */
function inverse(matrix: np.Array): np.Array {
  const lower = lax.linalg.cholesky(lax.stopGradient(matrix));
  const identity = np.eye(matrix.shape[0]!);
  const root = lax.linalg.triangularSolve(lower, identity, { leftSide: true, lower: true });
  const start = lax.stopGradient(np.matmul(np.transpose(root), root));
  return start.mul(2).sub(np.matmul(start, np.matmul(matrix, start)));
}

/** Mean loss of the rows. */
const losses: Readonly<Record<Task, (w: Weights, rows: Rows) => np.Array>> = {
  regression: (w, { x, y }) => np.mean(np.square(np.matmul(x, w.weights).sub(y))).mul(0.5),
  binary: (w, { x, y }) => {
    const score = np.matmul(x, w.weights);
    // ln(1 + e^s) = m + ln(e^(s−m) + e^(−m)) with any m; max(s, 0) keeps the exponentials below 1.
    const shift = lax.stopGradient(np.maximum(score, 0));
    const softplus = shift.add(np.log(np.exp(score.sub(shift)).add(np.exp(shift.neg()))));
    return np.mean(softplus.sub(score.mul(y)));
  },
  multiclass: (w, { x, y }) => {
    const score = np.matmul(x, w.weights);
    const shift = lax.stopGradient(np.max(score, 1, { keepdims: true }));
    const normalizer = np.log(np.sum(np.exp(score.sub(shift)), 1)).add(np.squeeze(shift, 1));
    return np.mean(normalizer.sub(np.sum(score.mul(y), 1)));
  },
};
