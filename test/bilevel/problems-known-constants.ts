/** Problems whose hypergradient and constants are known in closed form, for the bounds on the error. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type ProblemConstants } from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import {
  add,
  apply,
  identity,
  multiply,
  smallestEigenvalue,
  solveDense,
  subtract,
  transpose,
  type Matrix,
} from "./dense.ts";
import { f64, logRidge, planeQuadratic, scalarQuadratic, sequence, type Case } from "./problems.ts";

/** A case with the exact hypergradient of the inner solution and all constants. */
export interface KnownCase extends Case {
  readonly exact: number[];
  readonly constants: Required<ProblemConstants>;
}

/** P1, with L's curvature 2; `c` replaces E's centre 1. The exact hypergradient is 0.1 + (½ − c)/2. */
export function knownScalar(c = 1): KnownCase {
  return {
    ...scalarQuadratic,
    data: { ...scalarQuadratic.data, outer: { c: f64(c) } },
    exact: [0.1 + (0.5 - c) / 2],
    constants: { ...quadratic, strongConvexity: 2, smoothness: 2, crossNorm: 1 },
  };
}

/** Every case. */
export function knownCases(): KnownCase[] {
  return [
    knownScalar(),
    knownPlane(),
    knownRidge(),
    knownIdentity(),
    knownRandom(1),
    knownRandom(2),
    knownHyperbolic(),
  ];
}

/** Of an L that is quadratic in w and bilinear in λ and w, and E = ½‖w − c‖² + a function of λ. */
const quadratic = {
  hessianLipschitz: 0,
  crossLipschitz: 0,
  outerSmoothness: 1,
  directLipschitz: 0,
};

/** P2. */
function knownPlane(): KnownCase {
  const a = rowsOf(planeQuadratic.data.inner, "a", 2);
  const b = rowsOf(planeQuadratic.data.inner, "b", 2);
  const w = solveDense(a, apply(transpose(b), [1, 1]));
  const q = solveDense(a, subtract(w, [1, -1]));
  return {
    ...planeQuadratic,
    exact: apply(b, q).map((v) => v + 0.1),
    constants: { ...quadratic, ...extremes(a), crossNorm: spectralNorm(b) },
  };
}

/** P3 at λ = 0: ∇²_λw L = e^λ w, and the weights, on their way to 11/15, stay in [0, 1.1]. */
function knownRidge(): KnownCase {
  const w = 11 / 15;
  const slope = 1.5 * (1.5 * w - 0.9) + 2.5 * (2.5 * w - 1.4);
  return {
    ...logRidge,
    exact: [(slope * -w) / 15],
    constants: {
      ...quadratic,
      strongConvexity: 15,
      smoothness: 15,
      crossNorm: 1.1,
      crossLipschitz: 1,
      outerSmoothness: 8.5,
    },
  };
}

/** P5: L = ½‖y‖² − xᵀy, E = ½‖y‖² + ½‖x − e‖²; y*(x) = x, so that ∇F = 2x − e. */
function knownIdentity(): KnownCase {
  const x = [2, 1.5, -1];
  const half = (v: np.Array): np.Array => np.sum(np.square(v)).mul(0.5);
  return {
    name: "P5 strongly convex",
    problem: bilevel({
      inner: (y: np.Array, x: np.Array) => half(y).sub(np.dot(x, y)),
      outer: (y: np.Array, x: np.Array) => half(y).add(half(x.sub(1))),
    }),
    lambda: f64(x),
    w: f64([-1, 2, 0.5]),
    data: { inner: [], outer: [] },
    learningRate: 0.3,
    exact: x.map((v) => 2 * v - 1),
    constants: { ...quadratic, strongConvexity: 1, smoothness: 1, crossNorm: 1 },
  };
}

