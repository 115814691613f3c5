/** The table of primitives: for each, the arguments it is tried on. A new primitive needs a row here. */
import type { Params } from "../../src/program/ir.ts";
import { type DType, type Tensor, tensor } from "../../src/program/tensor.ts";
import { sample } from "./eager.ts";

/** One primitive, some parameters, and its operands for each element type. */
export interface Row {
  readonly primitive: string;
  readonly dtypes: readonly DType[];
  readonly params?: Params;
  readonly inputs: (dtype: DType) => Tensor[];
  /** Largest |ours − theirs| / max(1, |theirs|) in single and double precision; 0 for integers. */
  readonly tolerance?: readonly [single: number, double: number];
  /** Compare with jax-js's wasm backend, and why not with its reference backend. */
  readonly wasm?: { readonly dtypes: readonly DType[]; readonly reason: string };
}

const floats: readonly DType[] = ["float32", "float64"];
const integers: readonly DType[] = ["int32", "uint32"];
const numbers: readonly DType[] = [...floats, ...integers];
export const all: readonly DType[] = [...numbers, "bool"];

/** Ranges by name: zeros of both signs, ordinary, tiny (denormal), huge, not finite. */
const edges: Readonly<Record<DType, readonly number[]>> = {
  float16: [0, 1, -1, 0.5, -2.5, 2.5, 3.75, 100],
  float32: [
    0,
    -0,
    1,
    -1,
    0.5,
    -2.5,
    2.5,
    3.7,
    7,
    -7,
    1e-40,
    3e38,
    1e10,
    -1e10,
    NaN,
    Infinity,
    -Infinity,
  ],
  float64: [
    0,
    -0,
    1,
    -1,
    0.5,
    -2.5,
    2.5,
    3.7,
    7,
    -7,
    5e-324,
    1e308,
    1e10,
    -1e10,
    NaN,
    Infinity,
    -Infinity,
  ],
  int32: [0, 1, -1, 2, 5, -5, 7, -7, 2147483647, -2147483648],
  uint32: [0, 1, 2, 5, 7, 31, 2147483648, 4294967295],
  bool: [0, 1],
};

const edgeVector = (dtype: DType): Tensor[] => [tensor([...edges[dtype]], { dtype })];

/** Every edge value against every other, by broadcasting a column against a row. */
const edgePairs =
  (keep: (value: number, operand: 0 | 1) => boolean = () => true) =>
  (dtype: DType): Tensor[] => {
    const column = edges[dtype].filter((value) => keep(value, 0));
    const row = edges[dtype].filter((value) => keep(value, 1));
    return [
      tensor(column, { dtype, shape: [column.length, 1] }),
      tensor(row, { dtype, shape: [1, row.length] }),
    ];
  };

const unary = (primitive: string, dtypes: readonly DType[], tolerance?: Row["tolerance"]): Row => ({
  primitive,
  dtypes,
  inputs: edgeVector,
  ...(tolerance && { tolerance }),
});

const binary = (primitive: string, dtypes: readonly DType[], params: Params = {}): Row => ({
  primitive,
  dtypes,
  params,
  inputs: edgePairs(),
});

const shaped =
  (...shapes: readonly (readonly number[])[]) =>
  (dtype: DType): Tensor[] =>
    shapes.map((shape, i) => sample(shape, dtype, i + 1));

const of = (dtype: DType, values: readonly number[], shape = [values.length]): Tensor =>
  tensor([...values], { dtype, shape });

const indices = (values: readonly number[], shape = [values.length]): Tensor =>
  of("int32", values, shape);

/** A symmetric positive definite matrix, [..., n, n]. */
function definite(shape: readonly number[], dtype: DType): Tensor {
  const n = shape[shape.length - 1]!;
  const { data } = sample(shape, dtype, 3, 1);
  const result = sample(shape, dtype);
  for (let start = 0; start < data.length; start += n * n) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = i === j ? 1 : 0;
        for (let k = 0; k < n; k++) sum += data[start + i * n + k]! * data[start + j * n + k]!;
        result.data[start + i * n + j] = sum;
      }
    }
  }
  return result;
}

const rounding = [2e-6, 1e-14] as const;

