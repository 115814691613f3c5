/** Rows of the primitives that act element by element. */
import { sample } from "../eager.ts";
import {
  all,
  binary,
  edgePairs,
  edges,
  edgeVector,
  floats,
  integers,
  of,
  rounding,
  unary,
  type Row,
} from "./row.ts";

export const elementwise: readonly Row[] = [
  binary("add", all),
  {
    ...binary("mul", all),
    wasm: { dtypes: integers, reason: "the reference backend multiplies integers in float64" },
  },
  binary("min", all),
  binary("max", all),
  // Integer division by zero fails the run: see the test of deviations.
  ...["idiv", "mod"].flatMap((primitive): Row[] => [
    binary(primitive, [...floats, "bool"]),
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
  // The negative of a boolean is refused.
  unary("neg", all.filter((dtype) => dtype !== "bool")), // prettier-ignore
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