/** L = ½wᵀAw − λᵀBw, E = ½(w − c)ᵀG(w − c) + λᵀNw, with 5 weights, 3 hyperparameters and uneven A and G. */
function knownRandom(seed: number): KnownCase {
  const [n, m] = [5, 3];
  const matrix = (rows: number, salt: number): Matrix => {
    const values = sequence(rows * n, 10 * seed + salt, 1);
    return Array.from({ length: rows }, (_, i) => [...values.slice(i * n, (i + 1) * n)]);
  };
  const [rootA, rootG, b, direct] = [matrix(n, 1), matrix(n, 2), matrix(m, 3), matrix(m, 4)];
  const a = add(multiply(transpose(rootA), rootA), identity(n, 0.5));
  const g = multiply(transpose(rootG), rootG);
  const c = [...sequence(n, 10 * seed + 5, 2)];
  const lambda = [...sequence(m, 10 * seed + 6, 1.5)];
  const w = solveDense(a, apply(transpose(b), lambda));
  const slope = apply(g, subtract(w, c)).map((v, i) => v + apply(transpose(direct), lambda)[i]!);
  const through = apply(b, solveDense(a, slope));
  interface Inner {
    a: np.Array;
    b: np.Array;
  }
  interface Outer {
    g: np.Array;
    direct: np.Array;
    c: np.Array;
  }
  const form = (x: np.Array, a: np.Array): np.Array => np.dot(x, np.dot(a, x)).mul(0.5);
  const { smoothness, strongConvexity } = extremes(a);
  return {
    name: `random quadratic ${seed}`,
    problem: bilevel({
      inner: (w: np.Array, l: np.Array, d: Inner) => form(w, d.a).sub(np.dot(l, np.dot(d.b, w))),
      outer: (w: np.Array, l: np.Array, d: Outer) =>
        form(w.sub(d.c), d.g).add(np.dot(l, np.dot(d.direct, w))),
    }),
    lambda: f64(lambda),
    w: f64(sequence(n, 10 * seed + 7, 1)),
    data: {
      inner: { a: f64(a), b: f64(b) },
      outer: { g: f64(g), direct: f64(direct), c: f64(c) },
    },
    learningRate: 1 / smoothness,
    exact: apply(direct, w).map((v, i) => v + through[i]!),
    constants: {
      ...quadratic,
      strongConvexity,
      smoothness,
      crossNorm: spectralNorm(b),
      outerSmoothness: spectralNorm(g),
      directLipschitz: spectralNorm(direct),
    },
  };
}

/**
 * L = ½‖w‖² + e^λ Σ ln cosh w_i − bᵀw at λ = 0, E = ½‖w − c‖². Curvatures are 1 + sech² w_i; their slope is at most
 * 4/(3√3); ∇²_λw L = tanh w, with slope sech² w. The solution has w + tanh w = b.
 */
function knownHyperbolic(): KnownCase {
  const b = [0.4, -1.1, 1.6];
  const c = [-0.5, 0.25, 2];
  const w = b.map((b) => {
    let w = 0;
    for (let i = 0; i < 50; i++) w -= (w + Math.tanh(w) - b) / (2 - Math.tanh(w) ** 2);
    return w;
  });
  const terms = w.map((w, i) => (-(w - c[i]!) * Math.tanh(w)) / (2 - Math.tanh(w) ** 2));
  interface Inner {
    b: np.Array;
  }
  return {
    name: "ln cosh",
    problem: bilevel({
      inner: (w: np.Array, l: np.Array, d: Inner) =>
        np
          .sum(np.square(w))
          .mul(0.5)
          .add(
            np
              .sum(
                np.log(
                  np
                    .exp(w)
                    .add(np.exp(w.mul(-1)))
                    .mul(0.5),
                ),
              )
              .mul(np.exp(l)),
          )
          .sub(np.dot(d.b, w)),
      outer: (w: np.Array, _l: np.Array, c: np.Array) => np.sum(np.square(w.sub(c))).mul(0.5),
    }),
    lambda: f64(0),
    w: f64([0, 0, 0]),
    data: { inner: { b: f64(b) }, outer: f64(c) },
    learningRate: 0.5,
    exact: [terms.reduce((sum, v) => sum + v)],
    constants: {
      strongConvexity: 1,
      smoothness: 2,
      hessianLipschitz: 4 / (3 * Math.sqrt(3)),
      crossNorm: Math.sqrt(3),
      crossLipschitz: 1,
      outerSmoothness: 1,
      directLipschitz: 0,
    },
  };
}

/** Extreme eigenvalues of a symmetric positive definite matrix. */
function extremes(a: Matrix): { strongConvexity: number; smoothness: number } {
  return { strongConvexity: smallestEigenvalue(a), smoothness: spectralNorm(a) };
}

/** The largest singular value, by power iteration. */
function spectralNorm(a: Matrix): number {
  const square = multiply(transpose(a), a);
  let x = square.map((_, i) => 1 + 0.1 * i);
  let eigenvalue = 0;
  for (let i = 0; i < 2000; i++) {
    const y = apply(square, x);
    eigenvalue = Math.hypot(...y);
    x = y.map((v) => v / eigenvalue);
  }
  return Math.sqrt(eigenvalue);
}

function rowsOf(data: unknown, name: string, columns: number): Matrix {
  const { data: values } = (data as Record<string, Tensor>)[name]!;
  return Array.from({ length: values.length / columns }, (_, i) => [
    ...(values as Float64Array).slice(i * columns, (i + 1) * columns),
  ]);
}
