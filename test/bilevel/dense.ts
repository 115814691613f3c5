/** Plain Float64 linear algebra for closed forms in tests: matrices as arrays of rows. */

export type Matrix = number[][];

export const transpose = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));

export const multiply = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * b[k]![j]!, 0)));

export const apply = (a: Matrix, x: number[]): number[] =>
  a.map((row) => row.reduce((sum, v, k) => sum + v * x[k]!, 0));

export const subtract = (a: number[], b: number[]): number[] => a.map((v, i) => v - b[i]!);

export const outer = (a: number[], b: number[]): Matrix => a.map((v) => b.map((u) => v * u));

export const add = (a: Matrix, b: Matrix, scale = 1): Matrix =>
  a.map((row, i) => row.map((v, j) => v + scale * b[i]![j]!));

export const identity = (n: number, scale = 1): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? scale : 0)));

/** Solves a·x = b by Gaussian elimination with partial pivoting. */
export function solveDense(a: Matrix, b: number[]): number[] {
  const n = b.length;
  const m = a.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    const pivot = m
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(m[best]![k]!) ? k + i : best), k);
    [m[k], m[pivot]] = [m[pivot]!, m[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = m[i]![k]! / m[k]![k]!;
      for (let j = k; j <= n; j++) m[i]![j]! -= factor * m[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    const known = x.slice(i + 1).reduce((sum, v, j) => sum + m[i]![i + 1 + j]! * v, 0);
    x[i] = (m[i]![n]! - known) / m[i]![i]!;
  }
  return x;
}

/** Smallest eigenvalue of a symmetric positive definite matrix, by inverse iteration. */
export function smallestEigenvalue(a: Matrix): number {
  let x = a.map((_, i) => 1 + 0.1 * i);
  let eigenvalue = 0;
  for (let i = 0; i < 300; i++) {
    const y = solveDense(a, x);
    const length = Math.hypot(...y);
    eigenvalue = Math.hypot(...x) / length;
    x = y.map((v) => v / length);
  }
  return eigenvalue;
}
