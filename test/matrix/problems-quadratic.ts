/** Small quadratics: P1, P2 and its saddle, P3, P5, P6, and P1 from first weights made of λ. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import * as dense from "../bilevel/dense.ts";
import { noData, stronglyConvex } from "../bilevel/problems-without-unique-answer.ts";
import { f64, logRidge, planeQuadratic, scalarQuadratic } from "../bilevel/problems.ts";
import { free, times, type Column } from "./column.ts";
import { dot, noCross, plus, quadratic, type Model, type Vector } from "./model.ts";

export function p1(): Column {
  const model: Model = {
    inner: quadratic([[2]], [1], 0, { leader: ([y]) => [-y!], cross: () => [[-1]] }),
    outer: quadratic([[1]], [1], 0.55, { leader: () => [0.1], cross: () => [[0]] }),
  };
  return {
    ...scalarQuadratic,
    ...free(model, scalarQuadratic.w),
    name: "P1",
    title: "scalar quadratic",
    rate: 0.25,
    steps: 60,
    exact: { gradient: [-0.15], w: [0.5] },
  };
}

const A = [[2, 0.5], [0.5, 1]]; // prettier-ignore

const B = [[1, 0], [0.5, 1]]; // prettier-ignore

export function p2(): Column {
  const x = [1, 1];
  const model = planeModel(A, [1, -1]);
  // y* = A⁻¹Bᵀx, h = 0.1x + BA⁻¹(y* − c).
  const y = dense.solveDense(A, dense.apply(dense.transpose(B), x));
  const q = dense.solveDense(A, dense.subtract(y, [1, -1]));
  return {
    ...planeQuadratic,
    ...free(model, planeQuadratic.w),
    name: "P2",
    title: "quadratic in the plane",
    rate: 0.3,
    steps: 120,
    exact: { gradient: plus(times(0.1, x), 1, dense.apply(B, q)), w: y },
    // (0.1·I + BA⁻²Bᵀ)⁻¹ BA⁻¹c
    optimum: [1.3766566908935443, -0.5515177426250534],
  };
}

export function p2Saddle(): Column {
  const saddle = [[2, 0], [0, -1]]; // prettier-ignore
  return {
    ...planeQuadratic,
    ...free(planeModel(saddle, [1, 1]), f64([0.75, -1])),
    name: "P2 saddle",
    title: "stationary point with a negative curvature",
    data: { inner: { a: f64(saddle), b: f64(B) }, outer: { c: f64([1, 1]) } },
    rate: 0.1,
    steps: 1,
    lacks: ["strong convexity", "a unique inner solution", "a minimum"],
    // q = A⁻¹(y − c) = (−1/8, 2)
    exact: { gradient: [0.1 - 0.125, 0.1 - 0.0625 + 2], w: [0.75, -1] },
  };
}

/** L = ½yᵀAy − xᵀBy, E = ½‖y − c‖² + 0.05‖x‖² at x = (1, 1). */
function planeModel(a: dense.Matrix, c: Vector): Model {
  const bx = dense.apply(dense.transpose(B), [1, 1]);
  return {
    inner: quadratic(a, bx, 0, {
      leader: (y) => times(-1, dense.apply(B, y)),
      cross: () => B.map((row) => times(-1, row)),
    }),
    outer: quadratic(dense.identity(2), c, dot(c, c) / 2 + 0.1, {
      leader: () => [0.1, 0.1],
      cross: () => noCross(2, 2),
    }),
  };
}

export function p3(): Column {
  // XᵀX + 1 = 15, XᵀY = 11, X_vᵀX_v = 8.5, X_vᵀY_v = 4.85.
  const model: Model = {
    inner: quadratic([[15]], [11], 4.5, { leader: ([w]) => [w! ** 2 / 2], cross: ([w]) => [[w!]] }),
    outer: quadratic([[8.5]], [4.85], 1.385, { leader: () => [0], cross: () => [[0]] }),
  };
  const w = 11 / 15;
  return {
    ...logRidge,
    ...free(model, logRidge.w),
    name: "P3",
    title: "ridge regression, log-regularizer",
    rate: 0.1,
    steps: 60,
    exact: { gradient: [(-w * (8.5 * w - 4.85)) / 15], w: [w] },
    batch: { inner: 3, outer: 2 },
  };
}

export function p5(): Column {
  const n = 3;
  const x = [2, 2, 2];
  const one = dense.identity(n);
  const model: Model = {
    inner: quadratic(one, x, 0, {
      leader: (y) => times(-1, y),
      cross: () => dense.identity(n, -1),
    }),
    outer: quadratic(one, [0, 0, 0], n / 2, {
      leader: () => x.map((v) => v - 1),
      cross: () => noCross(n, n),
    }),
  };
  return {
    ...free(model, f64([0.5, 0.5, 0.5])),
    name: "P5",
    title: "strongly convex counterpart of P7",
    problem: stronglyConvex as Problem,
    lambda: f64(x),
    data: noData,
    rate: 0.5,
    steps: 60,
    // y = x: dF/dx = 2x − 1.
    exact: { gradient: [3, 3, 3], w: x },
  };
}

export function p6(): Column {
  const model: Model = {
    inner: quadratic([[2]], [1], 0, { leader: ([w]) => [-w!], cross: () => [[-1]] }),
    outer: quadratic([[1]], [1], 0.5, { leader: () => [0], cross: () => [[0]] }),
  };
  return {
    ...free(model, f64(1)),
    name: "P6",
    title: "DARTS' scalar",
    problem: bilevel({
      inner: (w: np.Array, alpha: np.Array) => np.square(w).sub(alpha.mul(w)),
      outer: (w: np.Array) => np.square(w.sub(1)).mul(0.5),
    }) as Problem,
    lambda: f64(1),
    data: noData,
    rate: 0.25,
    steps: 60,
    // w = α/2
    exact: { gradient: [-0.25], w: [0.5] },
  };
}

/** P1 after five steps from w_0 = λ. */
export function withInit(): Column {
  const base = p1();
  const { inner, outer } = scalarQuadratic.problem;
  // dy_5/dx = (1 − 2⁻⁵)/2 + 2⁻⁵ and y_5 = x·dy_5/dx.
  const slope = (1 - 2 ** -5) / 2 + 2 ** -5;
  return {
    ...base,
    name: "init",
    title: "P1 from w₀ = λ, five steps",
    problem: bilevel({ inner, outer, init: (x) => x }) as Problem,
    start: [1],
    steps: 5,
    exact: { gradient: [0.1 + (slope - 1) * slope], w: [slope] },
    startDerivative: [[1]],
  };
}