const elementwise: readonly Row[] = [
  binary("add", all),
  {
    ...binary("mul", all),
    wasm: { dtypes: integers, reason: "the reference backend multiplies integers in float64" },
  },
  binary("min", all),
  binary("max", all),
  // Integer division by zero fails the run: see the test of deviations.
  ...["idiv", "mod"].flatMap((primitive): Row[] => [
    binary(primitive, floats),
    {
      primitive,
      dtypes: integers,
      inputs: edgePairs((value, operand) => operand === 0 || value !== 0),
    },
  ]),
  ...(["and", "or", "xor"] as const).map((op) =>
    binary("bit_combine", [...integers, "bool"], { op }),
  ),
  ...(["shl", "shr"] as const).map((op): Row => ({
    primitive: "bit_shift",
    dtypes: integers,
    params: { op },
    inputs: (dtype) => [
      of(dtype, edges[dtype], [edges[dtype].length, 1]),
      of(dtype, [0, 1, 5, 31], [1, 4]),
    ],
  })),
  unary("bit_count", integers),
  unary("neg", numbers),
  unary("reciprocal", floats, rounding),
  unary("floor", floats),
  unary("ceil", floats),
  unary("stop_gradient", all),
  ...all.map((dtype): Row => ({
    primitive: "cast",
    dtypes: all,
    params: { dtype },
    inputs: edgeVector,
  })),
  ...(["float32", "int32", "uint32"] as const).map((dtype): Row => ({
    primitive: "bitcast",
    dtypes: ["float32", "int32", "uint32"],
    params: { dtype },
    inputs: edgeVector,
  })),
  ...["sin", "cos", "asin", "atan", "exp", "log", "sqrt"].map((primitive) =>
    unary(primitive, floats, rounding),
  ),
  // jax-js approximates erf to 1.5e-7 (Abramowitz and Stegun 7.1.26).
  unary("erf", floats, [3e-7, 3e-7]),
  unary("erfc", floats, [3e-7, 3e-7]),
  ...(["less", "equal", "not_equal", "less_equal"] as const).map((op) =>
    binary("compare", all, { op }),
  ),
  {
    primitive: "where",
    dtypes: all,
    inputs: (dtype) => [
      of("bool", [1, 0, 1], [3, 1]),
      ...edgeVector(dtype),
      sample([3, 1], dtype, 2),
    ],
  },
];

const reductions: readonly Row[] = [
  ...(["Add", "Mul", "Max", "Min"] as const).flatMap((op) =>
    [[0], [1], [2], [0, 2], [0, 1, 2], []].map((axis): Row => ({
      primitive: "reduce",
      dtypes: all,
      params: { op, axis },
      inputs: shaped([2, 3, 4]),
      tolerance: rounding,
    })),
  ),
  ...(["Add", "Mul", "Max", "Min"] as const).map((op): Row => ({
    primitive: "reduce",
    dtypes: all,
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

const movement: readonly Row[] = [
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

const indexing: readonly Row[] = [
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

const linear: readonly Row[] = [
  ...[
    [0, 0],
    [1, 1],
    [6, 6],
    [2, 3, 3],
  ].flatMap((shape): Row[] => [
    {
      primitive: "cholesky",
      dtypes: floats,
      inputs: (dtype) => [definite(shape, dtype)],
      tolerance: rounding,
    },
    { primitive: "lu", dtypes: floats, inputs: shaped(shape), tolerance: [2e-5, 1e-13] },
    {
      primitive: "jacobi_eigh",
      dtypes: floats,
      params: { maxSweeps: 12, tolerance: 1e-6 },
      inputs: (dtype) => [definite(shape, dtype)],
      tolerance: [2e-5, 1e-13],
    },
    ...[true, false].map((unitDiagonal): Row => ({
      primitive: "triangular_solve",
      dtypes: floats,
      params: { unitDiagonal },
      inputs: (dtype) => [
        definite(shape, dtype),
        sample([...shape.slice(0, -2), 4, shape[shape.length - 1]!], dtype),
      ],
      tolerance: [2e-5, 1e-13],
    })),
  ]),
  { primitive: "lu", dtypes: floats, inputs: shaped([5, 3]), tolerance: [2e-5, 1e-13] },
  { primitive: "lu", dtypes: floats, inputs: shaped([2, 3, 5]), tolerance: [2e-5, 1e-13] },
  {
    primitive: "cholesky",
    dtypes: floats,
    inputs: (dtype) => [of(dtype, [1, 2, 2, 1, 0, 0, 0, 1, 4, 9, 2, 5], [3, 2, 2])],
    tolerance: rounding,
  },
  {
    primitive: "lu",
    dtypes: floats,
    inputs: (dtype) => [of(dtype, [1, NaN, 2, -1, 4, 5, 0, 0, 0], [3, 3])],
  },
];

export const rows: readonly Row[] = [
  ...elementwise,
  ...reductions,
  ...movement,
  ...indexing,
  ...linear,
];
