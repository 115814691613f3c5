/** Problems with known answers, as data. All in float64, so that agreement is limited by rounding alone. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";

type Nested = Parameters<typeof tensor>[0];

/** A float64 host array. */
export const f64 = (values: Nested, shape?: number[]): Tensor =>
  tensor(values, shape ? { dtype: "float64", shape } : { dtype: "float64" });

/** A problem with the point where it is evaluated. */
export interface Case {
  readonly name: string;
  readonly problem: Problem;
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
  /** A learning rate at which gradient descent on the inner objective converges. */
  readonly learningRate: number;
}

/** L = ½a·y² − x·y, E = ½(y−c)² + ½ρx², with a = 2, c = 1, ρ = 0.1 at x = 1. */
export const scalarQuadratic: Case = {
  name: "P1 scalar quadratic",
  problem: bilevel({
    inner: (y: np.Array, x: np.Array, d: { a: np.Array }) =>
      d.a.mul(0.5).mul(np.square(y)).sub(x.mul(y)),
    outer: (y: np.Array, x: np.Array, d: { c: np.Array }) =>
      np.square(y.sub(d.c)).mul(0.5).add(np.square(x).mul(0.05)),
  }),
  lambda: f64(1),
  w: f64(0),
  data: { inner: { a: f64(2) }, outer: { c: f64(1) } },
  learningRate: 0.25,
};

/** L = ½yᵀAy − xᵀBy, E = ½‖y−c‖² + ½ρ‖x‖². */
export const planeQuadratic: Case = {
  name: "P2 two-dimensional quadratic",
  problem: bilevel({
    inner: (y: np.Array, x: np.Array, d: { a: np.Array; b: np.Array }) =>
      np
        .dot(y, np.dot(d.a, y))
        .mul(0.5)
        .sub(np.dot(x, np.dot(d.b, y))),
    outer: (y: np.Array, x: np.Array, d: { c: np.Array }) =>
      np
        .sum(np.square(y.sub(d.c)))
        .mul(0.5)
        .add(np.sum(np.square(x)).mul(0.05)),
  }),
  lambda: f64([1, 1]),
  w: f64([0, 0]),
  data: {
    inner: {
      a: f64([
        [2, 0.5],
        [0.5, 1],
      ]),
      b: f64([
        [1, 0],
        [0.5, 1],
      ]),
    },
    outer: { c: f64([1, -1]) },
  },
  learningRate: 0.3,
};

/** L = ½‖Xw−Y‖² + ½e^λ w², E = ½‖X_v w−Y_v‖². */
export const logRidge: Case = {
  name: "P3 ridge with log-regularizer",
  problem: bilevel({
    inner: (w: np.Array, lambda: np.Array, d: { x: np.Array; y: np.Array }) =>
      np
        .sum(np.square(d.x.mul(w).sub(d.y)))
        .add(np.exp(lambda).mul(np.square(w)))
        .mul(0.5),
    outer: (w: np.Array, _lambda: np.Array, d: { x: np.Array; y: np.Array }) =>
      np.sum(np.square(d.x.mul(w).sub(d.y))).mul(0.5),
  }),
  lambda: f64(0),
  w: f64(0),
  data: {
    inner: { x: f64([1, 2, 3]), y: f64([1, 2, 2]) },
    outer: { x: f64([1.5, 2.5]), y: f64([0.9, 1.4]) },
  },
  learningRate: 0.1,
};

/** L = ½‖XHw−Y‖² + ½ρ‖w‖², E = ½‖X_vHw−Y_v‖², λ = H: `prepare` computes XH. */
export function representation(): Case & { readonly rho: number } {
  const rho = 0.5;
  const { x, y } = linearData(7, 4, 1);
  const valid = linearData(5, 4, 2);
  interface D {
    x: np.Array;
    y: np.Array;
  }
  return {
    name: "P4 linear hyper-representation",
    rho,
    problem: bilevel({
      prepare: (h: np.Array, d: D): D => ({ ...d, x: np.matmul(d.x, h) }),
      inner: (w: np.Array, _h: np.Array, d: D) =>
        np
          .sum(np.square(np.matmul(d.x, w).sub(d.y)))
          .add(np.sum(np.square(w)).mul(rho))
          .mul(0.5),
      outer: (w: np.Array, _h: np.Array, d: D) =>
        np.sum(np.square(np.matmul(d.x, w).sub(d.y))).mul(0.5),
    }),
    lambda: f64(sequence(12, 3, 0.8), [4, 3]),
    w: f64([0, 0, 0]),
    data: { inner: { x, y }, outer: valid },
    learningRate: 0.05,
  };
}

