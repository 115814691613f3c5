/** Nyström's low-rank approximation of a positive semidefinite A, inverted by Woodbury's identity. */
import { checkOptions, countElements, checkCount } from "../program/internal.ts";
import { lax, numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../program/index.ts";
import { productsWithUnits } from "./dense.ts";
import {
  code,
  curvatureTolerance,
  finish,
  observe,
  type Progress,
  type Tolerances,
} from "./progress.ts";
import {
  checkAtLeastZero,
  damped,
  typeOf,
  type LinearSolution,
  type LinearSolver,
  type LinearSystem,
} from "./system.ts";
import { dot, epsilonOf, norm, ravel, unravel, type Vector } from "./vectors.ts";

/** Options of {@link nystrom}. */
export interface NystromOptions {
  /** k ≥ 1, columns of A; default 10, all when there are fewer unknowns. */
  readonly rank?: number;
  /** ρ > 0 added to A's diagonal, on the scale of A's curvatures; default 1e-2. */
  readonly rho?: number;
  /** Seed of the coordinates, a whole number; the first k of one seed are the same for every rank. Default 0. */
  readonly seed?: number;
  /** The system counts as solved at ‖b − (A + ρI)·q‖ ≤ rtol·‖b‖; only the report asks. Default as for the iterations. */
  readonly rtol?: number;
}

/**
 * q = (A_k + ρI)⁻¹ b, where A_k = CᵀM⁻¹C is spanned by k randomly chosen rows C of A, and M = C at their columns.
 *
 *     q = b/ρ − Cᵀ (M + CCᵀ/ρ)⁻¹ Cb / ρ²
 *
 * A must be positive semidefinite. Exact for A + ρI when the rows span A, so with k = n or when A has rank k and the
 * coordinates are lucky; otherwise the reported residual says how far it is. An M that is not positive semidefinite proves
 * that A is not, and ends as `negative-curvature`.
 *
 * The damping hides a singular A: a part b₀ of b without curvature becomes b₀/ρ in q. It is found in
 *
 *     s = (ρ(A_k + ρI)⁻¹)⁶ q
 *
 * which keeps b₀/ρ, and at most 2⁻⁶ of q along curvatures of ρ and more. A solved system with ‖s‖ > 2⁻⁶‖q‖ and
 * sᵀAs < ρ‖s‖² ends as `overdamped`, or as `singular` where that curvature is zero; neither happens when all curvatures of A
 * are ρ or more. The curvatures met are those of A + ρI along the chosen coordinates and s.
 *
 * Costs k products, one factorization of order k and k·n numbers; no iteration. The report takes two products more.
 *
 * @throws RangeError when an option is out of range.
 * @see Hataya, Yamada, "Nyström method for accurate and scalable implicit differentiation", AISTATS 2023.
 */
export function nystrom(options: NystromOptions = {}): LinearSolver {
  checkOptions("nystrom", options, {
    rank: "number",
    rho: "number",
    seed: "number",
    rtol: "number",
  });
  const { rank = 10, rho = 1e-2, seed = 0, rtol } = options;
  checkCount("nystrom: rank", rank);
  if (!(Number.isFinite(rho) && rho > 0)) {
    throw new RangeError(
      `nystrom: rho must be a number > 0; ${String(rho)} came; without it the low-rank matrix has no inverse.`,
    );
  }
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`nystrom: seed must be a whole number; ${String(seed)} came.`);
  }
  checkAtLeastZero("nystrom: rtol", rtol ?? 0);
  return {
    name: "nystrom",
    needs: { symmetric: true, positiveDefinite: true, contraction: false, memory: "O(k·n)" },
    damping: rho,
    cost: (size) => {
      const k = Math.min(rank, size);
      return { products: k, reportProducts: 2, storedFloats: k * size };
    },
    solve: (program, system) => {
      const size = countElements(system.rhs);
      const chosen = chooseCoordinates(size, Math.min(rank, size), seed);
      return invert(program, system, chosen, rho, { rtol });
    },
  };
}

