/**
 * The columns of the matrix: problems P1 to P14, each at one λ, with the library's problem on one side and the same problem
 * written by hand on the other. What is exact comes from closed forms in `exact`; protocol numbers are tested beside it.
 */
import { numpy as np } from "@jax-js/jax";
import { bilevel, box, type Problem, type Projection } from "../../src/bilevel/index.ts";
import type { Tensor, Tree } from "../../src/program/index.ts";
import * as dense from "../bilevel/dense.ts";
import { clipped, confinedSines, confinement, onPlane } from "../bilevel/problems-constrained.ts";
import {
  merelyConvex,
  noData,
  nonConvex,
  sinusoidal,
  sinusoidalOptimum,
  stronglyConvex,
  trap,
  waves,
} from "../bilevel/problems-without-unique-answer.ts";
import {
  f64,
  logRidge,
  planeQuadratic,
  proximalTasks,
  representation,
  scalarQuadratic,
  sequence,
} from "../bilevel/problems.ts";
import { dot, flat, noCross, plus, quadratic, scalar, type Model, type Vector } from "./model.ts";
import type { Answer, Place } from "./theory.ts";

/** The names of the columns. */
export type ProblemName =
  | "P1"
  | "P2"
  | "P2 saddle"
  | "P3"
  | "P4"
  | "P5"
  | "P6"
  | "P7"
  | "P8"
  | "P9"
  | "P10"
  | "P11"
  | "P12 free"
  | "P12 bound"
  | "P12 plane"
  | "P12 moving"
  | "P13"
  | "P14"
  | "init";

/** A column. */
export interface Column extends Place {
  readonly name: ProblemName;
  /** What it is, for the page. */
  readonly title: string;
  readonly problem: Problem;
  readonly lambda: Tree<Tensor>;
  readonly w: Tree<Tensor>;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
  /** The leader's problem: its hypergradient at λ and the follower's answer. */
  readonly exact: Answer;
  /** The leader's optimum, where cells lead there. */
  readonly optimum?: readonly number[];
  /** Steps of gradient descent after which its error has fallen below 1e-13 of the start's. */
  readonly steps: number;
  /** What the inner problem lacks. */
  readonly lacks: readonly Lack[];
  /** The set that the follower is confined to, as rules take it. */
  readonly constraints?: {
    readonly projection?: Projection;
    readonly inequalities?: (w: np.Array, lambda: np.Array) => np.Array;
    readonly equalities?: (w: np.Array) => np.Array;
  };
  /** Batches of a finite sum for rules that draw their own; absent when the data are not examples. */
  readonly batch?: { readonly inner: number; readonly outer: number };
  /** ∂w_0/∂λ where the problem has an init. */
  readonly startDerivative?: dense.Matrix;
}

/** A property that some rules need. */
export type Lack = "strong convexity" | "a unique inner solution" | "a minimum";

const free = (model: Model, w: Tree<Tensor>): Pick<Column, "model" | "start" | "w" | "lacks"> => ({
  model,
  start: flat(w),
  w,
  lacks: [],
});

const times = (s: number, w: Vector): Vector => w.map((v) => s * v);