/** Logistic regression with a tree for w, a different tree for λ (one L2 coefficient a feature, one scale), λ also outside. */
export function logisticTrees(): Case {
  const { x, y } = linearData(12, 5, 4);
  const valid = linearData(9, 5, 5);
  interface W {
    weights: np.Array;
    bias: np.Array;
  }
  interface L {
    decay: np.Array;
    outputs: { scale: np.Array }[];
  }
  interface D {
    x: np.Array;
    y: np.Array;
  }
  const loss = (w: W, lambda: L, d: D): np.Array => {
    const logits = np.matmul(d.x, w.weights).add(w.bias).mul(np.exp(lambda.outputs[0]!.scale));
    return np.mean(np.log(np.exp(logits.mul(d.y).mul(-1)).add(1)));
  };
  return {
    name: "logistic regression on trees",
    problem: bilevel({
      inner: (w: W, lambda: L, d: D) =>
        loss(w, lambda, d).add(np.sum(np.exp(lambda.decay).mul(np.square(w.weights))).mul(0.1)),
      outer: (w: W, lambda: L, d: D) =>
        loss(w, lambda, d).add(np.sum(np.square(lambda.decay)).mul(0.01)),
    }),
    lambda: { decay: f64(sequence(5, 6, 0.5)), outputs: [{ scale: f64(0.3) }] },
    w: { weights: f64(sequence(5, 8, 0.1)), bias: f64(0.05) },
    data: { inner: { x, y: sign(y) }, outer: { x: valid.x, y: sign(valid.y) } },
    learningRate: 0.4,
  };
}

/** Softmax regression with integer labels in the data and one weight an example; λ has more entries than w. */
export function cleaning(): Case {
  const { x } = linearData(14, 2, 9);
  const valid = linearData(6, 2, 10);
  const labels = (n: number, shift: number): Tensor =>
    tensor(Int32Array.from({ length: n }, (_, i) => (i * i + shift) % 3));
  interface D {
    x: np.Array;
    labels: np.Array;
  }
  const losses = (w: np.Array, d: D): np.Array => {
    const logits = np.matmul(d.x, w);
    const own = np.equal(np.expandDims(d.labels, 1), np.arange(3)).astype(np.float64);
    return np.log(np.sum(np.exp(logits), 1)).sub(np.sum(logits.mul(own), 1));
  };
  const sigmoid = (x: np.Array): np.Array => np.reciprocal(np.exp(x.mul(-1)).add(1));
  return {
    name: "hyper-cleaning",
    problem: bilevel({
      inner: (w: np.Array, lambda: np.Array, d: D) => np.mean(sigmoid(lambda).mul(losses(w, d))),
      outer: (w: np.Array, _lambda: np.Array, d: D) => np.mean(losses(w, d)),
    }),
    lambda: f64(sequence(14, 11, 1)),
    w: f64(sequence(6, 12, 0.2), [2, 3]),
    data: {
      inner: { x, labels: labels(14, 0) },
      outer: { x: valid.x, labels: labels(6, 1) },
    },
    learningRate: 0.5,
  };
}

/**
 * P13, iMAML's proximal tasks: L = Σ_i ½y_iᵀA_i y_i − b_iᵀy_i + ½μ‖y_i − x‖², E = mean_i ½‖y_i − c_i‖², where the leader's x
 * is what all tasks stay near. y_i = (A_i + μI)⁻¹(b_i + μx), dE/dx = mean_i μ(A_i + μI)⁻¹(y_i − c_i).
 */
export function proximalTasks(): Case & { readonly mu: number; readonly a: number[][][] } {
  const mu = 2;
  const [tasks, n] = [3, 4];
  const a = Array.from({ length: tasks }, (_, i) => {
    const root = sequence(n * n, 20 + i, 1);
    // RᵀR is positive semidefinite.
    return Array.from({ length: n }, (_, r) =>
      Array.from({ length: n }, (_, c) => {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += root[k * n + r]! * root[k * n + c]!;
        return sum;
      }),
    );
  });
  interface Tasks {
    a: np.Array;
    b: np.Array;
  }
  const half = (x: np.Array): np.Array => np.sum(np.square(x)).mul(0.5);
  return {
    name: "P13 proximal tasks",
    mu,
    a,
    problem: bilevel({
      inner: (y: np.Array, x: np.Array, d: Tasks) => {
        const images = np.matmul(d.a, y.reshape([tasks, n, 1])).reshape([tasks, n]);
        const losses = np
          .sum(images.mul(y))
          .mul(0.5)
          .sub(np.sum(d.b.mul(y)));
        return losses.add(half(y.sub(x)).mul(mu));
      },
      outer: (y: np.Array, _x: np.Array, c: np.Array) => half(y.sub(c)).div(tasks),
    }),
    lambda: f64(sequence(n, 31, 1)),
    w: f64(new Float64Array(tasks * n), [tasks, n]),
    data: {
      inner: { a: f64(a), b: f64(sequence(tasks * n, 32, 1.5), [tasks, n]) },
      outer: f64(sequence(tasks * n, 33, 1), [tasks, n]),
    },
    learningRate: 0.15,
  };
}

/** Every case, for the matrices. */
export function allCases(): Case[] {
  return [scalarQuadratic, planeQuadratic, logRidge, representation(), logisticTrees(), cleaning()];
}

/** A fixed, uneven sequence in (−size, size): no random numbers, the same on every machine. */
export function sequence(length: number, seed: number, size: number): Float64Array {
  return Float64Array.from(
    { length },
    (_, i) => size * Math.sin(1.7 * seed + 2.3 * i + 0.11 * i * i),
  );
}

function linearData(n: number, d: number, seed: number): { x: Tensor; y: Tensor } {
  return { x: f64(sequence(n * d, seed, 1), [n, d]), y: f64(sequence(n, seed + 0.5, 1.5)) };
}

function sign(values: Tensor): Tensor {
  return f64(Float64Array.from(values.data, (v) => (v < 0 ? -1 : 1)));
}
