/** Quadratics with matrices of data and non-square cross derivatives: P4, P13 and P14. */
import { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import * as dense from "../bilevel/dense.ts";
import { f64, proximalTasks, representation, sequence } from "../bilevel/problems.ts";
import { free, scaled, times, type Column } from "./column.ts";
import { dot, flat, noCross, plus, quadratic, type Model, type Vector } from "./model.ts";

export function p4(): Column {
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

export function p13(): Column {
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
export function p14(): Column {
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
    scaled(1 / rows, dense.multiply(dense.transpose(X), X)),
    dense.identity(n),
    0.4,
  );
  // ∇²_λw L = −UᵀX/n
  const cross = scaled(-1 / rows, dense.multiply(dense.transpose(U), X));
  const ofOuter = scaled(1 / outerRows, dense.multiply(dense.transpose(Xv), Xv));
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
