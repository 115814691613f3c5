/**
 * Minimization to rounding level for few variables: Newton steps whose Hessian comes from central differences of the
 * gradient, damped until they descend. A Hessian is kept as long as the steps it makes shrink the gradient well.
 */

/** Value and gradient of a function at a point. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: number[];
}

/** What {@link minimize} found. */
export interface Minimum extends Evaluation {
  readonly x: number[];
  /** The Hessian at `x`. */
  readonly hessian: number[][];
  readonly gradientNorm: number;
  /** To first order the distance that is left to the minimizer: ‖H⁻¹g‖. */
  readonly distanceLeft: number;
}

/**
 * Minimizes `f` from `start`; ends when no step descends any further.
 *
 * @throws Error when the end is not a minimum: the gradient is not small or the Hessian not positive definite there.
 */
export async function minimize(
  f: (x: number[]) => Promise<Evaluation>,
  start: readonly number[],
): Promise<Minimum> {
  let x = [...start];
  let at = await f(x);
  let hessian = await hessianAt(f, x);
  let isFresh = true;
  let damping = 0;
  for (let step = 0; step < 400; step++) {
    const before = norm(at.gradient);
    const direction = solveSymmetric(hessian, at.gradient, damping);
    const candidate = direction && x.map((v, i) => v - direction[i]!);
    const next = candidate && (await f(candidate));
    if (candidate && next && descends(at, next)) {
      x = candidate;
      at = next;
      damping = damping < 1e-10 ? 0 : damping / 10;
      const isSlow = norm(at.gradient) > 0.1 * before;
      if (isSlow && !(isFresh && damping === 0)) hessian = await hessianAt(f, x);
      isFresh = isSlow;
      continue;
    }
    if (isFresh && before < 1e-9) break;
    if (isFresh) damping = Math.max(10 * damping, 1e-6 * (1 + trace(hessian)));
    hessian = await hessianAt(f, x);
    isFresh = true;
    if (!(damping < 1e6 * (1 + trace(hessian)))) break;
  }
  hessian = await hessianAt(f, x);
  const left = solveSymmetric(hessian, at.gradient, 0);
  const gradientNorm = norm(at.gradient);
  if (left === undefined || !(gradientNorm < 1e-8)) {
    throw new Error(
      `minimize: no minimum found; the gradient's norm is ${gradientNorm}, the Hessian is ${left ? "" : "not "}positive definite.`,
    );
  }
  return { ...at, x, hessian, gradientNorm, distanceLeft: norm(left) };
}

/** The smallest eigenvalue of a symmetric positive definite matrix, by inverse iteration. */
export function smallestEigenvalue(matrix: number[][]): number {
  let v = matrix.map((_, i) => 1 + 0.1 * Math.sin(i));
  let inverse = 0;
  for (let step = 0; step < 2000; step++) {
    const length = norm(v);
    const next = solveSymmetric(
      matrix,
      v.map((c) => c / length),
      0,
    );
    if (next === undefined) throw new Error("smallestEigenvalue: not positive definite.");
    const previous = inverse;
    inverse = norm(next);
    v = next;
    if (Math.abs(inverse - previous) <= 1e-14 * inverse) break;
  }
  return 1 / inverse;
}

/** The largest eigenvalue of a symmetric positive semidefinite matrix, by power iteration. */
export function largestEigenvalue(matrix: number[][]): number {
  let v = matrix.map((_, i) => 1 + 0.1 * Math.sin(i));
  let value = 0;
  for (let step = 0; step < 1000; step++) {
    const length = norm(v);
    v = matrix.map((row) => row.reduce((sum, a, j) => sum + (a * v[j]!) / length, 0));
    value = norm(v);
  }
  return value;
}

/** Central differences of a gradient, made symmetric. */
export async function hessianAt(
  f: (x: number[]) => Promise<{ gradient: number[] }>,
  x: readonly number[],
): Promise<number[][]> {
  const columns: number[][] = [];
  for (const [i, v] of x.entries()) {
    // Error h²/6 of the third derivative plus rounding 1e-16/h.
    const h = 1e-5 * Math.max(1, Math.abs(v));
    const gradients: number[][] = [];
    for (const sign of [1, -1]) {
      const moved = [...x];
      moved[i] = v + sign * h;
      gradients.push((await f(moved)).gradient);
    }
    columns.push(gradients[0]!.map((g, j) => (g - gradients[1]![j]!) / (2 * h)));
  }
  return columns.map((column, i) => column.map((c, j) => (c + columns[j]![i]!) / 2));
}

export function norm(x: readonly number[]): number {
  return Math.hypot(...x);
}

/** Near the minimum values agree to rounding, and the gradient decides. */
function descends(from: Evaluation, to: Evaluation): boolean {
  const slack = 1e-13 * (1 + Math.abs(from.value));
  if (!(to.value <= from.value + slack)) return false;
  return to.value < from.value - slack || norm(to.gradient) < norm(from.gradient);
}

/** (A + δI)⁻¹ b by Cholesky; undefined when A + δI is not positive definite. */
function solveSymmetric(a: number[][], b: readonly number[], delta: number): number[] | undefined {
  const n = b.length;
  const l = a.map((row) => row.slice());
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i]![j]! + (i === j ? delta : 0);
      for (let k = 0; k < j; k++) sum -= l[i]![k]! * l[j]![k]!;
      if (i > j) l[i]![j] = sum / l[j]![j]!;
      else if (sum > 0) l[i]![i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const x = [...b];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= l[i]![k]! * x[k]!;
    x[i]! /= l[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= l[k]![i]! * x[k]!;
    x[i]! /= l[i]![i]!;
  }
  return x;
}

function trace(matrix: number[][]): number {
  return matrix.reduce((sum, row, i) => sum + Math.abs(row[i]!), 0);
}
