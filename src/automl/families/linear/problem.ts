/**
 * Tuning one L2 coefficient per input column of a linear model, as a bilevel problem. The leader's
 * hyperparameters are logarithms of coefficients; the follower's weights are those of least squares,
 * logistic or softmax regression. One follower for each fold stands in a stack: they share the rows, each weighs them
 * in its own way, and λ. Beside the two objectives stands the follower's dynamics, a gradient step preconditioned by a
 * bound on the Hessian: exact in one step for squares, a fast contraction otherwise.
 */
import { lax, numpy as np } from "@jax-js/jax";
import { type Arrays, bilevel, type Dynamics, type Problem } from "../../../bilevel/index.ts";
import { innerGradient } from "../../../bilevel/internal.ts";
import type { Task } from "../../../data/index.ts";
import { curvatureBounds, lossTerms, scoresOf } from "./losses.ts";

/**
 * The leader's hyperparameters: ln of the L2 coefficient of each input column, [sets, inputs]. Every follower belongs to
 * one set of coefficients.
 */
export interface Coefficients<A = np.Array> {
  logCoefficient: A;
}

/** The followers' weights, [followers, outputs, width + 1]; the last column is the bias. */
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
  /** Weight of each row's loss for each follower, [followers, 1, rows]; 0 where the row is not its own. */
  share: A;
}

/** The leader's data: rows with the share of each held-out one in the validation loss, and the prior. */
export interface JudgedRows<A = np.Array> extends Rows<A> {
  /** 1 for inputs that exist, 0 for padding, [1, inputs]. */
  present: A;
  /** ρ of the prior, [1]. */
  prior: A;
}

/** The followers' data: training rows and what stays the same for every coefficient. */
export interface TrainingData<A = np.Array> extends Rows<A> {
  /** 0/1, [inputs, width + 1]: which encoded columns share an input's coefficient; the bias has none. */
  groups: A;
  /** 0/1, [followers, sets]: the set of coefficients that each follower has. */
  sets: A;
  /** From {@link curvatureOf}: [followers, width + 1, width + 1], or [followers, 1, width + 1] when not {@link isDense}. */
  curvature: A;
}

/** What `prepare` adds: all that depends on λ but not on the weights. */
interface PreparedData extends TrainingData {
  /** exp λ of each encoded column, 0 for the bias, [followers, 1, width + 1]. */
  coefficient: np.Array;
  /** M: [followers, width + 1, width + 1], or [followers, 1, width + 1]. */
  preconditioner: np.Array;
}

/**
 * Whether the preconditioners are full matrices. Their inverses cost some sixty products of such matrices in every outer
 * step; beyond 600 encoded columns of one follower, or 350 of five, the diagonal with momentum is cheaper.
 */
export function isDense(width: number, followers: number): boolean {
  return followers * width ** 3 <= 600 ** 3;
}

/** Relative damping of the curvature: keeps the inverse finite in float32 with collinear columns (one-hot and a bias). */
const damping = 1e-5;

/**
 * min over λ of the held-out loss of all followers and the price of a prior,
 *
 *     E = Σ_f Σ_i share'_fi loss_i(w_f) + ½ρ Σ_s Σ_j (λ_sj − mean_j λ_sj)²,
 *
 * where w(λ) minimises, each follower by itself,
 *
 *     L_f(w, λ) = Σ_i share_fi loss_i(w) + ½ Σ_j exp(λ_s(f),group(j)) ‖w_j‖²      (the bias is not penalized)
 *
 * loss: ½ squared error of the standardized target; logistic; softmax cross-entropy. The prior is a normal distribution of
 * the log-coefficients around their common mean, which is free: it holds them together.
 */
export function tabularProblem(task: Task): Problem {
  return bilevel<Coefficients, Weights, Rows & Partial<PreparedData & JudgedRows>>({
    prepare: (lambda, data) => ("curvature" in data ? prepare(lambda, data as TrainingData) : data),
    inner: (w, _lambda, data) =>
      sharedLoss(task, w, data).add(np.sum(data.coefficient!.mul(np.square(w.weights)).mul(0.5))),
    outer: (w, lambda, data) =>
      sharedLoss(task, w, data).add(
        spread(lambda, data.present!).mul(np.sum(data.prior!).mul(0.5)),
      ),
  });
}

/** Σ_s Σ_j (λ_sj − mean_j λ_sj)² over the inputs that exist. */
function spread({ logCoefficient }: Coefficients, present: np.Array): np.Array {
  const count = np.sum(present);
  const mean = np.sum(logCoefficient.mul(present), 1, { keepdims: true }).div(count);
  return np.sum(np.square(logCoefficient.sub(mean)).mul(present));
}

/**
 * The followers' dynamics: w ← w − M(λ) ∇L(w, λ) with M(λ) = (c·XᵀSX + diag(exp λ))⁻¹, S the shares and c from
 * {@link curvatureBounds}. As c·XᵀSX bounds the loss's Hessian from above, each step decreases L, and
 * the only fixed point is the minimum.
 *
 * Unless {@link isDense}, M is the inverse of a diagonal bound and the step has momentum 0.9.
 *
 * @see Böhning, "Multinomial logistic regression algorithm", Ann. Inst. Statist. Math. 44, 1992.
 */
