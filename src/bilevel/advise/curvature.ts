/**
 * The extreme curvatures of the inner objective at a point, by Lanczos' method: from k products with ∇²_ww L a
 * tridiagonal matrix whose extreme eigenvalues are those of the Hessian, sooner than its others.
 */
import { numpy as np } from "@jax-js/jax";
import {
  hvp,
  Program,
  type SessionOptions,
  type Tensor,
  type Tree,
  type Value,
} from "../../program/index.ts";
import { ravel, unevenVector, unravel } from "../../linear/internal.ts";
import { callTree, countElements } from "../../program/internal.ts";
import { prepareData } from "../estimate/prepare.ts";
import type { Arrays, Problem } from "../problem.ts";

/** Extreme curvatures of the inner objective. */
export interface Curvature {
  /** Least eigenvalue found: never below λ_min, and equal to it when `isExhausted`. */
  readonly smallest: number;
  /** Largest eigenvalue found: never above λ_max. */
  readonly largest: number;
  /** Whether the products span all that the starting vector reaches, so that both are exact up to rounding. */
  readonly isExhausted: boolean;
}

/** Measures curvatures at any weights of the same shapes. */
export interface CurvatureMeter {
  /** Products with the Hessian in one measurement. */
  readonly products: number;
  /** At weights w, with the data given at first or with others. */
  at(w: Tree<Tensor>, inner?: Tree<Tensor>): Promise<Curvature>;
  dispose(): Promise<void>;
}

/** Compiles a measurement with at most `products` products. */
export async function curvatureMeter(
  problem: Problem,
  point: {
    readonly lambda: Tree<Tensor>;
    readonly w: Tree<Tensor>;
    readonly inner: Tree<Tensor>;
  },
  { products, ...session }: SessionOptions & { readonly products: number },
): Promise<CurvatureMeter> {
  const size = countElements(point.w);
  const steps = Math.min(products, size);
  const program = new Program("curvature of the inner objective");
  const declare = (name: "lambda" | "w" | "inner"): Tree<Value> =>
    program.input(name, point[name] as never);
  const [lambda, w, raw] = [declare("lambda"), declare("w"), declare("inner")];
  const { data } = prepareData(program, problem, lambda, raw);
  const begin = (w: Arrays): { v: np.Array; basis: np.Array } => {
    const uneven = ravel(unevenVector(w));
    const v = uneven.div(np.sqrt(np.sum(np.square(uneven))));
    return { v, basis: np.zeros([steps, size], { dtype: v.dtype }) };
  };
  const step = (
    { v, basis }: { v: np.Array; basis: np.Array },
    w: Arrays,
    lambda: Arrays,
    data: Arrays,
    i: np.Array,
  ): Arrays => {
    const product = ravel(hvp((w: Arrays) => problem.inner(w, lambda, data), w, unravel(v, w)));
    const isHere = np.equal(np.arange(steps), i).reshape([steps, 1]);
    const next = np.where(isHere, v.reshape([1, size]), basis);
    // Twice is enough to keep the basis orthogonal to rounding.
    const apart = (x: np.Array): np.Array => x.sub(np.matmul(next.transpose(), np.matmul(next, x)));
    const rest = apart(apart(product));
    const beta = np.sqrt(np.sum(np.square(rest)));
    const isZero = np.equal(beta, 0);
    return {
      carry: { v: np.where(isZero, 0, rest.div(np.where(isZero, 1, beta))), basis: next },
      seen: { alpha: np.sum(v.mul(product)), beta },
    };
  };
  const [, seen] = program.scan(
    { length: steps },
    (carry: Tree<Value>, _x: Tree<Value>, i) => {
      const next = callTree(program, step, carry, w, lambda, data, i) as unknown as {
        carry: Tree<Value>;
        seen: Tree<Value>;
      };
      return [next.carry, next.seen];
    },
    callTree(program, begin, w),
    [],
  );
  program.output("seen", seen);
  const executable = await program.compile(session);
  return {
    products: steps,
    at: async (w, inner = point.inner) => {
      const result = await executable.run({ lambda: point.lambda, inner, w });
      const { alpha, beta } = result.seen as unknown as { alpha: Tensor; beta: Tensor };
      return readCurvature([...alpha.data], [...beta.data], flatness(alpha), steps === size);
    },
    dispose: () => executable.dispose(),
  };
}

/** What counts as zero curvature beside the largest: 1e-8 in float64, 1e-5 else. */
export function flatness({ dtype }: { readonly dtype: string }): number {
  return dtype === "float64" ? 1e-8 : 1e-5;
}

/** The extreme eigenvalues of the tridiagonal matrix with diagonal α and off-diagonal β, up to its first negligible β. */
export function readCurvature(
  alpha: readonly number[],
  beta: readonly number[],
  flat: number,
  isWhole: boolean,
): Curvature {
  if (![...alpha, ...beta].every(Number.isFinite)) {
    return { smallest: NaN, largest: NaN, isExhausted: false };
  }
  let scale = 0;
  let end = alpha.length;
  for (const [i, a] of alpha.entries()) {
    scale = Math.max(scale, Math.abs(a), beta[i]!);
    if (beta[i]! > flat * scale) continue;
    end = i + 1;
    break;
  }
  const diagonal = alpha.slice(0, end);
  const off = beta.slice(0, end - 1);
  const isExhausted = isWhole || beta[end - 1]! <= flat * scale;
  return {
    smallest: eigenvalue(diagonal, off, 1),
    largest: eigenvalue(diagonal, off, diagonal.length),
    isExhausted,
  };
}

/** The k-th least eigenvalue of a symmetric tridiagonal matrix, by bisection on Sturm's count. */
function eigenvalue(diagonal: readonly number[], off: readonly number[], k: number): number {
  // Gershgorin's discs hold all of them.
  const radius = diagonal.map((_, i) => Math.abs(off[i - 1] ?? 0) + Math.abs(off[i] ?? 0));
  let low = Math.min(...diagonal.map((d, i) => d - radius[i]!));
  let high = Math.max(...diagonal.map((d, i) => d + radius[i]!));
  for (let i = 0; i < 200 && low < high; i++) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) break;
    if (countBelow(diagonal, off, middle) >= k) high = middle;
    else low = middle;
  }
  return low + (high - low) / 2;
}

/** How many eigenvalues are below x: the negative pivots of T − x·I. */
function countBelow(diagonal: readonly number[], off: readonly number[], x: number): number {
  let count = 0;
  let pivot = 1;
  for (const [i, d] of diagonal.entries()) {
    const coupling = i === 0 ? 0 : off[i - 1]! ** 2;
    pivot = d - x - coupling / pivot;
    if (pivot === 0) pivot = Number.MIN_VALUE ** 0.5;
    if (pivot < 0) count += 1;
  }
  return count;
}