function invert(
  program: Program,
  system: LinearSystem,
  chosen: Int32Array,
  rho: number,
  tolerances: Tolerances,
): LinearSolution {
  const dtype = typeOf("nystrom", system);
  const shifted = damped(program, system, rho);
  const k = chosen.length;
  const rows = productsWithUnits(program, system, chosen);
  const solve = (c: np.Array, rhs: Vector, chosen: np.Array): Solved<np.Array> => {
    const b = ravel(rhs);
    const raw = np.take(c, chosen, 1);
    const m = raw.add(raw.transpose()).mul(0.5);
    const onDiagonal = np.equal(np.arange(k).reshape([k, 1]), np.arange(k).reshape([1, k]));
    const w = m.add(np.matmul(c, c.transpose()).div(rho));
    // Rows that depend on others, or vanish, make W semidefinite; their part of Cb vanishes with them.
    const trace = np.sum(np.where(onDiagonal, w, 0));
    const jitter = np.where(np.equal(trace, 0), 1, trace.mul(4 * epsilonOf(dtype)));
    const lower = lax.linalg.cholesky(w.add(np.where(onDiagonal, jitter, 0)));
    // W⁻¹ [Cb, I]
    const unit = np.where(onDiagonal, 1, np.zerosLike(m));
    const columns = np.concatenate([np.matmul(c, b.reshape([-1, 1])), unit], 1);
    const half = lax.linalg.triangularSolve(lower, columns, { leftSide: true, lower: true });
    const inner = lax.linalg.triangularSolve(lower, half, {
      leftSide: true,
      lower: true,
      transposeA: true,
    });
    const lift = (x: np.Array): np.Array => np.matmul(c.transpose(), x).reshape([-1]);
    const q = b.div(rho).sub(lift(inner.slice([], [0, 1])).div(rho * rho));
    const inverse = inner.slice([], [1, k + 1]);
    // ρ(A_k + ρI)⁻¹ x
    const filter = (x: np.Array): np.Array =>
      x.sub(lift(np.matmul(inverse, np.matmul(c, x.reshape([-1, 1])))).div(rho));
    const diagonal = np.sum(np.where(onDiagonal, m, 0), 1);
    const traceOfM = np.sum(diagonal);
    const shift = np.maximum(np.abs(traceOfM).mul(curvatureTolerance(dtype)), jitter);
    const sum = np.sum(lax.linalg.cholesky(m.add(np.where(onDiagonal, shift, 0))));
    // Cholesky's answer to an indefinite matrix is NaN, which differs from itself.
    const isSemidefinite = np.equal(sum, sum);
    return {
      q: unravel(q, rhs),
      flat: unravel(
        Array.from({ length: FILTERS }).reduce<np.Array>((x) => filter(x), q),
        rhs,
      ),
      progress: {
        smallest: np.min(diagonal).add(rho),
        largest: np.max(diagonal).add(rho),
        scale: np.max(np.abs(diagonal)).add(rho),
        outcome: np.where(isSemidefinite, code("max-steps"), code("negative-curvature")),
      },
    };
  };
  const indices = program.constant(tensor(chosen));
  const { q, flat, progress } = program.call(
    solve as never,
    rows,
    system.rhs,
    indices,
  ) as unknown as Solved<Value>;
  const [seen, along] = program.call(
    meet as never,
    progress as unknown as Tree<Value>,
    flat,
    shifted.product(flat),
  ) as unknown as [Progress<Value>, Value];
  const { solution, report } = finish(program, shifted, tolerances, q, k, seen);
  const judge = (
    outcome: np.Array,
    curvature: np.Array,
    scale: np.Array,
    q: Vector,
    flat: Vector,
  ): np.Array => {
    const isFlat = np.logicalAnd(
      np.less(norm(q), norm(flat).mul(2 ** FILTERS)),
      np.less(curvature, 2 * rho),
    );
    const isZero = np.lessEqual(curvature.sub(rho), scale.mul(curvatureTolerance(dtype)));
    const hidden = np.where(isZero, code("singular"), code("overdamped"));
    return np.where(np.logicalAnd(np.equal(outcome, code("converged")), isFlat), hidden, outcome);
  };
  const outcome = program.call(judge as never, report.outcome, along, seen.scale, q, flat) as Value;
  return { solution, report: { ...report, outcome } };
}

/** How often s is filtered. */
const FILTERS = 6;

interface Solved<T> {
  readonly q: Tree<T>;
  /** s */
  readonly flat: Tree<T>;
  readonly progress: Progress<T>;
}

/** Takes the curvature along s into account, and returns it; the largest one met where s vanishes. A jax-js function. */
function meet(
  progress: Progress<np.Array>,
  s: Vector,
  image: Vector,
): [Progress<np.Array>, np.Array] {
  const squared = dot(s, s);
  const isSome = np.greater(squared, 0);
  const curvature = np.where(
    isSome,
    dot(s, image).div(np.where(isSome, squared, 1)),
    progress.largest,
  );
  return [observe(progress, curvature, np.abs(curvature)), curvature];
}

/** The first `count` places of a random permutation of 0..size−1 (Fisher–Yates), the same for every larger count. */
export function chooseCoordinates(size: number, count: number, seed: number): Int32Array {
  const moved = new Map<number, number>();
  const random = mulberry32(seed);
  return Int32Array.from({ length: count }, (_, i) => {
    const j = i + Math.floor(random() * (size - i));
    const picked = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return picked;
  });
}

/** Uniform numbers in [0, 1) from a 32-bit state. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
