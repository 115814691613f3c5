/** Rows of linear algebra. */
import { sample } from "../eager.ts";
import { definite, floats, of, rounding, shaped, type Row } from "./row.ts";

export const linear: readonly Row[] = [
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
  { primitive: "lu", dtypes: floats, inputs: shaped([2, 0, 3]) },
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
