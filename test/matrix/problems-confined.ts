/** P12: followers under constraints. */
import { numpy as np } from "@jax-js/jax";
import { box, type Projection } from "../../src/bilevel/index.ts";
import * as dense from "../bilevel/dense.ts";
import { clipped, confinedSines, confinement, onPlane } from "../bilevel/problems-constrained.ts";
import { noData } from "../bilevel/problems-without-unique-answer.ts";
import { f64 } from "../bilevel/problems.ts";
import { diagonal, free, type Column, type ProblemName } from "./column.ts";
import { dot, noCross, quadratic, type Vector } from "./model.ts";

/** P12 (a) at one x. */
export function p12(name: ProblemName, title: string, x: number): Column {
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

export function p12Plane(): Column {
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

export function p12Moving(): Column {
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