function p1(): Column {
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

function p2(): Column {
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

function p2Saddle(): Column {
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

function p3(): Column {
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

function p4(): Column {
  const c = representation();
  const rows = (values: unknown): dense.Matrix => (values as Tensor).toNested() as dense.Matrix;
  const level = (data: unknown, rho: number): Model["inner"] => {
    const { x, y } = data as { x: Tensor; y: Tensor };
    const [X, H, Y] = [rows(x), rows(c.lambda), flat(y)];
    const [Z, Xt] = [dense.multiply(X, H), dense.transpose(X)];
    const gram = dense.add(dense.multiply(dense.transpose(Z), Z), dense.identity(3, rho));
    const residual = (w: Vector): Vector => dense.subtract(dense.apply(Z, w), Y);
    const XtZ = dense.multiply(Xt, Z);
    return quadratic(gram, dense.apply(dense.transpose(Z), Y), dot(Y, Y) / 2, {
      leader: (w) => dense.outer(dense.apply(Xt, residual(w)), w).flat(),
      // ∂/∂w_j of (Xᵀr)_a w_k
      cross: (w) => {
        const pulled = dense.apply(Xt, residual(w));
        return XtZ.flatMap((row, a) =>
          w.map((wk, k) => row.map((v, j) => v * wk + (j === k ? pulled[a]! : 0))),
        );
      },
    });
  };
  const model: Model = { inner: level(c.data.inner, c.rho), outer: level(c.data.outer, 0) };
  const zero = [0, 0, 0];
  const w = plus(zero, -1, dense.solveDense(model.inner.hessian(zero), model.inner.gradient(zero)));
  const q = dense.solveDense(model.inner.hessian(w), model.outer.gradient(w));
  return {
    ...c,
    ...free(model, c.w),
    name: "P4",
    title: "linear hyper-representation",
    rate: 0.18,
    steps: 280,
    exact: {
      gradient: plus(model.outer.leader(w), -1, dense.apply(model.inner.cross(w), q)),
      w,
    },
    batch: { inner: 7, outer: 5 },
  };
}

function p5(): Column {
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

function p6(): Column {
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

function p7(): Column {
  // The leader's place where rules that never move y2 stop: (1 + y2)/2.
  const x = [0.505, 0.505];
  const model: Model = {
    inner: quadratic(diagonal([1, 1, 0, 0]), [...x, 0, 0], 0, {
      leader: (w) => times(-1, w.slice(0, 2)),
      cross: () => [[-1, 0, 0, 0], [0, -1, 0, 0]], // prettier-ignore
    }),
    outer: quadratic(dense.identity(4), [1, 1, ...x], 1 + dot(x, x) / 2, {
      leader: (w) => dense.subtract(x, w.slice(2)),
      cross: () => [[0, 0, -1, 0], [0, 0, 0, -1]], // prettier-ignore
    }),
  };
  const w = { y1: f64([0.01, 0.01]), y2: f64([0.01, 0.01]) };
  return {
    ...free(model, w),
    name: "P7",
    title: "half of the weights free",
    problem: merelyConvex as Problem,
    lambda: f64(x),
    data: noData,
    rate: 0.5,
    steps: 60,
    lacks: ["strong convexity", "a unique inner solution"],
    // y1 = x and, of the free weights, the leader's choice y2 = x.
    optimum: [1, 1],
    exact: { gradient: x.map((v) => v - 1), w: [...x, ...x] },
  };
}

function p8(): Column {
  const x = 3;
  const model: Model = {
    inner: scalar({
      value: (y) => -Math.sin(x * y),
      gradient: (y) => -x * Math.cos(x * y),
      hessian: (y) => x ** 2 * Math.sin(x * y),
      leader: (y) => -y * Math.cos(x * y),
      cross: (y) => x * y * Math.sin(x * y) - Math.cos(x * y),
    }),
    outer: scalar({
      value: (y) => x + x * y,
      gradient: () => x,
      hessian: () => 0,
      leader: (y) => 1 + y,
      cross: () => 1,
    }),
  };
  return {
    ...free(model, f64([1])),
    name: "P8",
    title: "inner sine, the leader must change the branch",
    problem: nonConvex as Problem,
    lambda: f64([x]),
    data: noData,
    rate: 0.05,
    steps: 100,
    lacks: ["strong convexity", "a unique inner solution"],
    // On the leader's branch, the lowest in −2 ≤ y: xy = −3π/2 and dE/dx = 1 + y − y.
    exact: { gradient: [1], w: [(-1.5 * Math.PI) / x] },
    // Where that branch meets y = −2 and the next one is not yet allowed.
    optimum: [(11 * Math.PI) / 4],
  };
}

function p9(): Column {
  const { x, y } = sinusoidalOptimum(1);
  const model: Model = {
    inner: scalar({
      value: (w) => Math.sin(x + w - 2),
      gradient: (w) => Math.cos(x + w - 2),
      hessian: (w) => -Math.sin(x + w - 2),
      leader: (w) => Math.cos(x + w - 2),
      cross: (w) => -Math.sin(x + w - 2),
    }),
    outer: scalar({
      value: (w) => (x - 2) ** 2 + (w - 4) ** 2,
      gradient: (w) => 2 * (w - 4),
      hessian: () => 2,
      leader: () => 2 * (x - 2),
      cross: () => 0,
    }),
  };
  return {
    // Beside the inner minimum that lies one period below the leader's choice.
    ...free(model, f64([y - 2 * Math.PI + 0.3])),
    name: "P9",
    title: "inner sine, started beside a wrong minimum",
    problem: sinusoidal as Problem,
    lambda: f64(x),
    data: noData,
    rate: 0.5,
    steps: 60,
    lacks: ["strong convexity", "a unique inner solution"],
    exact: { gradient: [0], w: [y] },
  };
}

function p10(): Column {
  const x = 0.7;
  const decay = Math.exp(2 - 4 * x);
  const gate = 1 / (1 + decay);
  const gateSlope = 4 * decay * gate ** 2;
  const wave = ((4 * x - 2) * 4) / ((4 * x - 2) ** 2 + 1);
  const s = (y: number): number => x + y;
  const model: Model = {
    inner: scalar({
      value: (y) => s(y) ** 2 + x * Math.sin(s(y)) ** 2,
      gradient: (y) => 2 * s(y) + x * Math.sin(2 * s(y)),
      hessian: (y) => 2 + 2 * x * Math.cos(2 * s(y)),
      leader: (y) => 2 * s(y) + x * Math.sin(2 * s(y)) + Math.sin(s(y)) ** 2,
      cross: (y) => 2 + 2 * x * Math.cos(2 * s(y)) + Math.sin(2 * s(y)),
    }),
    outer: scalar({
      value: (y) => Math.cos(4 * y + 2) * gate + 0.5 * Math.log((4 * x - 2) ** 2 + 1),
      gradient: (y) => -4 * Math.sin(4 * y + 2) * gate,
      hessian: (y) => -16 * Math.cos(4 * y + 2) * gate,
      leader: (y) => Math.cos(4 * y + 2) * gateSlope + wave,
      cross: (y) => -4 * Math.sin(4 * y + 2) * gateSlope,
    }),
  };
  return {
    ...free(model, f64([0.4])),
    name: "P10",
    title: "inner wave, leader with three basins",
    problem: waves as Problem,
    lambda: f64([x]),
    data: noData,
    rate: 0.2,
    steps: 60,
    // y = −x: dF/dx = E_x − E_y.
    exact: {
      gradient: [Math.cos(2 - 4 * x) * gateSlope + wave + 4 * Math.sin(2 - 4 * x) * gate],
      w: [-x],
    },
  };
}

function p11(): Column {
  const phase = (2 * Math.PI) / 3;
  const model: Model = {
    inner: scalar({
      value: (y) => y ** 2 + 2 * Math.sin(y) ** 2,
      gradient: (y) => 2 * y + 2 * Math.sin(2 * y),
      hessian: (y) => 2 + 4 * Math.cos(2 * y),
      leader: () => 0,
      cross: () => 0,
    }),
    outer: scalar({
      value: (y) => Math.sin(y - phase) ** 2 + 0.5,
      gradient: (y) => Math.sin(2 * (y - phase)),
      hessian: (y) => 2 * Math.cos(2 * (y - phase)),
      leader: () => 1,
      cross: () => 0,
    }),
  };
  return {
    ...free(model, f64(phase)),
    name: "P11",
    title: "trap of the inner gradient's norm",
    problem: trap as Problem,
    lambda: f64(1),
    data: noData,
    rate: 0.15,
    steps: 60,
    exact: { gradient: [1], w: [0] },
  };
}

/** P12 (a) at one x. */
function p12(name: ProblemName, title: string, x: number): Column {
  const isActive = x > 1;
  return {
    ...clipped,
    ...free(
      {
        inner: quadratic([[1]], [x], x ** 2 / 2, {
          leader: ([y]) => [x - y!],
          cross: () => [[-1]],
        }),
        outer: quadratic([[1]], [-1], 0.5, { leader: () => [0], cross: () => [[0]] }),
      },
      clipped.w,
    ),
    name,
    title,
    lambda: f64([x]),
    rate: 0.4,
    steps: 60,
    projection: {
      apply: ([y]) => [Math.min(y!, 1)],
      tangent: [[isActive ? 0 : 1]],
    },
    constraints: {
      projection: box({ upper: 1 }),
      inequalities: (y) => y.sub(1),
    },
    // (y + 1)·dy/dx
    exact: isActive ? { gradient: [0], w: [1] } : { gradient: [1 + x], w: [x] },
  };
}

function p12Plane(): Column {
  const x = [0.2, -0.3, 0.5, 0.1];
  const c = [1, 0, -1, 2];
  const n = x.length;
  const off = (w: Vector): number => (w.reduce((sum, v) => sum + v, 0) - 1) / n;
  const project: Projection = Object.assign(
    (y: unknown) => {
      const w = y as np.Array;
      return w.sub(np.sum(w).sub(1).div(n)) as never;
    },
    { label: "sum of 1" },
  );
  return {
    ...onPlane,
    ...free(
      {
        inner: quadratic(dense.identity(n), x, dot(x, x) / 2, {
          leader: (y) => dense.subtract(x, y),
          cross: () => dense.identity(n, -1),
        }),
        outer: quadratic(dense.identity(n), c, dot(c, c) / 2, {
          leader: () => x.map(() => 0),
          cross: () => noCross(n, n),
        }),
      },
      onPlane.w,
    ),
    name: "P12 plane",
    title: "weights that sum to 1",
    rate: 0.5,
    steps: 60,
    projection: {
      apply: (w) => w.map((v) => v - off(w)),
      tangent: dense.add(
        dense.identity(n),
        dense.outer(
          x.map(() => 1),
          x.map(() => 1),
        ),
        -1 / n,
      ),
    },
    constraints: { projection: project, equalities: (y) => np.sum(y).sub(1) },
    exact: { gradient: onPlane.gradient, w: x.map((v) => v - off(x)) },
  };
}

function p12Moving(): Column {
  const x = -0.8;
  const level = (w: Vector): Vector => w.map((v) => v + x - 1);
  const sum = (w: Vector): number => w.reduce((total, v) => total + v, 0);
  return {
    ...free(
      {
        inner: {
          value: (w) => sum(level(w).map(Math.sin)),
          gradient: (w) => level(w).map(Math.cos),
          hessian: (w) => diagonal(level(w).map((v) => -Math.sin(v))),
          leader: (w) => [sum(level(w).map(Math.cos))],
          cross: (w) => [level(w).map((v) => -Math.sin(v))],
        },
        outer: quadratic(dense.identity(2, 2), [6, 6], (x - 2) ** 2 + 18, {
          leader: () => [2 * (x - 2)],
          cross: () => noCross(1, 2),
        }),
      },
      f64([1, 1.2]),
    ),
    name: "P12 moving",
    title: "a bound that λ moves",
    problem: confinedSines,
    lambda: f64(x),
    data: noData,
    rate: 0.1,
    steps: 600,
    lacks: ["strong convexity", "a unique inner solution"],
    constraints: { inequalities: confinement },
    // y_i = −x: dF/dx = 2(x − 2) − Σ 2(y_i − 3)
    exact: { gradient: [2 * (x - 2) - 4 * (-x - 3)], w: [-x, -x] },
  };
}

function p13(): Column {
  const c = proximalTasks();
  const [x, mu, n] = [flat(c.lambda), c.mu, 4];
  const { b } = c.data.inner as { b: Tensor };
  const [tasks, targets] = [c.a.length, flat(c.data.outer)];
  const shifted = c.a.map((a) => dense.add(a, dense.identity(n), mu));
  const part = (w: Vector, i: number): Vector => w.slice(i * n, (i + 1) * n);
  const size = n * tasks;
  const hessian = dense.identity(size, 0);
  for (const [i, block] of shifted.entries()) {
    for (const [r, row] of block.entries()) {
      for (const [k, v] of row.entries()) hessian[i * n + r]![i * n + k] = v;
    }
  }
  const linear = flat(b).map((v, i) => v + mu * x[i % n]!);
  const model: Model = {
    inner: quadratic(hessian, linear, (tasks * mu * dot(x, x)) / 2, {
      leader: (w) =>
        x.map((v, k) => mu * shifted.reduce((sum, _, i) => sum + v - part(w, i)[k]!, 0)),
      cross: () => x.map((_, k) => Array.from({ length: size }, (_, j) => (j % n === k ? -mu : 0))),
    }),
    outer: quadratic(
      dense.identity(size, 1 / tasks),
      times(1 / tasks, targets),
      dot(targets, targets) / (2 * tasks),
      { leader: () => x.map(() => 0), cross: () => noCross(n, size) },
    ),
  };
  // Task by task: y_i = (A_i + μI)⁻¹(b_i + μx), g = mean μ(A_i + μI)⁻¹(y_i − c_i).
  const answers = shifted.map((a, i) => dense.solveDense(a, part(linear, i)));
  const gradient = shifted.reduce(
    (sum, a, i) =>
      plus(sum, mu / tasks, dense.solveDense(a, dense.subtract(answers[i]!, part(targets, i)))),
    [0, 0, 0, 0],
  );
  return {
    ...c,
    ...free(model, c.w),
    name: "P13",
    title: "iMAML's proximal tasks",
    rate: 0.15,
    steps: 90,
    exact: { gradient, w: answers.flat() },
  };
}

/**
 * P14: L = mean_i ½(x_iᵀw)² + 0.2‖w‖² − (x_iᵀw)(u_iᵀλ), E = mean_j ½(x_jᵀw − y_j)² + ½·0.1‖λ‖², on fixed irregular data; λ has
 * 3 entries, w 4 in a tree of two leaves.
 */
function p14(): Column {
  const [n, m, rows, outerRows] = [4, 3, 6, 4];
  const matrix = (r: number, c: number, seed: number): dense.Matrix =>
    Array.from({ length: r }, (_, i) => [...sequence(r * c, seed, 1)].slice(i * c, (i + 1) * c));
  const [X, U, Xv] = [matrix(rows, n, 3), matrix(rows, m, 5), matrix(outerRows, n, 7)];
  const [Y, x] = [[...sequence(outerRows, 8, 1)], [0.7, -0.4, 1.1]];
  interface W {
    head: np.Array;
    tail: { rest: np.Array }[];
  }
  const dots = (w: W, x: np.Array): np.Array =>
    np.matmul(x, np.concatenate([w.head, w.tail[0]!.rest]));
  const hessian = dense.add(
    times2(1 / rows, dense.multiply(dense.transpose(X), X)),
    dense.identity(n),
    0.4,
  );
  // ∇²_λw L = −UᵀX/n
  const cross = times2(-1 / rows, dense.multiply(dense.transpose(U), X));
  const ofOuter = times2(1 / outerRows, dense.multiply(dense.transpose(Xv), Xv));
  const targets = times(1 / outerRows, dense.apply(dense.transpose(Xv), Y));
  const linear = times(-1, dense.apply(dense.transpose(cross), x));
  const model: Model = {
    inner: quadratic(hessian, linear, 0, {
      leader: (w) => dense.apply(cross, w),
      cross: () => cross,
    }),
    outer: quadratic(ofOuter, targets, dot(Y, Y) / (2 * outerRows) + 0.05 * dot(x, x), {
      leader: () => times(0.1, x),
      cross: () => noCross(m, n),
    }),
  };
  const w = dense.solveDense(hessian, linear);
  const q = dense.solveDense(hessian, model.outer.gradient(w));
  return {
    ...free(model, { head: f64([0]), tail: [{ rest: f64([0, 0, 0]) }] }),
    name: "P14",
    title: "irregular finite sum on trees",
    problem: bilevel({
      inner: (w: W, lambda: np.Array, d: { x: np.Array; u: np.Array }) =>
        np
          .mean(
            np
              .square(dots(w, d.x))
              .mul(0.5)
              .sub(dots(w, d.x).mul(np.matmul(d.u, lambda))),
          )
          .add(np.square(w.head).sum().add(np.square(w.tail[0]!.rest).sum()).mul(0.2)),
      outer: (w: W, lambda: np.Array, d: { x: np.Array; y: np.Array }) =>
        np
          .mean(np.square(dots(w, d.x).sub(d.y)))
          .mul(0.5)
          .add(np.square(lambda).sum().mul(0.05)),
    }) as Problem,
    lambda: f64(x),
    data: { inner: { x: f64(X), u: f64(U) }, outer: { x: f64(Xv), y: f64(Y) } },
    rate: 0.8,
    steps: 60,
    exact: { gradient: plus(times(0.1, x), -1, dense.apply(cross, q)), w },
    batch: { inner: 2, outer: 2 },
  };
}

/** P1 after five steps from w_0 = λ. */
function withInit(): Column {
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

const diagonal = (values: Vector): dense.Matrix =>
  values.map((v, i) => values.map((_, j) => (i === j ? v : 0)));

const times2 = (s: number, a: dense.Matrix): dense.Matrix => a.map((row) => times(s, row));

/** Every column, in order. */
export const columns: readonly Column[] = [
  p1(),
  p2(),
  p2Saddle(),
  p3(),
  p4(),
  p5(),
  p6(),
  p7(),
  p8(),
  p9(),
  p10(),
  p11(),
  p12("P12 free", "a bound that is not active", 0.3),
  p12("P12 bound", "a bound that is active", 2),
  p12Plane(),
  p12Moving(),
  p13(),
  p14(),
  withInit(),
];
