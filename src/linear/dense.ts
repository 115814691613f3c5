/** A direct solve with A formed column by column: the oracle for small systems. */
import { callTree, checkOptions, countElements, checkCount } from "../program/internal.ts";
import { lax, numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Value } from "../program/index.ts";
import { code, curvatureTolerance, finish, type Progress } from "./progress.ts";
import {
  checkAtLeastZero,
  damped,
  typeOf,
  type LinearSolver,
  type LinearSystem,
} from "./system.ts";
import { ravel, unitVector, unravel, type Vector } from "./vectors.ts";

/** Options of {@link dense}. */
export interface DenseOptions {
  /** "cholesky" (default) for symmetric positive definite A, of which it reads the lower triangle; "lu" for any. */
  readonly factorization?: "cholesky" | "lu";
  /** δ ≥ 0 added to A's diagonal; it changes the system that is solved. Default 0, off. */
  readonly damping?: number;
  /** The largest n that is accepted, for n² numbers are stored; default 500. */
  readonly maxSize?: number;
}

/**
 * A formed from its products with the n unit vectors, then factorized.
 *
 * A pivot that is not above 1e-12 (float64) or 1e-6 (float32) of the largest ends as `singular` with a solution of NaN: a
 * direct solver has no best iterate. Its curvatures are the pivots, L_ii² or U_ii.
 *
 * Costs n products, n³/3 (Cholesky) or 2n³/3 (LU) operations and n² numbers.
 *
 * @throws RangeError when an option is out of range, or, while the program is built, when n exceeds `maxSize`.
 */
export function dense(options: DenseOptions = {}): LinearSolver {
  checkOptions("dense", options, { factorization: "string", damping: "number", maxSize: "number" });
  const { factorization = "cholesky", damping = 0, maxSize = 500 } = options;
  if (factorization !== "cholesky" && factorization !== "lu") {
    throw new RangeError(
      `dense: factorization must be "cholesky" or "lu"; ${String(factorization)} came.`,
    );
  }
  checkAtLeastZero("dense: damping", damping);
  checkCount("dense: maxSize", maxSize);
  const isSymmetric = factorization === "cholesky";
  return {
    name: `dense-${factorization}`,
    needs: {
      symmetric: isSymmetric,
      positiveDefinite: isSymmetric,
      contraction: false,
      memory: "O(n²)",
    },
    damping,
    cost: (size) => ({ products: size, reportProducts: 1, storedFloats: size * size }),
    solve: (program, system) => {
      const size = countElements(system.rhs);
      if (size > maxSize) {
        throw new RangeError(
          `dense: the system has ${size} unknowns, ${maxSize} are allowed; use an iterative solver such as conjugateGradient, or raise maxSize.`,
        );
      }
      return factorize(program, damped(program, system, damping), isSymmetric);
    },
  };
}

function factorize(
  program: Program,
  system: LinearSystem,
  isSymmetric: boolean,
): ReturnType<LinearSolver["solve"]> {
  const dtype = typeOf("dense", system);
  const size = countElements(system.rhs);
  const columns = productsWithUnits(
    program,
    system,
    Int32Array.from({ length: size }, (_, i) => i),
  );
  const solve = (columns: np.Array, rhs: Vector): { q: Vector; progress: Progress<np.Array> } => {
    const [b, a] = [ravel(rhs).reshape([size, 1]), columns.transpose()];
    const [x, pivots] = isSymmetric ? byCholesky(a, b) : byLu(a, b);
    const onDiagonal = np.equal(
      np.arange(size).reshape([size, 1]),
      np.arange(size).reshape([1, size]),
    );
    const diagonal = np.sum(np.where(onDiagonal, pivots, 0), 1);
    const values = isSymmetric ? np.square(diagonal) : diagonal;
    // A pivot below zero is the root of a negative number to Cholesky, and spreads as NaN.
    const isNumber = np.equal(values, values);
    const sizes = np.abs(np.where(isNumber, values, 0));
    const largest = np.max(sizes);
    const isSingular = np.lessEqual(np.min(sizes), largest.mul(curvatureTolerance(dtype)));
    const q = np.where(isSingular, np.nan, x.reshape([size]));
    return {
      q: unravel(q, rhs),
      progress: {
        smallest: np.min(np.where(isNumber, values, Infinity)),
        largest: np.max(np.where(isNumber, values, -Infinity)),
        scale: largest,
        outcome: np.where(isSingular, code("singular"), code("max-steps")),
      },
    };
  };
  const { q, progress } = program.call(solve as never, columns, system.rhs) as never;
  return finish(program, system, {}, q, size, progress);
}

/** x = L⁻ᵀ L⁻¹ b, and L. */
function byCholesky(a: np.Array, b: np.Array): [np.Array, np.Array] {
  const lower = lax.linalg.cholesky(a);
  const half = lax.linalg.triangularSolve(lower, b, { leftSide: true, lower: true });
  const x = lax.linalg.triangularSolve(lower, half, {
    leftSide: true,
    lower: true,
    transposeA: true,
  });
  return [x, lower];
}

/** x = U⁻¹ L⁻¹ P b, and U in the upper triangle. */
function byLu(a: np.Array, b: np.Array): [np.Array, np.Array] {
  const [factors, , permutation] = lax.linalg.lu(a);
  const half = lax.linalg.triangularSolve(factors, np.take(b, permutation, 0), {
    leftSide: true,
    lower: true,
    unitDiagonal: true,
  });
  return [lax.linalg.triangularSolve(factors, half, { leftSide: true, lower: false }), factors];
}

/** Products of A with unit vectors e_j, raveled: [indices.length, n], one after the other in a loop. */
export function productsWithUnits(
  program: Program,
  system: LinearSystem,
  indices: Int32Array,
): Value {
  const [, rows] = program.scan(
    { length: indices.length },
    (carry: [], j: Value) => {
      const image = system.product(callTree(program, unitVector, system.rhs, j));
      return [carry, program.call(ravel as never, image) as Value];
    },
    [],
    program.constant(tensor(indices)),
  );
  return rows;
}
