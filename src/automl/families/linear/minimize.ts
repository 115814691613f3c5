/**
 * Limited-memory BFGS for a stack of strictly convex objectives that share no weights: every evaluation is one call for the
 * whole stack, every follower has its own direction, step length and end. In float64, so that a minimum is exact where a
 * penalty is all that keeps it finite.
 */

/** Values [followers] and gradients [followers · size] of the stack at weights [followers · size]. */
export type StackObjective = (
  weights: Float64Array,
) => Promise<{ values: Float64Array; gradients: Float64Array }>;

/** Approximates the inverse Hessian of a follower: what L-BFGS starts from. Returns M·g. */
export type Metric = (follower: number, gradient: Float64Array) => Float64Array;

/** Where the minimization ended. */
export interface StackMinimum {
  /** [followers · size] */
  weights: Float64Array;
  /** [followers] */
  gradientNorms: Float64Array;
  /** Calls of the objective. */
  evaluations: number;
}

interface Pair {
  s: Float64Array;
  y: Float64Array;
  sy: number;
}

interface Follower {
  w: Float64Array;
  value: number;
  gradient: Float64Array;
  pairs: Pair[];
  direction: Float64Array;
  /** Directional derivative, negative. */
  slope: number;
  step: number;
  isDone: boolean;
}

/** Pairs that each follower remembers. */
const memory = 12;

/** Share of the promised decrease that a step must bring (Nocedal and Wright, Numerical Optimization, section 3.1). */
const sufficientDecrease = 1e-4;

/**
 * Minimizes every objective of the stack until its gradient norm is at most its tolerance.
 *
 * Two-loop recursion with H₀ = γM, γ = sᵀy / yᵀMy; step lengths by halving from 1. Where rounding hides the decrease, a step
 * is taken when it makes the slope flatter. The stack ends when all followers have, or after `limit` evaluations.
 *
 * @param start - [followers · size], left as it is.
 * @param options.tolerances - [followers], absolute.
 * @see Nocedal and Wright, Numerical Optimization, algorithm 7.4.
 */
export async function minimizeStack(
  objective: StackObjective,
  start: Float64Array,
  options: { metric: Metric; tolerances: Float64Array; limit: number },
): Promise<StackMinimum> {
  const { metric, tolerances, limit } = options;
  const count = tolerances.length;
  const size = start.length / count;
  const trial = start.slice();
  let { values, gradients } = await objective(trial);
  let evaluations = 1;
  const followers = Array.from({ length: count }, (_, f): Follower => {
    const follower: Follower = {
      w: start.slice(f * size, (f + 1) * size),
      value: values[f]!,
      gradient: gradients.slice(f * size, (f + 1) * size),
      pairs: [],
      direction: new Float64Array(0),
      slope: 0,
      step: 1,
      isDone: false,
    };
    aim(follower, f, metric, tolerances[f]!);
    return follower;
  });
  while (evaluations < limit && followers.some(({ isDone }) => !isDone)) {
    followers.forEach((follower, f) => {
      const { w, direction, step, isDone } = follower;
      for (let j = 0; j < size; j++) {
        trial[f * size + j] = isDone ? w[j]! : w[j]! + step * direction[j]!;
      }
    });
    ({ values, gradients } = await objective(trial));
    evaluations++;
    followers.forEach((follower, f) => {
      if (follower.isDone) return;
      const at = trial.subarray(f * size, (f + 1) * size);
      const gradient = gradients.subarray(f * size, (f + 1) * size);
      if (!isAccepted(follower, values[f]!, gradient)) {
        follower.step /= 2;
        // No length helps any more: this is as far as rounding lets it go.
        if (follower.step < 1e-12) follower.isDone = true;
        return;
      }
      remember(follower, at, gradient);
      follower.value = values[f]!;
      aim(follower, f, metric, tolerances[f]!);
    });
  }
  const weights = new Float64Array(start.length);
  followers.forEach(({ w }, f) => weights.set(w, f * size));
  return {
    weights,
    gradientNorms: Float64Array.from(followers, ({ gradient }) => normOf(gradient)),
    evaluations,
  };
}

function isAccepted(follower: Follower, value: number, gradient: Float64Array): boolean {
  const { step, slope, direction } = follower;
  const change = value - follower.value;
  if (change <= sufficientDecrease * step * slope) return true;
  const isHidden = Math.abs(change) <= 1e-13 * Math.abs(follower.value);
  return isHidden && Math.abs(dot(gradient, direction)) <= 0.9 * Math.abs(slope);
}

/** Moves to the new point and keeps the step with its change of gradient. */
function remember(follower: Follower, at: Float64Array, gradient: Float64Array): void {
  const s = at.map((value, j) => value - follower.w[j]!);
  const y = gradient.map((value, j) => value - follower.gradient[j]!);
  const sy = dot(s, y);
  // Convex, so positive, but for rounding.
  if (sy > 0) follower.pairs.push({ s, y, sy });
  if (follower.pairs.length > memory) follower.pairs.shift();
  follower.w = at.slice();
  follower.gradient = gradient.slice();
}

/** The next direction, −H·g, or the end. */
function aim(follower: Follower, index: number, metric: Metric, tolerance: number): void {
  const { gradient, pairs } = follower;
  if (!(normOf(gradient) > tolerance)) {
    follower.isDone = true;
    return;
  }
  const q = gradient.slice();
  const shares: number[] = [];
  for (const { s, y, sy } of pairs.toReversed()) {
    const share = dot(s, q) / sy;
    shares.push(share);
    add(q, -share, y);
  }
  const r = metric(index, q);
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = last.sy / dot(last.y, metric(index, last.y));
    for (let j = 0; j < r.length; j++) r[j]! *= scale;
  }
  for (const { s, y, sy } of pairs) add(r, shares.pop()! - dot(y, r) / sy, s);
  const slope = -dot(gradient, r);
  if (!(slope < 0)) {
    // Rounding made the pairs useless: begin anew from M alone.
    follower.isDone = pairs.length === 0;
    follower.pairs = [];
    if (!follower.isDone) aim(follower, index, metric, tolerance);
    return;
  }
  follower.direction = r.map((value) => -value);
  follower.slope = slope;
  follower.step = 1;
}

/** Euclidean norm. */
export function normOf(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a ← a + factor·b */
function add(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}
