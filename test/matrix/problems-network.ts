/** Networks with biases whose matrices alone are penalized, trained by gradient descent, and moved by other dynamics. */
import { numpy as np, tree } from "@jax-js/jax";
import type { Projection } from "../../src/bilevel/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import * as dense from "../bilevel/dense.ts";
import { f64 } from "../bilevel/problems.ts";
import { free, type Column, type MotionName, type NetworkName } from "./column.ts";
import { levelOf } from "./hyper-dual.ts";
import type { Model, Vector } from "./model.ts";
import { adamMotion, heavyBall, preconditioned, type Motion } from "./motions.ts";
import { convolutional, twoLayers, type Network } from "./networks.ts";
import { implicitAt, root, unrolled, type Place } from "./theory.ts";

interface Trained {
  readonly name: NetworkName;
  readonly title: string;
  readonly network: Network;
  readonly lambda: Vector;
  /** Near a minimum, in the order of the tree. */
  readonly near: Vector;
  /** Index of the first output's bias there. */
  readonly bias: number;
  readonly rate: number;
  readonly steps: number;
}

const nets: readonly Trained[] = [
  {
    name: "net",
    title: "two layers, their matrices penalized",
    network: twoLayers(),
    lambda: [-2, -2],
    // The Hessian there has eigenvalues from 0.21 to 5.8.
    near: [0.4, 0.4, -1, 0.1, 0.3, -1.1, -0.6, -0.2, 1.5, -0.4, -0.6, 1.6],
    bias: 6,
    rate: 0.25,
    steps: 450,
  },
  {
    name: "conv",
    title: "a convolution and a layer, their matrices penalized",
    network: convolutional(),
    lambda: [-2.5, -2.5],
    // The Hessian there has eigenvalues from 0.14 to 8.8.
    near: [1.9, -1.4, -1.5, 1.5, -0.7, 0.5, 0.5, -1.3, 1.2, -0.5, -1.9, 1.5, 2, -2.3, -1.8, 1.5],
    bias: 10,
    rate: 0.16,
    steps: 1000,
  },
];

/** Columns of the trained networks. */
export const networks = (): Column[] => nets.map(trained);

/** Columns of the same networks after eight steps of other dynamics. */
export const motions = (): Column[] =>
  nets.flatMap((net) => {
    const sizes = tree.leaves<Tensor>(net.network.w).map(({ data }) => data.length);
    const all = [heavyBall(false), heavyBall(true), adamMotion(), preconditioned(sizes)];
    return all.map((motion) => movedBy(net, motion));
  });

function trained({ name, title, network, lambda, near, bias, rate, steps }: Trained): Column {
  const at = modelOf(network);
  const model = at(lambda);
  const answer = root(model.inner.gradient, model.inner.hessian, near);
  return {
    ...free(model, inShapes(network.w, near)),
    name,
    title,
    problem: network.problem,
    lambda: { first: f64(lambda[0]!), second: f64(lambda[1]!) },
    data: network.data,
    rate,
    steps,
    exact: implicitAt(model, answer, dense.solveDense),
    batch: { inner: 6, outer: 6 },
    bounded: boundedBias(model, answer, bias, steps),
  };
}

/** The first output's bias held 0.2 below where it would be. */
function boundedBias(
  model: Model,
  answer: Vector,
  bias: number,
  steps: number,
): NonNullable<Column["bounded"]> {
  const upper = [answer[bias]! - 0.2, answer[bias + 1]! + 1];
  const unless = (w: Vector): Vector => w.filter((_, i) => i !== bias);
  const whole = (rest: Vector): Vector => [...rest.slice(0, bias), upper[0]!, ...rest.slice(bias)];
  const rows = (h: dense.Matrix): dense.Matrix => without(h, bias);
  const rest = root(
    (rest) => unless(model.inner.gradient(whole(rest))),
    (rest) => rows(model.inner.hessian(whole(rest))),
    unless(answer),
  );
  const w = whole(rest);
  // The multiplier is −∂L/∂w there; q is 0 along the bound.
  const exact = implicitAt(model, w, (hessian, v) => {
    const q = dense.solveDense(rows(hessian), unless(v));
    return [...q.slice(0, bias), 0, ...q.slice(bias)];
  });
  const bound = (): np.Array => np.where(np.equal(np.arange(2), 0), upper[0]!, upper[1]!);
  const project = (w: Biased): Biased => ({ ...w, b2: np.minimum(w.b2, bound()) });
  return {
    constraints: {
      inequalities: (w: np.Array) => (w as unknown as Biased).b2.sub(bound()),
      projection: Object.assign(project, { label: "bound" }) as unknown as Projection,
    },
    exact,
    steps,
  };
}

interface Biased {
  b2: np.Array;
}

/** Without one row and its column. */
const without = (a: dense.Matrix, index: number): dense.Matrix =>
  a.filter((_, i) => i !== index).map((row) => row.filter((_, j) => j !== index));

/** Its exact answer is the derivative of the same steps. */
function movedBy(net: Trained, motion: Motion): Column {
  const { network, lambda } = net;
  const place: Column = {
    ...trained(net),
    name: `${net.name} ${motion.name}` as MotionName,
    title: `${net.name}, eight steps of ${motion.name === "contraction" ? "a user's contraction" : motion.name}`,
    steps: 8,
    moved: { motion, lambda, at: modelOf(network) },
  };
  return { ...place, exact: unrolled(place as Place, { steps: place.steps }) };
}

const modelOf =
  ({ inner, outer }: Network) =>
  (lambda: Vector): Model => ({ inner: levelOf(inner, lambda), outer: levelOf(outer, lambda) });

function inShapes(like: Tree<Tensor>, numbers: Vector): Tree<Tensor> {
  let next = 0;
  return tree.map(
    ({ shape, data }: Tensor) =>
      tensor(Float64Array.from(numbers.slice(next, (next += data.length))), { shape: [...shape] }),
    like as never,
  ) as Tree<Tensor>;
}
