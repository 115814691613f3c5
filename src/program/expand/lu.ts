/** LU factors with partial pivoting, one column a loop iteration. */
import type { Value } from "../ir.ts";
import { scan } from "../loops.ts";
import { Algebra } from "./algebra.ts";
import type { Expand } from "./index.ts";

/**
 * P A = L U for A [..., m, n]: the factors in one array (unit diagonal of L implied), the row swaps
 * [..., min(m, n)] and the permutation [..., m] with A[permutation] = L U.
 *
 * Column j: the first row p ≥ j with the largest |A_pj| swaps with row j; A_ij ← A_ij / A_jj and
 * A_ik ← A_ik − A_ij A_jk for i, k > j. A zero pivot leaves its column as it is.
 */
export const lu: Expand = (builder, [a]) => {
  const math = new Algebra(builder);
  const { shape } = a!;
  const [m, n] = shape.slice(-2) as [number, number];
  const matrix = math.batched(a!, 2);
  const batch = matrix.shape[0]!;
  const steps = Math.min(m, n);
  const rows = math.iota(m, 1, 2);
  const identity = builder.apply("broadcast", [rows], { shape: [batch, m], axis: [] }, [
    { shape: [batch, m], dtype: "int32" },
  ])[0]!;

  const body = ([work, order]: readonly Value[], _: readonly Value[], j: Value) => {
    const pivot = pivotRow(math, math.at(work!, j, 2), rows, j);
    const swap = {
      j,
      pivot,
      atJ: math.compare("equal", rows, j),
      atPivot: math.compare("equal", rows, math.insert(pivot, 1)),
    };
    const swapped = swapRows(math, work!, swap);
    const next = eliminate(math, swapped, j);
    return { carry: [next, swapRows(math, order!, swap)], ys: [pivot] };
  };
  const { carry, ys } = scan(builder, { length: steps }, body, [matrix, identity]);
  const lead = shape.slice(0, -2);
  return [
    builder.reshape(carry[0]!, shape),
    builder.reshape(math.transpose(ys[0]!, [1, 0]), [...lead, steps]),
    builder.reshape(carry[1]!, [...lead, m]),
  ];
};

/** The first row ≥ j with the largest |column|, [batch]; NaN is never larger, and stays if on the diagonal. */
function pivotRow(math: Algebra, column: Value, rows: Value, j: Value): Value {
  const size = math.abs(column);
  const isNumber = math.compare("equal", size, size);
  const excluded = math.like(size, -1);
  const onDiagonal = math.compare("equal", rows, j);
  const nanRank = math.where(onDiagonal, math.like(size, Infinity), excluded);
  const rank = math.where(
    math.compare("less", rows, j),
    excluded,
    math.where(isNumber, size, nanRank),
  );
  const largest = math.insert(math.reduce("Max", rank, [1]), 1);
  const beyond = math.like(rows, column.shape[1]!);
  return math.reduce("Min", math.where(math.compare("equal", rank, largest), rows, beyond), [1]);
}

interface Swap {
  readonly j: Value;
  readonly pivot: Value;
  readonly atJ: Value;
  readonly atPivot: Value;
}

/** Exchanges entries j and pivot[b] along axis 1 of [batch, m] or [batch, m, n]. */
function swapRows(math: Algebra, value: Value, { j, pivot, atJ, atPivot }: Swap): Value {
  const deep = value.shape.length === 3;
  const mask = (rows: Value): Value => (deep ? math.insert(rows, 2) : rows);
  const rowJ = math.insert(math.at(value, j, 1), 1);
  const rowPivot = math.insert(math.atEach(value, pivot), 1);
  return math.where(mask(atJ), rowPivot, math.where(mask(atPivot), rowJ, value));
}

function eliminate(math: Algebra, work: Value, j: Value): Value {
  const [, m, n] = work.shape as [number, number, number];
  const row = math.at(work, j, 1);
  const column = math.at(work, j, 2);
  const diagonal = math.insert(math.at(row, j, 1), 1);
  const below = math.and(
    math.compare("less", j, math.iota(m, 1, 2)),
    math.compare("not_equal", diagonal, math.like(diagonal, 0)),
  );
  const factors = math.insert(math.where(below, math.div(column, diagonal), column), 2);
  const columns = math.iota(n, 2, 3);
  const reduced = math.sub(work, math.mul(factors, math.insert(row, 1)));
  const right = math.where(math.compare("less", j, columns), reduced, work);
  const all = math.where(math.compare("equal", j, columns), factors, right);
  return math.where(math.insert(below, 2), all, work);
}
