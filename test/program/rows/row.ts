/** What a row of the table of primitives is, and the operands rows are made of. */
import type { Params } from "../../../src/program/ir.ts";
import { type DType, type Tensor, tensor } from "../../../src/program/tensors/tensor.ts";
import { sample } from "../eager.ts";

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

export const floats: readonly DType[] = ["float32", "float64"];
export const integers: readonly DType[] = ["int32", "uint32"];
export const numbers: readonly DType[] = [...floats, ...integers];
export const all: readonly DType[] = [...numbers, "bool"];

/** Ranges by name: zeros of both signs, ordinary, tiny (denormal), huge, not finite. */
export const edges: Readonly<Record<DType, readonly number[]>> = {
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

export const edgeVector = (dtype: DType): Tensor[] => [tensor([...edges[dtype]], { dtype })];

/** Every edge value against every other, by broadcasting a column against a row. */
export const edgePairs =
  (keep: (value: number, operand: 0 | 1) => boolean = () => true) =>
  (dtype: DType): Tensor[] => {
    const column = edges[dtype].filter((value) => keep(value, 0));
    const row = edges[dtype].filter((value) => keep(value, 1));
    return [
      tensor(column, { dtype, shape: [column.length, 1] }),
      tensor(row, { dtype, shape: [1, row.length] }),
    ];
  };

export const unary = (
  primitive: string,
  dtypes: readonly DType[],
  tolerance?: Row["tolerance"],
): Row => ({
  primitive,
  dtypes,
  inputs: edgeVector,
  ...(tolerance && { tolerance }),
});

export const binary = (primitive: string, dtypes: readonly DType[], params: Params = {}): Row => ({
  primitive,
  dtypes,
  params,
  inputs: edgePairs(),
});

export const shaped =
  (...shapes: readonly (readonly number[])[]) =>
  (dtype: DType): Tensor[] =>
    shapes.map((shape, i) => sample(shape, dtype, i + 1));

export const of = (
  dtype: DType,
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Tensor => tensor([...values], { dtype, shape });

export const indices = (
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Tensor => of("int32", values, shape);

/** A symmetric positive definite matrix, [..., n, n]. */
export function definite(shape: readonly number[], dtype: DType): Tensor {
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

export const rounding: readonly [number, number] = [2e-6, 1e-14];