export function tabularDynamics(dense: boolean): Dynamics {
  return {
    name: dense ? "preconditioned gradient" : "diagonally preconditioned gradient with momentum",
    gradientsPerStep: 1,
    init: (w) => ({ w, memory: dense ? [] : np.zerosLike(weightsIn(w)) }),
    step: (state, lambda, data, inner) => {
      const weights = weightsIn(state.w);
      const { preconditioner } = data as unknown as PreparedData;
      const gradient = weightsIn(innerGradient(inner, state.w, lambda, data));
      if (dense) {
        return { w: { weights: weights.sub(np.matmul(gradient, preconditioner)) }, memory: [] };
      }
      const velocity = (state.memory as np.Array).mul(0.9).sub(preconditioner.mul(gradient));
      return { w: { weights: weights.add(velocity) }, memory: velocity };
    },
  };
}

/**
 * c·XᵀSX of each follower, damped; a jax-js function of x [rows, width + 1] and share [followers, 1, rows], to be run once
 * per split. When not `dense`, a diagonal that bounds it instead: row sums of c·|X|ᵀS|X|.
 */
export function curvatureOf(
  task: Task,
  dense: boolean,
  relativeDamping: number = damping,
): (x: np.Array, share: np.Array) => np.Array {
  const bound = curvatureBounds[task];
  return (x, share) => {
    const [followers, , rows] = share.shape as [number, number, number];
    const columns = x.shape[1]!;
    if (!dense) {
      const size = np.absolute(x);
      const sums = np.reshape(share, [followers, rows]).mul(np.sum(size, 1));
      return np.reshape(np.matmul(sums, size), [followers, 1, columns]).mul(bound).add(damping);
    }
    const grams = Array.from({ length: followers }, (_, f) => {
      const weighted = x.mul(np.reshape(share.slice(f), [rows, 1]));
      const gram = np.matmul(np.transpose(x), weighted).mul(bound);
      return gram.add(np.eye(columns).mul(np.trace(gram).mul(relativeDamping / columns)));
    });
    return np.stack(grams);
  };
}

function prepare(lambda: Coefficients, data: TrainingData): PreparedData {
  const coefficient = coefficientOf(lambda, data);
  const columns = coefficient.shape[2]!;
  const preconditioner =
    data.curvature.shape[1] === columns
      ? inverse(data.curvature.add(np.eye(columns).mul(coefficient)))
      : np.reciprocal(coefficient.add(data.curvature));
  return { ...data, coefficient, preconditioner };
}

/** exp λ of each follower's encoded columns, 0 for padding and bias, [followers, 1, width + 1]. */
export function coefficientOf(
  { logCoefficient }: Coefficients,
  { groups, sets }: Pick<TrainingData, "groups" | "sets">,
): np.Array {
  const bySet = np.matmul(np.exp(logCoefficient), groups);
  return np.reshape(np.matmul(sets, bySet), [sets.shape[0]!, 1, groups.shape[1]!]);
}

/**
 * A⁻¹ of symmetric positive definite matrices [followers, n, n], differentiable, by Newton's and Schulz's iteration
 * X ← X(2I − BX) on B = D A D with unit diagonal. From X = I/‖B‖_∞ it converges quadratically once
 * 2^k passes the condition number. Matrix products only: for a hundred columns several times faster
 * than a factorization, which is a loop over columns.
 *
 * All but the last step are held constant: its derivative dX = −X dA X at X = A⁻¹ is exact, so nothing
 * has to pass through the others.
 */
function inverse(matrix: np.Array): np.Array {
  const constant = lax.stopGradient(matrix);
  const identity = np.eye(matrix.shape[1]!);
  const scale = np.reciprocal(np.sqrt(np.sum(constant.mul(identity), 1, { keepdims: true })));
  const scaled = constant.mul(scale).mul(np.swapaxes(scale, 1, 2));
  const sums = np.sum(np.absolute(scaled), 2, { keepdims: true });
  let inverted = identity.div(np.max(sums, 1, { keepdims: true }));
  for (let k = 0; k < schulzSteps; k++) inverted = schulz(inverted, scaled);
  const start = inverted.mul(scale).mul(np.swapaxes(scale, 1, 2));
  return schulz(lax.stopGradient(start), matrix);
}

/** 2^28 exceeds the condition numbers that {@link damping} allows. */
const schulzSteps = 28;

function schulz(inverted: np.Array, matrix: np.Array): np.Array {
  return inverted.mul(2).sub(np.matmul(inverted, np.matmul(matrix, inverted)));
}

/** Σ_f Σ_i share_fi loss_i(w_f) */
function sharedLoss(task: Task, { weights }: Weights, { x, y, share }: Rows): np.Array {
  return np.sum(lossTerms[task](scoresOf(weights, x), y).mul(share));
}

function weightsIn(w: Arrays): np.Array {
  return (w as unknown as Weights).weights;
}
