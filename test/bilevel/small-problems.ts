/** Small problems with known answers for the tests of the outer loop; in float64 unless said. */
import { nn, numpy as np } from "@jax-js/jax";
import { bilevel, type BilevelData, type Problem } from "../../src/bilevel/problem.ts";
import {
  tensor,
  zeros,
  type Nested,
  type Tensor,
  type Tree,
} from "../../src/program/tensors/tensor.ts";

/** A float64 tensor. */
export const f64 = (values: Nested): Tensor => tensor(values, { dtype: "float64" });

/** A problem with where to start. */
export interface SmallProblem {
  problem: Problem;
  lambda: Tree<Tensor>;
  w: Tree<Tensor>;
  data: BilevelData<Tree<Tensor>>;
}

/** Where a small problem starts: what `solve` takes of it. */
export function startOf<P extends SmallProblem>({
  lambda,
  w,
  data,
}: P): Pick<P, "lambda" | "w" | "data"> {
  return { lambda, w, data };
}

interface Points {
  x: np.Array;
  y: np.Array;
}
const halfSquares = (residual: np.Array): np.Array => np.sum(np.square(residual)).mul(0.5);

/**
 * Ridge regression on one column with penalty e^λ: L = ½‖xw−y‖² + ½e^λ w², E = ½‖xw−y‖² on other points.
 * w(λ) = 11/(14 + e^λ) is best at 4.85/8.5, where λ* = 1.66361… and E* = 0.0013235294….
 */
export const ridge: SmallProblem & { lambda: Tensor; w: Tensor; bestLambda: number } = {
  problem: bilevel({
    inner: (w: np.Array, lambda: np.Array, d: Points) =>
      halfSquares(d.x.mul(w).sub(d.y)).add(np.exp(lambda).mul(0.5).mul(np.square(w))),
    outer: (w: np.Array, _lambda: np.Array, d: Points) => halfSquares(d.x.mul(w).sub(d.y)),
  }) as Problem,
  lambda: f64(0),
  w: f64(0),
  data: {
    inner: { x: f64([1, 2, 3]), y: f64([1, 2, 2]) },
    outer: { x: f64([1.5, 2.5]), y: f64([0.9, 1.4]) },
  },
  bestLambda: Math.log(11 / (4.85 / 8.5) - 14),
};

/** Two-dimensional quadratic: L = ½wᵀAw − λᵀBw, E = ½‖w−c‖² + 0.05‖λ‖² with c = (1, −1). */
export const quadratic: SmallProblem & { bestLambda: number[]; bestValue: number } = {
  problem: bilevel({
    inner: (w: np.Array, lambda: np.Array, { a, b }: { a: np.Array; b: np.Array }) =>
      np
        .dot(w, np.matmul(a, w))
        .mul(0.5)
        .sub(np.dot(lambda, np.matmul(b, w))),
    outer: (w: np.Array, lambda: np.Array, c: np.Array) =>
      halfSquares(w.sub(c)).add(np.sum(np.square(lambda)).mul(0.05)),
  }) as Problem,
  lambda: f64([1, 1]),
  w: f64([0, 0]),
  data: {
    inner: { a: f64([[2, 0.5], [0.5, 1]]), b: f64([[1, 0], [0.5, 1]]) }, // prettier-ignore
    outer: f64([1, -1]),
  },
  bestLambda: [1.3766566909, -0.5515177426],
  bestValue: 0.1342454040188,
};

/** The leader alone: F(λ) = objective(λ); the follower's single weight goes to 0. */
export function leaderOnly(objective: (lambda: np.Array) => np.Array): Problem {
  return bilevel({
    inner: (w: np.Array) => np.square(w).mul(0.5),
    outer: (w: np.Array, lambda: np.Array) => objective(lambda).add(np.square(w)),
  }) as Problem;
}

interface Weights {
  slope: np.Array;
  offset: np.Array;
}
interface Examples {
  x: np.Array;
  sign: np.Array;
}

/** Logistic regression with one penalty e^λ per column, in float32, on deterministic points. */
export function logisticRegression(rows: number, columns: number): SmallProblem {
  const loss = (w: Weights, d: Examples): np.Array => {
    const margin = np.matmul(d.x, w.slope).add(w.offset).mul(d.sign);
    return np.mean(nn.softplus(margin.neg()));
  };
  const problem = bilevel<np.Array, Weights, Examples>({
    inner: (w, lambda, d) => loss(w, d).add(np.sum(np.exp(lambda).mul(np.square(w.slope)))),
    outer: (w, _lambda, d) => loss(w, d),
  });
  // The sign follows the first column, with some noise from the second.
  const examples = (phase: number): Tree<Tensor> => {
    const x = Float32Array.from({ length: rows * columns }, (_, i) =>
      Math.sin(phase + 1.7 * i * i),
    );
    const sign = Float32Array.from({ length: rows }, (_, i) => {
      const score = x[i * columns]! + 0.4 * x[i * columns + 1]! + 0.5 * Math.cos(9 * i + phase);
      return score > 0 ? 1 : -1;
    });
    return { x: tensor(x, { shape: [rows, columns] }), sign: tensor(sign) };
  };
  return {
    problem: problem as Problem,
    lambda: tensor(Array<number>(columns).fill(-3)),
    w: { slope: zeros([columns]), offset: zeros([]) },
    data: { inner: examples(0), outer: examples(1) },
  };
}
