/**
 * Two small networks whose matrices alone are penalized, e^λ₁ for the first and e^λ₂ for the second: the gradients of their
 * biases do not depend on λ. Each as jax-js functions and, written by hand, as functions of hyper-dual numbers.
 */
import { lax, numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../../src/bilevel/index.ts";
import { tensor, type Tensor, type Tree } from "../../src/program/index.ts";
import type { Matrix } from "../bilevel/dense.ts";
import { f64, sequence } from "../bilevel/problems.ts";
import * as dual from "./hyper-dual.ts";
import type { HyperDual } from "./hyper-dual.ts";

type Dual = HyperDual;

/** A network, its data, and first weights near a minimum. */
export interface Network {
  readonly problem: Problem;
  readonly inner: dual.DualFunction;
  readonly outer: dual.DualFunction;
  readonly w: Tree<Tensor>;
  readonly data: { readonly inner: Tree<Tensor>; readonly outer: Tree<Tensor> };
}

/** L = mean ‖o(x) − y‖² + e^λ₁ ‖first matrix‖² + e^λ₂ ‖second‖², E = mean ‖o(x) − y‖² + ½·0.1‖λ‖². */
function network<W>(
  outputs: (w: W, x: np.Array) => np.Array,
  matrices: (w: W) => readonly [np.Array, np.Array],
  written: {
    /** The leaves in the order of the tree. */
    readonly outputs: (w: readonly Dual[], x: readonly number[]) => readonly Dual[];
    readonly first: readonly [from: number, to: number];
    readonly second: readonly [from: number, to: number];
  },
  shape: readonly number[],
  seeds: readonly [inner: number, outer: number],
): Pick<Network, "problem" | "inner" | "outer" | "data"> {
  const size = shape.reduce((product, n) => product * n, 1);
  const rows = 6;
  const numbers = (seed: number): { x: Matrix; y: Matrix } => {
    const table = (columns: number, seed: number, scale: number): Matrix => {
      const all = [...sequence(rows * columns, seed, scale)];
      return Array.from({ length: rows }, (_, i) => all.slice(i * columns, (i + 1) * columns));
    };
    return { x: table(size, seed, 1.5), y: table(2, seed + 50, 3) };
  };
  const tensors = ({ x, y }: { x: Matrix; y: Matrix }): Tree<Tensor> => ({
    x: tensor(Float64Array.from(x.flat()), { shape: [rows, ...shape] }),
    y: f64(y),
  });
  const [inner, outer] = [numbers(seeds[0]), numbers(seeds[1])];
  interface Points {
    x: np.Array;
    y: np.Array;
  }
  const loss = (w: W, { x, y }: Points): np.Array =>
    np.sum(np.square(outputs(w, x).sub(y))).mul(1 / rows);
  const ofSquares = (w: np.Array): np.Array => np.sum(np.square(w));
  const lossWritten = (w: readonly Dual[], { x, y }: { x: Matrix; y: Matrix }): Dual =>
    dual.scale(
      1 / rows,
      dual.sum(
        x.flatMap((row, i) =>
          written
            .outputs(w, row)
            .map((o, j) => dual.square(dual.add(o, dual.constant(-y[i]![j]!)))),
        ),
      ),
    );
  const penalty = (w: readonly Dual[], lambda: Dual, [from, to]: readonly [number, number]): Dual =>
    dual.multiply(dual.exp(lambda), dual.sum(w.slice(from, to).map(dual.square)));
  return {
    problem: bilevel({
      inner: (w: W, lambda: { first: np.Array; second: np.Array }, d: Points) => {
        const [first, second] = matrices(w);
        return loss(w, d)
          .add(np.exp(lambda.first).mul(ofSquares(first)))
          .add(np.exp(lambda.second).mul(ofSquares(second)));
      },
      outer: (w: W, lambda: { first: np.Array; second: np.Array }, d: Points) =>
        loss(w, d).add(np.square(lambda.first).add(np.square(lambda.second)).mul(0.05)),
    }) as Problem,
    inner: (w, [first, second]) =>
      dual.sum([
        lossWritten(w, inner),
        penalty(w, first!, written.first),
        penalty(w, second!, written.second),
      ]),
    outer: (w, lambda) =>
      dual.add(lossWritten(w, outer), dual.scale(0.05, dual.sum(lambda.map(dual.square)))),
    data: { inner: tensors(inner), outer: tensors(outer) },
  };
}

/** Two layers: two inputs, two units tanh(b₁ + xW₁), two outputs b₂ + hW₂. */
export function twoLayers(): Network {
  interface W {
    b1: np.Array;
    w1: np.Array;
    b2: np.Array;
    w2: np.Array;
  }
  return {
    ...network(
      (w: W, x) => np.matmul(np.tanh(np.matmul(x, w.w1).add(w.b1)), w.w2).add(w.b2),
      (w) => [w.w1, w.w2],
      {
        outputs: (w, x) => {
          const units = [0, 1].map((j) =>
            dual.tanh(dual.sum([w[j]!, ...x.map((v, i) => dual.scale(v, w[2 + 2 * i + j]!))])),
          );
          return readOut(units, w.slice(6));
        },
        first: [2, 6],
        second: [8, 12],
      },
      [2],
      [19, 41],
    ),
    w: {
      b1: f64([0, 0]),
      w1: f64([
        [0, 0],
        [0, 0],
      ]),
      b2: f64([0, 0]),
      w2: f64([
        [0, 0],
        [0, 0],
      ]),
    },
  };
}

/** Two filters of 2×2 on images of 3×3, tanh with a bias each, means over the four places, two outputs. */
export function convolutional(): Network {
  interface W {
    b1: np.Array;
    filters: np.Array;
    b2: np.Array;
    w2: np.Array;
  }
  return {
    ...network(
      (w: W, x) => {
        const maps = lax.convGeneralDilated(x, w.filters, [1, 1], "VALID");
        const units = np.tanh(maps.add(w.b1.reshape([1, 2, 1, 1])));
        return np.matmul(np.mean(units, [2, 3]), w.w2).add(w.b2);
      },
      (w) => [w.filters, w.w2],
      {
        outputs: (w, x) => {
          const places = [0, 1, 3, 4];
          const units = [0, 1].map((j) => {
            const filter = w.slice(2 + 4 * j, 6 + 4 * j);
            const at = (place: number): Dual =>
              dual.tanh(
                dual.sum([w[j]!, ...filter.map((f, k) => dual.scale(x[place + places[k]!]!, f))]),
              );
            return dual.scale(1 / 4, dual.sum(places.map(at)));
          });
          return readOut(units, w.slice(10));
        },
        first: [2, 10],
        second: [12, 16],
      },
      [1, 3, 3],
      [19, 41],
    ),
    w: {
      b1: f64([0, 0]),
      filters: f64([
        [
          [
            [0, 0],
            [0, 0],
          ],
        ],
        [
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ]),
      b2: f64([0, 0]),
      w2: f64([
        [0, 0],
        [0, 0],
      ]),
    },
  };
}

/** b₂ + hW₂ from [b₂, W₂] */
function readOut(units: readonly Dual[], rest: readonly Dual[]): Dual[] {
  return [0, 1].map((j) =>
    dual.sum([rest[j]!, ...units.map((h, i) => dual.multiply(h, rest[2 + 2 * i + j]!))]),
  );
}
