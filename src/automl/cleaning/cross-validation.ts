/**
 * Cross-validation as a bilevel problem whose hyperparameters are the weights of the rows. The follower fits one linear
 * softmax model a fold, all of them at once; each is judged on the rows that its fold left out.
 *
 *     L(W, a) = Σ_f [ (1/n) Σ_i m_fi a_i ℓ_i(W_f) + ½ δ ‖W_f‖² ]         E(W) = (1/R) Σ_f (1/n) Σ_i (1 − m_fi)(1 − p_i(W_f))
 *
 * m_fi is 1 where row i trains fold f; p_i is the probability of row i's label and ℓ_i = −ln p_i; R repeats of the folds.
 * The outer loss 1 − p is bounded, so that a wrong label cannot outweigh the right ones, as it does with ℓ.
 */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../bilevel/index.ts";
import { randomKey, randomStream } from "../../data/index.ts";
import type { Tensor } from "../../program/index.ts";
import { choleskyFactor, choleskyInverse } from "../families/linear/cholesky.ts";
import { lossTerms, scoresOf } from "../families/linear/losses.ts";

/** The follower's weights, [folds, classes, width + 1]; the last column is the bias. */
export type FoldModels<A = np.Array> = { readonly weights: A };

/** What both levels see. */
export type FoldRows<A = np.Array> = {
  /** Encoded columns and a last one of ones, [n, width + 1]. */
  readonly x: A;
  /** One-hot labels, [classes, n]. */
  readonly y: A;
  /** 1 where the row counts in the fold, [folds, n]: training rows inside, held-out ones outside. */
  readonly mask: A;
};

/** What the follower sees besides. */
export type FoldTraining<A = np.Array> = FoldRows<A> & {
  /** δ of each encoded column, [width + 1]. */
  readonly decay: A;
  /** From {@link preconditionerOf}, [width + 1, width + 1]. */
  readonly preconditioner: A;
};

/** The problem of {@link crossValidationProblem}: λ is a, [n], the rows' weights. */
export type CrossValidationProblem = Problem<np.Array, FoldModels, FoldTraining, FoldRows>;

/**
 * The problem above. Its hypergradient at a = 1 is each row's influence on the cross-validated error.
 *
 * @param repeats - R, by which the outer loss is divided: every row is held out R times.
 * @see Ghosh, Kumar, Sastry, "Robust loss functions under label noise for deep neural networks", AAAI 2017, on 1 − p.
 */
export function crossValidationProblem(repeats: number): CrossValidationProblem {
  return bilevel({
    inner: (w: FoldModels, a: np.Array, data: FoldTraining) => {
      const fit = np.sum(data.mask.mul(a).mul(foldLosses(w, data)));
      const penalty = np.sum(data.decay.mul(np.square(w.weights)));
      return fit.div(data.x.shape[0]!).add(penalty.mul(0.5));
    },
    outer: (w: FoldModels, _a: np.Array, data: FoldRows) => {
      const error = np.exp(foldLosses(w, data).mul(-1)).mul(-1).add(1);
      return np.sum(data.mask.mul(error)).div(data.x.shape[0]! * repeats);
    },
  });
}

/** ℓ_i(W_f), [folds, n]. */
function foldLosses({ weights }: FoldModels, { x, y }: FoldRows): np.Array {
  return np.sum(lossTerms.multiclass(scoresOf(weights, x), y), 1);
}

/**
 * (C + diag δ)⁻¹, [width, width] by rows, for the linear model's dynamics: C bounds every fold's curvature.
 *
 * @param curvature - C as from `curvatureOf` with a share of 1/n for every row, [1, width, width].
 */
export function preconditionerOf(curvature: Tensor, decay: Float32Array): Float32Array {
  const width = decay.length;
  const sum = Float64Array.from(curvature.data as Float64Array);
  decay.forEach((value, j) => (sum[j * (width + 1)]! += value));
  return Float32Array.from(choleskyInverse(choleskyFactor(sum, width), width));
}

/**
 * Which fold holds out each row in each repeat, [repeats][n] of 0 … folds − 1; the folds of a repeat have each class's
 * rows in equal numbers, up to one.
 */
export function drawFolds(
  labels: Int32Array,
  options: { readonly folds: number; readonly repeats: number; readonly seed: number },
): Int32Array[] {
  const { folds, repeats, seed } = options;
  return Array.from({ length: repeats }, (_, repeat) => {
    const stream = randomStream(randomKey(seed, "cleaning folds", repeat));
    const order = stream.shuffle(Int32Array.from(labels, (_, i) => i));
    const byClass = [...order].sort((a, b) => labels[a]! - labels[b]!);
    const fold = new Int32Array(labels.length);
    byClass.forEach((row, k) => (fold[row] = k % folds));
    return fold;
  });
}

/** 1 where a row trains the fold (or, with `heldOut`, where it does not), [repeats · folds, n] by rows. */
export function foldMask(
  draws: readonly Int32Array[],
  folds: number,
  heldOut: boolean,
): Float32Array {
  const rows = draws[0]!.length;
  const mask = new Float32Array(draws.length * folds * rows);
  draws.forEach((draw, repeat) => {
    for (let fold = 0; fold < folds; fold++) {
      const start = (repeat * folds + fold) * rows;
      for (let i = 0; i < rows; i++) mask[start + i] = Number((draw[i] === fold) === heldOut);
    }
  });
  return mask;
}
