/** P7 to P11, on which the classical rules, or those made for harder problems, fail. */
import { type Problem } from "../../src/bilevel/index.ts";
import * as dense from "../bilevel/dense.ts";
import {
  merelyConvex,
  noData,
  nonConvex,
  sinusoidal,
  sinusoidalOptimum,
  trap,
  waves,
} from "../bilevel/problems-without-unique-answer.ts";
import { f64 } from "../bilevel/problems.ts";
import { diagonal, free, times, type Column } from "./column.ts";
import { dot, quadratic, scalar, type Model } from "./model.ts";

export function p7(): Column {
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

export function p8(): Column {
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

export function p9(): Column {
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

export function p10(): Column {
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

export function p11(): Column {
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
