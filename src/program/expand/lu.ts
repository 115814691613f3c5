/** LU factors with partial pivoting, one column a loop iteration. Rows stay where they are until the end. */
import type { Value } from "../ir.ts";
import { scan } from "../loops.ts";
import { zeros } from "../tensors/tensor.ts";
import { Algebra } from "./algebra.ts";
import type { Expand } from "./expand.ts";

/**
 * P A = L U for A [..., m, n]: the factors in one array (unit diagonal of L implied), the row swaps
 * [..., min(m, n)] and the permutation [..., m] with A[permutation] = L U.
 *
 * Column j: among the rows at positions ≥ j, the first with the largest |A_pj| swaps with the one at
 * position j; A_ij ← A_ij / A_jj and A_ik ← A_ik − A_ij A_jk for the others and k > j. A zero pivot
 * leaves its column as it is. Each iteration stacks a column of L and a row of U, so that it need not
 * preserve what is finished, and nothing is moved in memory: `order` and `place` say who is where.
 */
export const lu: Expand = (builder, [a]) => {
  const math = new Algebra(builder);
  const { shape } = a!;
  const [m, n] = shape.slice(-2) as [number, number];
  const matrix = math.batched(a!, 2);
  const batch = matrix.shape[0]!;
  const steps = Math.min(m, n);
  const rows = math.iota(m, 1, 2);
  const columns = math.iota(n, 1, 2);
  const zero = math.like(a!, 0);
  const identity = builder.apply("broadcast", [rows], { shape: [batch, m], axis: [] }, [
    { shape: [batch, m], dtype: "int32" },
  ])[0]!;
  const lead = shape.slice(0, -2);
  if (steps === 0 || batch === 0) {
    const pivots = builder.constant(zeros([...lead, steps], "int32"));
    return [a!, pivots, builder.reshape(identity, [...lead, m])];
  }

  const body = ([rest, order, place]: readonly Value[], _: readonly Value[], j: Value) => {
    const column = math.at(rest!, j, 2);
    const pivot = pivotPosition(math, column, place!, j);
    const at = math.insert(pivot, 1);
    const inRow = math.insert(math.at(order!, j, 1), 1);
    const pivotRow = math.atEach(order!, pivot);
    const outRow = math.insert(pivotRow, 1);
    const is = (value: Value): Value => math.compare("equal", rows, value);
    const nextOrder = math.where(is(j), outRow, math.where(is(at), inRow, order!));
    const nextPlace = math.where(is(outRow), j, math.where(is(inRow), at, place!));

    const row = math.atEach(rest!, pivotRow);
    const diagonal = math.insert(math.at(row, j, 1), 1);
    const regular = math.compare("not_equal", diagonal, zero);
    const quotient = math.div(column, diagonal);
    const right = math.and(math.compare("less", j, columns), regular);
    const outer = math.mul(
      math.insert(math.where(regular, quotient, zero), 2),
      math.insert(math.where(right, row, zero), 1),
    );
    const factors = math.where(regular, quotient, column);
    return {
      carry: [math.sub(rest!, outer), nextOrder, nextPlace],
      ys: [factors, row, pivot],
    };
  };
  const { carry, ys } = scan(builder, { length: steps }, body, [matrix, identity, identity]);
  const [factors, upper, pivots] = ys as [Value, Value, Value];
  const order = carry[1]!;
  const lower = math.rowsOfEach(math.transpose(factors, [1, 2, 0]), order);
  const strictlyLower = math.compare("less", math.iota(n, 1, 2), math.iota(m, 0, 2));
  const joined = math.where(
    strictlyLower,
    math.pad(lower, 2, n - steps),
    math.pad(math.transpose(upper, [1, 0, 2]), 1, m - steps),
  );
  return [
    builder.reshape(joined, shape),
    builder.reshape(math.transpose(pivots, [1, 0]), [...lead, steps]),
    builder.reshape(order, [...lead, m]),
  ];
};

/**
 * The first position ≥ j whose row has the largest |column|, [batch]; NaN is never larger, and stays if
 * it is at position j.
 */
function pivotPosition(math: Algebra, column: Value, place: Value, j: Value): Value {
  const size = math.abs(column);
  const isNumber = math.compare("equal", size, size);
  const excluded = math.like(size, -1);
  const first = math.compare("equal", place, j);
  const nanRank = math.where(first, math.like(size, Infinity), excluded);
  const rank = math.where(
    math.compare("less", place, j),
    excluded,
    math.where(isNumber, size, nanRank),
  );
  const largest = math.insert(math.reduce("Max", rank, [1]), 1);
  const beyond = math.like(place, column.shape[1]!);
  return math.reduce("Min", math.where(math.compare("equal", rank, largest), place, beyond), [1]);
}
