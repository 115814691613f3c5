/** Rows of reductions, products and movement. */
import type { DType } from "../../../src/program/tensors/tensor.ts";
import { all, rounding, shaped, type Row } from "./row.ts";

/** The sum of booleans, which to jax-js is a boolean, is refused. */
const reducible = (op: string): readonly DType[] =>
  op === "Add" ? all.filter((dtype) => dtype !== "bool") : all;

export const reductions: readonly Row[] = [
  ...(["Add", "Mul", "Max", "Min"] as const).flatMap((op) =>
    [[0], [1], [2], [0, 2], [0, 1, 2], []].map((axis): Row => ({
      primitive: "reduce",
      dtypes: reducible(op),
      params: { op, axis },
      inputs: shaped([2, 3, 4]),
      tolerance: rounding,
    })),
  ),
  ...(["Add", "Mul", "Max", "Min"] as const).map((op): Row => ({
    primitive: "reduce",
    dtypes: reducible(op),
    params: { op, axis: [1] },
    inputs: shaped([2, 0]),
  })),
  { primitive: "dot", dtypes: all, inputs: shaped([3, 4], [3, 4]), tolerance: rounding },
  { primitive: "dot", dtypes: all, inputs: shaped([5, 1, 4], [1, 6, 4]), tolerance: rounding },
  {
    primitive: "dot",
    dtypes: all,
    inputs: shaped([2, 5, 1, 4], [2, 1, 6, 4]),
    tolerance: rounding,
  },
  { primitive: "dot", dtypes: all, inputs: shaped([4], [3, 4]), tolerance: rounding },
  { primitive: "dot", dtypes: all, inputs: shaped([3, 1], [4]), tolerance: rounding },
  { primitive: "dot", dtypes: all, inputs: shaped([1, 1], [1, 1]), tolerance: rounding },
  { primitive: "dot", dtypes: all, inputs: shaped([3, 0], [3, 0]), tolerance: rounding },
];

export const movement: readonly Row[] = [
  { primitive: "concatenate", dtypes: all, params: { axis: 1 }, inputs: shaped([2, 1], [2, 3]) },
  {
    primitive: "split",
    dtypes: all,
    params: { axis: 1, sizes: [1, 3, 2] },
    inputs: shaped([2, 6]),
  },
  { primitive: "transpose", dtypes: all, params: { perm: [2, 0, 1] }, inputs: shaped([2, 3, 4]) },
  {
    primitive: "broadcast",
    dtypes: all,
    params: { shape: [3, 2, 4, 5], axis: [0, 3] },
    inputs: shaped([2, 4]),
  },
  {
    primitive: "broadcast",
    dtypes: all,
    params: { shape: [2, 4], axis: [] },
    inputs: shaped([2, 1]),
  },
  { primitive: "reshape", dtypes: all, params: { shape: [3, 0, 4] }, inputs: shaped([0, 5]) },
  { primitive: "reshape", dtypes: all, params: { shape: [4, 1, 3] }, inputs: shaped([2, 6]) },
  { primitive: "flip", dtypes: all, params: { axis: [0, 2] }, inputs: shaped([2, 3, 4]) },
  {
    primitive: "shrink",
    dtypes: all,
    params: {
      slice: [
        [1, 3],
        [0, 2],
        [2, 2],
      ],
    },
    inputs: shaped([3, 2, 4]),
  },
  {
    primitive: "shrink",
    dtypes: all,
    params: {
      slice: [
        [1, 3],
        [0, 2],
      ],
    },
    inputs: shaped([3, 2]),
  },
  {
    primitive: "pad",
    dtypes: all,
    params: {
      width: [
        [1, 0],
        [0, 2],
      ],
    },
    inputs: shaped([3, 2]),
  },
  { primitive: "pad", dtypes: all, params: { width: [[1, 1]] }, inputs: shaped([0]) },
];
