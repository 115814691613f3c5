/** The problems whose T-step minimizers are compared with the exact ones: P3, P4 and a real table. */
import { nn, numpy as np } from "@jax-js/jax";
import { join } from "node:path";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import { encode, fitEncoder, inferTarget, readTable, splitTarget } from "../../src/data/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import { f64, logRidge, representation } from "../../test/bilevel/problems.ts";

/** A problem, where it starts, and which numbers of steps are looked at. */
export interface ConvergenceCase {
  readonly name: string;
  readonly file: string;
  readonly problem: Problem;
  readonly lambda: Tensor;
  readonly w: Tensor;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
  /** s, the follower's step. */
  readonly learningRate: number;
  /** T, about geometric. */
  readonly steps: readonly number[];
  /** Steps after which the follower has arrived to rounding, for the exact problem. */
  readonly exactSteps: number;
  /** From this T on the slopes are fitted: there the slowest mode is alone. */
  readonly fitFrom: number;
  /** ‖λ_T − λ*‖ falls like T^power · q^T. */
  readonly power: 0 | 1;
}

/**
 * P3: ridge regression with one weight, λ the logarithm of its penalty. The minimizer of the T-step problem is where
 * w_T(λ) hits the best weight, so that |λ_T − λ*| falls like q^T without a factor T.
 */
export function ridgeCase(): ConvergenceCase {
  const { problem, lambda, w, data } = logRidge;
  return {
    name: "P3, ridge with one log-penalty",
    file: "convergence-ridge.svg",
    problem,
    lambda: lambda as Tensor,
    w: w as Tensor,
    data,
    learningRate: 0.01,
    steps: [12, 17, 24, 34, 48, 68, 96],
    exactSteps: 400,
    fitFrom: 34,
    power: 0,
  };
}

/**
 * P4: a linear representation H [4, 3] for ridge regression. H and HQ with an orthogonal Q are the same representation,
 * so the minimizers are no points; ½·0.05·‖H − H₀‖² in the outer objective, H₀ the start, makes them.
 */
export function representationCase(): ConvergenceCase {
  const { problem, lambda, w, data } = representation();
  const start = lambda as Tensor;
  const base = problem.outer as (w: np.Array, h: np.Array, d: { h0: np.Array }) => np.Array;
  const pulled: Problem = {
    ...problem,
    outer: ((w: np.Array, h: np.Array, d: { h0: np.Array }) =>
      base(w, h, d).add(np.sum(np.square(h.sub(d.h0))).mul(0.025))) as Problem["outer"],
  };
  return {
    name: "P4, linear representation",
    file: "convergence-representation.svg",
    problem: pulled,
    lambda: start,
    w: w as Tensor,
    data: { inner: data.inner, outer: { ...(data.outer as { x: Tensor; y: Tensor }), h0: start } },
    learningRate: 0.05,
    steps: [16, 32, 64, 128, 181, 256, 362, 512, 724],
    exactSteps: 1200,
    fitFrom: 256,
    power: 1,
  };
}

/**
 * Logistic regression on wdbc (569 rows, 30 columns, standardized), one log L2 coefficient a column; the outer objective
 * adds ½·0.01·‖λ − ln 0.1‖², without which many coefficients run off to infinity.
 *
 * @param folder - the data folder, which holds tabular/wdbc.data.
 */
export async function logisticCase(folder: string): Promise<ConvergenceCase> {
  const { table } = await readTable(join(folder, "tabular", "wdbc.data"));
  // The first column numbers the patients.
  const columns = table.columns.slice(1);
  const inputs = { ...table, columns };
  const inferred = inferTarget(inputs, "c2");
  const rows = splitTarget(inferred, { train: 0.6, validation: 0.2, test: 0.2, seed: 0 });
  const encoder = fitEncoder(inputs, "c2", rows.train);
  const part = (indices: Int32Array): { x: Tensor; y: Tensor } => ({
    x: tensor(Float64Array.from(encode(encoder, inputs, indices)), {
      shape: [indices.length, encoder.width],
    }),
    y: f64(Float64Array.from(indices, (row) => 2 * inferred.values[row]! - 1)),
  });
  interface D {
    x: np.Array;
    y: np.Array;
  }
  const loss = (w: np.Array, { x, y }: D): np.Array =>
    np.mean(nn.softplus(np.dot(x, w).mul(y).mul(-1)));
  const prior = Math.log(0.1);
  return {
    name: "wdbc, logistic regression with one log-penalty a column",
    file: "convergence-wdbc.svg",
    problem: bilevel({
      inner: (w: np.Array, lambda: np.Array, d: D) =>
        loss(w, d).add(np.sum(np.exp(lambda).mul(np.square(w))).mul(0.5)),
      outer: (w: np.Array, lambda: np.Array, d: D) =>
        loss(w, d).add(np.sum(np.square(lambda.sub(prior))).mul(0.005)),
    }),
    lambda: f64(new Float64Array(encoder.width).fill(prior)),
    w: f64(new Float64Array(encoder.width)),
    data: { inner: part(rows.train), outer: part(rows.validation) },
    learningRate: 0.5,
    steps: [16, 32, 64, 128, 181, 256, 362, 512, 724],
    exactSteps: 3000,
    fitFrom: 181,
    power: 1,
  };
}
