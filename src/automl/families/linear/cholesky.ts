/** Cholesky factors of small symmetric positive definite matrices, in float64. */

/**
 * L with L·Lᵀ = A, row-major [n, n], upper part zero. A pivot that rounding made nearly zero or negative becomes 1e-14 of
 * its diagonal entry, so that a singular matrix gets a factor too.
 */
export function choleskyFactor(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j <= i; j++) {
      const other = j * n;
      let sum = a[row + j]!;
      for (let k = 0; k < j; k++) sum -= l[row + k]! * l[other + k]!;
      if (j < i) l[row + j] = sum / l[other + j]!;
      else l[row + i] = Math.sqrt(Math.max(sum, 1e-14 * Math.abs(a[row + i]!), 1e-300));
    }
  }
  return l;
}

/** Solves L·Lᵀ·x = b in place for `count` right sides, b [count, n]. */
export function choleskySolve(l: Float64Array, n: number, b: Float64Array, count: number): void {
  for (let c = 0; c < count; c++) {
    const x = b.subarray(c * n, (c + 1) * n);
    for (let i = 0; i < n; i++) {
      let sum = x[i]!;
      for (let k = 0; k < i; k++) sum -= l[i * n + k]! * x[k]!;
      x[i] = sum / l[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      const value = x[i]! / l[i * n + i]!;
      x[i] = value;
      for (let k = 0; k < i; k++) x[k]! -= l[i * n + k]! * value;
    }
  }
}

/** A⁻¹ from a factor of A, row-major [n, n]. */
export function choleskyInverse(l: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) inverse[i * (n + 1)] = 1;
  choleskySolve(l, n, inverse, n);
  return inverse;
}
