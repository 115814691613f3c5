/**
 * Cholesky factors and triangular systems, one column a loop iteration. Each iteration updates the whole
 * remaining matrix by an outer product, so that no iteration depends on its length.
 */
import type { Value } from "../ir.ts";
import { scan } from "../loops.ts";
import { Algebra } from "./algebra.ts";
import type { Expand } from "./expand.ts";

/**
 * A = L Lᵀ with L lower triangular; A, L [..., n, n]; only the lower triangle of A is read.
 *
 * Column j: L_jj = √A_jj, L_ij = A_ij / L_jj for i > j, then A ← A − L_:j L_:jᵀ. A matrix that is not
 * positive definite gives NaN from the first bad column on.
 */
export const cholesky: Expand = (builder, [a]) => {
  const math = new Algebra(builder);
  const { shape } = a!;
  const flat = math.batched(a!, 2);
  const n = shape[shape.length - 1]!;
  const rows = math.iota(n, 1, 2);
  const zero = math.like(a!, 0);
  const body = ([rest]: readonly Value[], _: readonly Value[], j: Value) => {
    // `rest` is transposed: its row j is the column, and contiguous.
    const column = math.at(rest!, j, 1);
    const pivot = math.insert(math.sqrt(math.at(column, j, 1)), 1);
    const below = math.where(math.compare("less", j, rows), math.div(column, pivot), zero);
    const factor = math.where(math.compare("equal", j, rows), pivot, below);
    const outer = math.mul(math.insert(below, 2), math.insert(below, 1));
    return { carry: [math.sub(rest!, outer)], ys: [factor] };
  };
  const { ys } = scan(builder, { length: n }, body, [math.transpose(flat, [0, 2, 1])]);
  return [builder.reshape(math.transpose(ys[0]!, [1, 2, 0]), shape)];
};

/**
 * X with A Xᵀ = Bᵀ for upper triangular A [..., n, n] and B, X [..., m, n].
 *
 * From the last unknown to the first: x_i = r_i / A_ii, then r ← r − A_:i x_i.
 */
export const triangularSolve: Expand = (builder, [a, b], params) => {
  const math = new Algebra(builder);
  const unitDiagonal = params["unitDiagonal"] as boolean;
  // A bare number adapts to the other operand's type.
  const dtype = a!.dtype === b!.dtype ? a!.dtype : "float32";
  const matrix = math.batched(builder.cast(a!, dtype), 2);
  const n = matrix.shape[2]!;
  const onDiagonal = math.compare("equal", math.iota(n, 0, 2), math.iota(n, 1, 2));
  const kept = math.where(onDiagonal, matrix, math.like(matrix, 0));
  const diagonal = math.transpose(math.reduce("Add", kept, [2]), [1, 0]);
  const columns = math.transpose(matrix, [2, 0, 1]);
  const right = math.transpose(math.batched(builder.cast(b!, dtype), 2), [0, 2, 1]);
  const body = ([rest]: readonly Value[], [column, pivot]: readonly Value[], i: Value) => {
    const known = math.at(rest!, i, 1);
    const x = unitDiagonal ? known : math.div(known, math.insert(pivot!, 1));
    const outer = math.mul(math.insert(column!, 2), math.insert(x, 1));
    return { carry: [math.sub(rest!, outer)], ys: [x] };
  };
  const xs = unitDiagonal ? [columns] : [columns, diagonal];
  const { ys } = scan(builder, { length: n, reverse: true }, body, [right], xs);
  return [builder.reshape(math.transpose(ys[0]!, [1, 2, 0]), b!.shape)];
};
