/** Eigenvalues and vectors of symmetric matrices by cyclic Jacobi rotations. */
import type { Builder } from "../builder.ts";
import type { Value } from "../ir.ts";
import { scan, whileLoop } from "../loops.ts";
import { Algebra } from "./algebra.ts";
import type { Expand } from "./expand.ts";

/**
 * Sweeps of rotations over all pairs p < q until every |off-diagonal| ≤ tolerance · max(1, max|A|), at
 * most `maxSweeps`. A [..., n, n], of which only the lower triangle is read; returns the lower triangle
 * of the almost diagonal matrix and the eigenvectors as columns.
 */
export const jacobiEigh: Expand = (builder, [a], params) => {
  const math = new Algebra(builder);
  const { shape } = a!;
  const n = shape[shape.length - 1]!;
  const [rows, columns] = [math.iota(n, 0, 2), math.iota(n, 1, 2)];
  const below = math.compare("less", columns, rows);
  const above = math.compare("less", rows, columns);
  const input = math.batched(a!, 2);
  const zero = math.like(input, 0);
  const mirrored = math.where(above, math.transpose(input, [0, 2, 1]), input);
  const eye = math.where(math.compare("equal", rows, columns), math.like(input, 1), zero);
  const vectors = builder.apply("broadcast", [eye], { shape: input.shape, axis: [] }, [
    { shape: input.shape, dtype: input.dtype },
  ])[0]!;
  if (n < 2) return [a!, builder.reshape(vectors, shape)];

  const largest = math.reduce("Max", math.abs(mirrored), [1, 2]);
  const scale = math.where(
    math.compare("less", largest, math.like(input, 1)),
    math.like(input, 1),
    largest,
  );
  const threshold = math.mul(scale, math.like(input, params["tolerance"] as number));
  /** Which matrices of the batch are not yet diagonal enough. */
  const unfinished = (matrix: Value): Value => {
    const off = math.where(below, math.abs(matrix), zero);
    return math.compare("less", threshold, math.reduce("Max", off, [1, 2]));
  };
  const { carry } = whileLoop(
    builder,
    params["maxSweeps"] as number,
    ([matrix]) => math.reduce("Max", unfinished(matrix!), [0]),
    ([matrix, basis]) => {
      const next = sweep(builder, math, [matrix!, basis!]);
      const active = math.insert(math.insert(unfinished(matrix!), 1), 2);
      return [math.where(active, next[0]!, matrix!), math.where(active, next[1]!, basis!)];
    },
    [mirrored, vectors],
  );
  const [matrix, basis] = carry as [Value, Value];
  return [
    builder.reshape(math.where(above, zero, matrix), shape),
    builder.reshape(math.transpose(basis, [0, 2, 1]), shape),
  ];
};

/** One rotation for each pair p < q, in row order. The basis is kept transposed: rows are vectors. */
function sweep(builder: Builder, math: Algebra, start: readonly Value[]): readonly Value[] {
  const n = start[0]!.shape[1]!;
  const pairs = Array.from({ length: n }, (_, p) =>
    Array.from({ length: n - 1 - p }, (_, i) => [p, p + 1 + i] as const),
  ).flat();
  const first = builder.vector(Int32Array.from(pairs, ([p]) => p));
  const second = builder.vector(Int32Array.from(pairs, ([, q]) => q));
  const body = ([matrix, basis]: readonly Value[], [p, q]: readonly Value[]) => ({
    carry: rotate(math, matrix!, basis!, p!, q!),
    ys: [],
  });
  return scan(builder, { length: pairs.length }, body, start, [first, second]).carry;
}

function rotate(math: Algebra, matrix: Value, basis: Value, p: Value, q: Value): Value[] {
  const n = matrix.shape[1]!;
  const number = (value: number): Value => math.like(matrix, value);
  const [rowP, rowQ] = [math.at(matrix, p, 1), math.at(matrix, q, 1)];
  const entry = (row: Value, at: Value): Value => math.insert(math.at(row, at, 1), 1);
  const [pp, qq, pq] = [entry(rowP, p), entry(rowQ, q), entry(rowP, q)];

  const tau = math.div(math.sub(qq, pp), math.mul(number(2), pq));
  const sign = math.where(math.compare("less_equal", number(0), tau), number(1), number(-1));
  const root = math.sqrt(math.add(math.mul(tau, tau), number(1)));
  const angle = math.div(sign, math.add(math.abs(tau), root));
  const t = math.where(math.compare("equal", pq, number(0)), number(0), angle);
  const c = math.div(number(1), math.sqrt(math.add(math.mul(t, t), number(1))));
  const s = math.mul(t, c);

  const turn = (x: Value, y: Value): [Value, Value] => [
    math.sub(math.mul(c, x), math.mul(s, y)),
    math.add(math.mul(s, x), math.mul(c, y)),
  ];
  const [cc, ss] = [math.mul(c, c), math.mul(s, s)];
  const cross = math.mul(math.mul(math.mul(number(2), s), c), pq);
  const nextPp = math.add(math.sub(math.mul(cc, pp), cross), math.mul(ss, qq));
  const nextQq = math.add(math.add(math.mul(ss, pp), cross), math.mul(cc, qq));

  const columns = math.iota(n, 1, 2);
  const [isP, isQ] = [math.compare("equal", columns, p), math.compare("equal", columns, q)];
  const set = (row: Value, atP: Value, atQ: Value): Value =>
    math.where(isP, atP, math.where(isQ, atQ, row));
  const [turnedP, turnedQ] = turn(rowP, rowQ);
  const newP = set(turnedP, nextPp, number(0));
  const newQ = set(turnedQ, number(0), nextQq);
  const replaceRows = (value: Value, atP: Value, atQ: Value): Value => {
    const [row1, row2] = [math.insert(atP, 1), math.insert(atQ, 1)];
    return math.where(math.insert(isP, 2), row1, math.where(math.insert(isQ, 2), row2, value));
  };
  const replaceColumns = math.where(
    math.insert(isP, 1),
    math.insert(newP, 2),
    math.where(math.insert(isQ, 1), math.insert(newQ, 2), matrix),
  );
  const [basisP, basisQ] = turn(math.at(basis, p, 1), math.at(basis, q, 1));
  return [replaceRows(replaceColumns, newP, newQ), replaceRows(basis, basisP, basisQ)];
}
