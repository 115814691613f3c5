/** The inverse of the bound on a fit's curvature, from which its minimization starts. */
import type { Tensor } from "../../../program/index.ts";
import { choleskyFactor, choleskySolve } from "./cholesky.ts";
import type { Metric } from "./minimize.ts";

/**
 * g ↦ (C + Λ)⁻¹ g, row by row.
 *
 * @param curvature - C of each follower as from `curvatureOf`, full or diagonal, float64.
 * @param coefficients - Λ's diagonals, [followers · columns].
 */
export function curvatureMetric(curvature: Tensor, coefficients: Float64Array): Metric {
  const [followers, rows, n] = curvature.shape as [number, number, number];
  const data = curvature.data as Float64Array;
  const diagonalOf = (f: number): Float64Array => coefficients.subarray(f * n, (f + 1) * n);
  if (rows === 1) {
    return (f, gradient) => {
      const [bound, diagonal] = [data.subarray(f * n, (f + 1) * n), diagonalOf(f)];
      return gradient.map((g, j) => g / (bound[j % n]! + diagonal[j % n]!));
    };
  }
  const factors = Array.from({ length: followers }, (_, f) => {
    const matrix = data.slice(f * n * n, (f + 1) * n * n);
    diagonalOf(f).forEach((coefficient, j) => (matrix[j * (n + 1)]! += coefficient));
    return choleskyFactor(matrix, n);
  });
  return (f, gradient) => {
    const result = gradient.slice();
    choleskySolve(factors[f]!, n, result, result.length / n);
    return result;
  };
}
