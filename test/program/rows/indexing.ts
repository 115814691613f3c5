/** Rows of reading and writing by index, sorting and random bits. */
import { sample } from "../eager.ts";
import { all, edgeVector, indices, integers, numbers, of, shaped, type Row } from "./row.ts";

export const indexing: readonly Row[] = [
  {
    primitive: "gather",
    dtypes: all,
    params: { axis: [0], outDim: 0 },
    inputs: (dtype) => [sample([5, 3], dtype), indices([4, 0, 0, 2], [2, 2])],
  },
  {
    primitive: "gather",
    dtypes: all,
    params: { axis: [1], outDim: 0 },
    inputs: (dtype) => [sample([5, 3], dtype), indices([2, 1, 1, 0])],
  },
  {
    primitive: "gather",
    dtypes: all,
    params: { axis: [2, 0], outDim: 1 },
    inputs: (dtype) => [sample([2, 3, 4], dtype), indices([3, 1], [2, 1]), indices([0, 1, 1])],
  },
  {
    primitive: "gather",
    dtypes: all,
    params: { axis: [0, 1], outDim: 0 },
    inputs: (dtype) => [sample([2, 3], dtype), of("uint32", [1, 0]), indices([2, 2])],
  },
  ...(["update", "add"] as const).flatMap((op): Row[] => [
    {
      primitive: "scatter",
      dtypes: all,
      params: { op, shape: [4, 3], axis: [0], outDim: 0, uniqueIndices: false },
      inputs: (dtype) => [sample([5, 3], dtype), indices([1, 3, 1, 1, 9])],
    },
    {
      primitive: "scatter",
      dtypes: all,
      params: { op, shape: [2, 3, 4], axis: [2, 0], outDim: 1, uniqueIndices: false },
      inputs: (dtype) => [sample([3, 2, 3], dtype), indices([3, 1], [2, 1]), indices([0, 1, 1])],
    },
    {
      primitive: "scatter",
      dtypes: all,
      params: { op, shape: [5], axis: [0], outDim: 0, uniqueIndices: true },
      inputs: (dtype) => [sample([3], dtype), indices([4, 0, 2])],
    },
  ]),
  ...[[7], [2, 9], [3, 0]].flatMap((shape): Row[] => [
    { primitive: "sort", dtypes: numbers, inputs: shaped(shape) },
    { primitive: "argsort", dtypes: all, inputs: shaped(shape) },
  ]),
  { primitive: "argsort", dtypes: all, inputs: edgeVector },
  { primitive: "sort", dtypes: integers, inputs: edgeVector },
  ...(["xor", 0, 1] as const).flatMap((mode): Row[] =>
    [[], [1], [7, 3], [2, 5]].map((shape) => ({
      primitive: "random_bits",
      dtypes: ["uint32"],
      params: { shape, mode },
      inputs: () =>
        shape[0] === 2
          ? [of("uint32", [1, 4294967295]), of("uint32", [2147483648, 3])]
          : [of("uint32", [123456789], []), of("uint32", [4294967295], [])],
    })),
  ),
];
