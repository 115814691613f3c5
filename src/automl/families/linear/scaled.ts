/**
 * The same problem in other coordinates, for rules whose follower makes plain gradient steps. Each weight is measured in
 * units of 1/√(its own curvature bound), w_j = u_j / √(d_j + exp λ_j), so that one learning rate serves every λ.
 */
import { numpy as np } from "@jax-js/jax";
import { type Arrays, bilevel, type BilevelData, type Problem } from "../../../bilevel/index.ts";
import { randomKey, randomStream, type Task } from "../../../data/index.ts";
import { type Tensor, tensor, type Tree } from "../../../program/index.ts";
import {
  coefficientOf,
  tabularProblem,
  type Coefficients,
  type JudgedRows,
  type Rows,
  type TrainingData,
  type Weights,
} from "./problem.ts";

/** Rows of either level, with what the scale is made of. */
interface ScaledRows<A = np.Array> extends Rows<A> {
  /** As in {@link TrainingData}. */
  groups: A;
  /** As in {@link TrainingData}. */
  sets: A;
  /** d: the diagonals of the curvature bounds, [followers, 1, width + 1]. */
  diagonal: A;
}

interface PreparedRows extends ScaledRows {
  /** exp λ of each encoded column, 0 for the bias, [followers, 1, width + 1]. */
  coefficient: np.Array;
  /** 1/√(d + exp λ), [followers, 1, width + 1]. */
  scale: np.Array;
}

/** {@link tabularProblem} over u: the same F(λ), for w(λ) is the same point. */
export function scaledProblem(task: Task): Problem {
  const { inner, outer } = tabularProblem(task);
  const unscaled = (u: Weights, { scale }: PreparedRows): Arrays =>
    ({ weights: u.weights.mul(scale) }) as unknown as Arrays;
  return bilevel<Coefficients, Weights, ScaledRows & Partial<PreparedRows>>({
    prepare: (lambda, data) => {
      const coefficient = coefficientOf(lambda, data);
      const scale = np.reciprocal(np.sqrt(coefficient.add(data.diagonal)));
      return { ...data, coefficient, scale };
    },
    inner: (u, lambda, data) =>
      inner(unscaled(u, data as PreparedRows), lambda as never, data as never),
    outer: (u, lambda, data) =>
      outer(unscaled(u, data as PreparedRows), lambda as never, data as never),
  }) as unknown as Problem;
}

/** Data of {@link scaledProblem} from those of `tabularProblem`. */
export function scaledData(
  { x, y, share, groups, sets, curvature }: TrainingData<Tensor>,
  judged: JudgedRows<Tensor>,
): BilevelData<Tree<Tensor>> {
  const diagonal = diagonalsOf(curvature);
  const shape = [curvature.shape[0]!, 1, curvature.shape[2]!];
  const shared = { groups, sets, diagonal: tensor(diagonal, { dtype: x.dtype, shape }) };
  return { inner: { x, y, share, ...shared }, outer: { ...judged, ...shared } };
}

/** 1/√(d_j + exp λ_j) of every follower's encoded columns and bias, [followers · (width + 1)]. */
export function scaleAt(
  { curvature, groups, sets }: TrainingData<Tensor>,
  logCoefficient: ArrayLike<number>,
): Float64Array {
  const scale = diagonalsOf(curvature);
  const [followers, setCount] = sets.shape as [number, number];
  const [inputs, columns] = groups.shape as [number, number];
  for (let f = 0; f < followers; f++) {
    for (let s = 0; s < setCount; s++) {
      if (sets.data[f * setCount + s] === 0) continue;
      for (let i = 0; i < inputs; i++) {
        const coefficient = Math.exp(logCoefficient[s * inputs + i]!);
        for (let j = 0; j < columns; j++) {
          scale[f * columns + j]! += coefficient * Number(groups.data[i * columns + j]);
        }
      }
    }
  }
  return scale.map((sum) => 1 / Math.sqrt(sum));
}

/**
 * A bound on the largest curvature of the inner objective over u, the same for every λ and w.
 *
 * With C the curvature bound of the loss, d its diagonal and Λ = diag(exp λ), the Hessian over u is at most
 * (d + Λ)^-½ (C + Λ) (d + Λ)^-½, whose largest eigenvalue is at most that of d^-½ C d^-½, or 1: for with b that
 * eigenvalue, vᵀ(C + Λ)v ≤ b·vᵀdv + vᵀΛv ≤ max(b, 1)·vᵀ(d + Λ)v.
 */
export function largestCurvature(curvature: Tensor): number {
  const [followers, rows, n] = curvature.shape as [number, number, number];
  // Without full matrices the bound is its own diagonal.
  if (rows === 1) return 1;
  const roots = diagonalsOf(curvature).map(Math.sqrt);
  const eigenvalues = Array.from({ length: followers }, (_, f) =>
    largestEigenvalue(
      curvature.data.subarray(f * n * n, (f + 1) * n * n) as Float32Array | Float64Array,
      roots.subarray(f * n, (f + 1) * n),
    ),
  );
  return Math.max(1, ...eigenvalues);
}

/** Of d^-½ C d^-½ with d = root², by power iteration. */
function largestEigenvalue(matrix: Float32Array | Float64Array, root: Float64Array): number {
  const n = root.length;
  const stream = randomStream(randomKey(0, "largest curvature"));
  let v = Float64Array.from(root, () => stream.normal());
  let largest = 1;
  for (let k = 0; k < powerSteps; k++) {
    const length = Math.hypot(...v);
    const unit = v.map((x, j) => x / length / root[j]!);
    v = root.map((r, i) => {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += matrix[i * n + j]! * unit[j]!;
      return sum / r;
    });
    largest = Math.hypot(...v);
  }
  return largest;
}

/** Power iteration comes from below: gradient steps of 1/b converge as long as b is more than half the eigenvalue. */
const powerSteps = 60;

/** [followers · (width + 1)] */
function diagonalsOf(curvature: Tensor): Float64Array {
  const [followers, rows, n] = curvature.shape as [number, number, number];
  const stride = rows === 1 ? 1 : n + 1;
  return Float64Array.from({ length: followers * n }, (_, k) =>
    Number(curvature.data[Math.floor(k / n) * rows * n + (k % n) * stride]),
  );
}
