/**
 * Data hyper-cleaning: the leader weighs the training rows, some of which carry a wrong label; the follower fits a linear
 * softmax model to the weighted rows; clean validation rows judge it.
 *
 *     L(w, x) = (1/n) Σ_i σ(x_i) ℓ_i(w) + ½ δ ‖W‖²        E(w) = mean validation ℓ
 */
import { nn, numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import { tensor, zeros, type Tensor } from "../../src/program/index.ts";

/** Rows with their labels. */
export type LabelledRows<A = np.Array> = {
  /** [n, d] */
  readonly x: A;
  /** One-hot labels, [n, classes]. */
  readonly y: A;
};

/** Training rows; a minibatch of them says which they are. */
export type TrainingRows<A = np.Array> = LabelledRows<A> & {
  /** Index of each row's logit in x, [n] int32. Absent when these are all the rows, in order. */
  readonly rows?: A;
};

/** The weights of a linear softmax model. */
export type LinearModel<A = np.Array> = {
  /** [d, classes] */
  readonly weights: A;
  /** [classes] */
  readonly bias: A;
};

/** The problem of {@link cleaningProblem}: λ is x [n], the logits of the row weights. */
export type CleaningProblem = Problem<np.Array, LinearModel, TrainingRows>;

/**
 * Hyper-cleaning of a linear softmax model. Start x at 0, where every row has weight ½.
 *
 * @param options.decay - δ ≥ 0 of an L2 term on the weights, bias excluded, that makes the follower's response unique.
 *   Default 0, as published.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017.
 */
export function cleaningProblem(options: { readonly decay?: number } = {}): CleaningProblem {
  const { decay = 0 } = options;
  if (!(decay >= 0 && decay < Infinity)) {
    throw new RangeError(`cleaningProblem: decay must be a finite number >= 0; ${decay} came.`);
  }
  return bilevel({
    inner: (w: LinearModel, x: np.Array, data: TrainingRows) => {
      const logits = data.rows === undefined ? x : np.take(x, data.rows, 0);
      const fit = np.mean(nn.sigmoid(logits).mul(rowLosses(w, data)));
      return decay === 0 ? fit : fit.add(np.sum(np.square(w.weights)).mul(decay / 2));
    },
    outer: (w: LinearModel, _x: np.Array, rows: LabelledRows) => np.mean(rowLosses(w, rows)),
  });
}

/** ℓ_i, the softmax cross-entropy of each row, [n]. */
export function rowLosses({ weights, bias }: LinearModel, { x, y }: LabelledRows): np.Array {
  const logits = np.matmul(x, weights).add(bias);
  return np.sum(nn.logSoftmax(logits, 1).mul(y), 1).mul(-1);
}

/** Weights of zero for d columns and a number of classes. */
export function zeroModel(columns: number, classes: number): LinearModel<Tensor> {
  return { weights: zeros([columns, classes]), bias: zeros([classes]) };
}

/** Class indices as rows of a float32 identity matrix, [n, classes]. */
export function oneHot(labels: ArrayLike<number>, classes: number): Tensor {
  const values = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(
        `oneHot: a label is a whole number from 0 to ${classes - 1}; row ${i} has ${label}.`,
      );
    }
    values[i * classes + label] = 1;
  }
  return tensor(values, { shape: [labels.length, classes] });
}
