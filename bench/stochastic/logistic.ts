/**
 * Logistic regression on a9a with one regularization coefficient a feature, the task for which the public benchmark of
 * stochastic bilevel methods uses ijcnn1:
 *
 *     L = mean_i log(1 + exp(−y_i x_iᵀw)) + ½ Σ_f e^{λ_f} w_f²,      E = mean_j log(1 + exp(−y_j x_jᵀw))
 *
 * @see https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary.html
 */
import { nn, numpy as np } from "@jax-js/jax";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { bilevel } from "../../src/bilevel/index.ts";
import { permutation, randomKey } from "../../src/random/index.ts";
import { tensor } from "../../src/program/index.ts";
import { solveDense } from "../../test/bilevel/dense.ts";
import { normals, uniforms, type Examples, type Task } from "./task.ts";

interface Rows {
  readonly x: np.Array;
  readonly y: np.Array;
}

/** A row of a9a: the features that are 1, from 0, and its label, −1 or 1. */
interface SparseRow {
  readonly features: readonly number[];
  readonly label: number;
}

const features = 123;
const examples = { inner: 8192, outer: 4096 };

/** Draws the rows and the start. */
const seed = 0;

/**
 * The task; it starts at λ = log U(0, 1), w ~ N(0, I).
 *
 * @param folder - the data folder, which holds libsvm/a9a.gz.
 */
export async function logistic(folder: string): Promise<Task> {
  const text = gunzipSync(await readFile(join(folder, "libsvm", "a9a.gz"))).toString();
  const all = text.trim().split("\n").map(parseRow);
  const order = permutation(randomKey(seed, "rows"), all.length);
  const part = (first: number, count: number): SparseRow[] =>
    Array.from(order.subarray(first, first + count), (i) => all[i]!);
  const inner = part(0, examples.inner);
  const outer = part(examples.inner, examples.outer);
  const loss = (w: np.Array, { x, y }: Rows): np.Array =>
    np.mean(nn.softplus(np.dot(x, w).mul(y).mul(-1)));
  const start = uniforms(randomKey(seed, "lambda"), features);
  const judge = leaderGradient(inner, outer);
  return {
    title: "a9a, per-feature regularization",
    file: "stochastic-a9a.svg",
    problem: bilevel({
      inner: (w: np.Array, lambda: np.Array, d: Rows) =>
        loss(w, d).add(np.sum(np.exp(lambda).mul(np.square(w))).mul(0.5)),
      outer: (w: np.Array, _lambda: np.Array, d: Rows) => loss(w, d),
    }),
    lambda: tensor(Float32Array.from(start, Math.log)),
    w: tensor(Float32Array.from(normals(seed, "w", features))),
    data: { inner: dense(inner), outer: dense(outer) },
    examples,
    size: 64,
    budget: 6400,
    gradientNorm: (lambda) => judge(lambda).reduce((sum, g) => sum + g * g, 0),
  };
}

function parseRow(line: string): SparseRow {
  const [label, ...entries] = line.trim().split(" ");
  return {
    features: entries.map((entry) => {
      const [index, value] = entry.split(":");
      if (value !== "1") throw new Error(`a9a: every value is 1, ${entry} came.`);
      return Number(index) - 1;
    }),
    label: Number(label),
  };
}

function dense(rows: readonly SparseRow[]): Examples {
  const x = new Float32Array(rows.length * features);
  rows.forEach((row, i) => row.features.forEach((f) => (x[i * features + f] = 1)));
  return {
    x: tensor(x, { shape: [rows.length, features] }),
    y: tensor(Float32Array.from(rows, ({ label }) => label)),
  };
}

/**
 * λ ↦ ∇F(λ) = e^λ ∘ w ∘ v with v = −H⁻¹∇E(w), w the inner solution by Newton's method to a gradient of 1e-10 (of the
 * penalty's, where that is greater than 1), from where the last call ended. Infinite where λ went so far that the method
 * does not get there.
 */
function leaderGradient(
  inner: readonly SparseRow[],
  outer: readonly SparseRow[],
): (lambda: readonly number[]) => number[] {
  const origin = new Array<number>(features).fill(0);
  let w = origin;
  return (lambda) => {
    const penalties = lambda.map(Math.exp);
    for (let i = 0; i < 50; i++) {
      const { gradient, hessian } = derivatives(inner, w);
      const pulls = penalties.map((penalty, f) => penalty * w[f]!);
      const g = gradient.map((x, f) => x + pulls[f]!);
      hessian.forEach((row, f) => (row[f] = row[f]! + penalties[f]!));
      if (Math.hypot(...g) < 1e-10 * Math.max(1, Math.hypot(...pulls))) {
        const ofOuter = derivatives(outer, w).gradient;
        return solveDense(hessian, ofOuter).map((v, f) => -penalties[f]! * w[f]! * v);
      }
      const step = solveDense(hessian, g);
      w = w.map((x, f) => x - step[f]!);
    }
    w = origin;
    return origin.map(() => Infinity);
  };
}

/** Gradient and Hessian of the mean loss. */
function derivatives(
  rows: readonly SparseRow[],
  w: readonly number[],
): { gradient: number[]; hessian: number[][] } {
  const gradient = new Array<number>(features).fill(0);
  const hessian = Array.from({ length: features }, () => new Array<number>(features).fill(0));
  for (const row of rows) {
    const margin = row.label * row.features.reduce((sum, f) => sum + w[f]!, 0);
    const miss = 1 / (1 + Math.exp(margin)) / rows.length;
    const curvature = miss / (1 + Math.exp(-margin));
    for (const f of row.features) {
      gradient[f] = gradient[f]! - row.label * miss;
      for (const g of row.features) hessian[f]![g] = hessian[f]![g]! + curvature;
    }
  }
  return { gradient, hessian };
}
