/**
 * Sums of products as matrix products.
 *
 * jax-js writes every product as `dot`, sum(x·y) over the last axis of operands that broadcast against
 * each other. Taken literally that materializes both broadcasts. Instead each operand is walked back,
 * through transposes, broadcasts and unit reshapes, to the array it is a view of; every axis of the
 * product is then a batch axis (in both), a row (only in x), a column (only in y) or summed, and one
 * MatMul or Gemm with transpose flags does the work.
 */
import { broadcastShapes, type Value } from "../ir.ts";
import { sizeOf, type Shape } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";
import { type View, viewOf } from "./view.ts";

export const dot: Lower = (context, { inputs: [x, y], outputs: [output] }) => [
  contract(context, x!, y!, [output!.shape.length], output!),
];

/** Whether summing x·y over `axes` is better done as a matrix product than element by element. */
export function isProfitable(
  context: OperationContext,
  x: Value,
  y: Value,
  shape: Shape,
  axes: readonly number[],
): boolean {
  const roles = rolesOf(
    viewOf(context, x, shape.length),
    viewOf(context, y, shape.length),
    shape,
    axes,
  );
  if (roles.summedOnce.length > 0 || roles.summed.length === 0) return false;
  return roles.batch.length === 0 || (roles.rows.length > 0 && roles.columns.length > 0);
}

/**
 * Σ over `axes` of x·y, both broadcast to a common shape; the result has that shape without `axes`.
 */
export function contract(
  context: OperationContext,
  x: Value,
  y: Value,
  axes: readonly number[],
  output: Value,
): string {
  const rank = output.shape.length + axes.length;
  const xView = viewOf(context, x, rank);
  const yView = viewOf(context, y, rank);
  const shape = broadcastShapes(x.shape, y.shape);
  const empty = [x, y].some((v) => v.shape.includes(0)) || output.shape.includes(0);
  const roles = rolesOf(xView, yView, shape, axes);
  const floating = output.dtype === "float32" || output.dtype === "float64";
  if (
    empty ||
    roles.summedOnce.length > 0 ||
    roles.summed.length === 0 ||
    (roles.rows.length + roles.columns.length === 0 && roles.batch.length > 0)
  ) {
    return elementwiseSum(context, x, y, axes, output);
  }

  // Rows before columns in the result: swap the operands rather than transpose what they make.
  const swap =
    roles.columns.length > 0 && roles.rows.length > 0 && roles.columns[0]! < roles.rows[0]!;
  const left = operand(
    context,
    swap ? yView : xView,
    roles.batch,
    swap ? roles.columns : roles.rows,
    roles.summed,
    floating,
  );
  const right = operand(
    context,
    swap ? xView : yView,
    roles.batch,
    swap ? roles.rows : roles.columns,
    roles.summed,
    floating,
  );
  const rows = swap ? roles.columns : roles.rows;
  const columns = swap ? roles.rows : roles.columns;

  let name = multiply(context, left, right, roles.batch.length > 0, floating, output);
  // `name` now has axes [batch, rows, columns], each group flattened to at most one axis.
  const order = [...roles.batch, ...rows, ...columns];
  const grouped = [roles.batch, rows, columns].some((group) => group.length > 1);
  const lengths = order.map((axis) => shape[axis]!);
  const kept = axesOf(rank).filter((axis) => !axes.includes(axis));
  const wanted = kept.filter((axis) => order.includes(axis));
  if (grouped) name = context.reshape(name, lengths);
  name = context.transpose(
    name,
    wanted.map((axis) => order.indexOf(axis)),
  );
  const repeats = roles.repeated.reduce((n, axis) => n * shape[axis]!, 1);
  if (repeats !== 1) name = context.node("Mul", [name, context.scalar(repeats, output.dtype)]);
  if (kept.length === wanted.length) return name;
  const unit = kept.map((axis) => (order.includes(axis) ? shape[axis]! : 1));
  name = context.reshape(name, unit);
  return sizeOf(unit) === sizeOf(output.shape) ? name : context.expand(name, output.shape);
}

interface Roles {
  readonly batch: number[];
  readonly rows: number[];
  readonly columns: number[];
  readonly summed: number[];
  /** Summed axes that only one operand has. */
  readonly summedOnce: number[];
  /** Summed axes that neither operand has: the sum repeats the same product. */
  readonly repeated: number[];
}

function rolesOf(x: View, y: View, shape: Shape, axes: readonly number[]): Roles {
  const roles: Roles = {
    batch: [],
    rows: [],
    columns: [],
    summed: [],
    summedOnce: [],
    repeated: [],
  };
  for (const axis of axesOf(shape.length)) {
    const inX = x.axes[axis] !== undefined;
    const inY = y.axes[axis] !== undefined;
    if (axes.includes(axis)) {
      if (inX && inY) roles.summed.push(axis);
      else if (inX || inY) roles.summedOnce.push(axis);
      else roles.repeated.push(axis);
    } else if (inX && inY) roles.batch.push(axis);
    else if (inX) roles.rows.push(axis);
    else if (inY) roles.columns.push(axis);
  }
  return roles;
}

interface Operand {
  readonly name: string;
  /** The free axes of this operand flattened: 0 or 1 axis. */
  readonly free: boolean;
  readonly batched: boolean;
  /** Whether the summed axis comes before the free one in memory. */
  readonly summedFirst: boolean;
  /** Length of the summed axis. */
  readonly length: number;
}

/** From this length on, two vectors are multiplied by Gemm: MatMul takes up to fourteen times as long. */
const longVector = 1024;

/** Brings an operand to [batch, free, summed] or [batch, summed, free], whichever is already there. */
function operand(
  context: OperationContext,
  view: View,
  batch: readonly number[],
  free: readonly number[],
  summed: readonly number[],
  canFlag: boolean,
): Operand {
  const used = (group: readonly number[]): number[] => group.map((axis) => view.axes[axis]!);
  const shape = view.root.shape;
  const natural = [...used(batch), ...used(free), ...used(summed)];
  const flagged = [...used(batch), ...used(summed), ...used(free)];
  const present = shape.map((_, axis) => axis).filter((axis) => natural.includes(axis));
  const matches = (order: readonly number[]): boolean =>
    order.every((axis, i) => axis === present[i]);
  const summedFirst = canFlag && free.length > 0 && !matches(natural) && matches(flagged);
  const order = summedFirst ? flagged : natural;

  let name = context.name(view.root);
  if (present.length !== shape.length)
    name = context.reshape(
      name,
      present.map((axis) => shape[axis]!),
    );
  name = context.transpose(
    name,
    order.map((axis) => present.indexOf(axis)),
  );
  const groups = (summedFirst ? [batch, summed, free] : [batch, free, summed]).filter(
    (group) => group.length > 0,
  );
  if (groups.some((group) => group.length > 1)) {
    const flat = groups.map((group) => sizeOf(used(group).map((axis) => shape[axis]!)));
    name = context.reshape(name, flat);
  }
  const length = sizeOf(used(summed).map((axis) => shape[axis]!));
  return { name, free: free.length > 0, batched: batch.length > 0, summedFirst, length };
}

function multiply(
  context: OperationContext,
  left: Operand,
  right: Operand,
  batched: boolean,
  floating: boolean,
  output: Value,
): string {
  const matmul = (a: string, b: string): string => typedMatMul(context, a, b, output);
  if (!batched) {
    // A vector on the left is a row. On the right it must become a column: the runtime multiplies a
    // matrix by a one-axis vector ten times slower than by a matrix of one column.
    const timesVector = (matrix: string, vector: string): string => {
      const column = context.node("Unsqueeze", [vector, context.ints([1])]);
      return context.node("Squeeze", [matmul(matrix, column), context.ints([1])]);
    };
    if (!left.free && !right.free) {
      const { length } = left;
      if (!floating || length < longVector) return matmul(left.name, right.name);
      const rows = [left, right].map(({ name }) => context.reshape(name, [1, length]));
      return context.reshape(context.node("Gemm", rows, { transB: { int: 1 } }), []);
    }
    if (!right.free) {
      return left.summedFirst ? matmul(right.name, left.name) : timesVector(left.name, right.name);
    }
    if (!left.free) {
      return right.summedFirst ? matmul(left.name, right.name) : timesVector(right.name, left.name);
    }
    if (floating && (left.summedFirst || !right.summedFirst)) {
      return context.node("Gemm", [left.name, right.name], {
        ...(left.summedFirst && { transA: { int: 1 } }),
        ...(!right.summedFirst && { transB: { int: 1 } }),
      });
    }
    return matmul(
      left.name,
      right.summedFirst ? right.name : context.transpose(right.name, [1, 0]),
    );
  }
  const swapLast = [0, 2, 1];
  const a = !left.free
    ? context.node("Unsqueeze", [left.name, context.ints([1])])
    : left.summedFirst
      ? context.transpose(left.name, swapLast)
      : left.name;
  const b = !right.free
    ? context.node("Unsqueeze", [right.name, context.ints([2])])
    : right.summedFirst
      ? right.name
      : context.transpose(right.name, swapLast);
  const product = matmul(a, b);
  const unit = [...(left.free ? [] : [1]), ...(right.free ? [] : [2])];
  return unit.length === 0 ? product : context.node("Squeeze", [product, context.ints(unit)]);
}

/** MatMul in a type that has a kernel for it. */
function typedMatMul(context: OperationContext, a: string, b: string, { dtype }: Value): string {
  if (dtype === "bool") {
    const product = context.node("MatMul", [context.cast(a, "int32"), context.cast(b, "int32")]);
    return context.cast(product, "bool");
  }
  if (dtype === "float16") {
    const product = context.node("MatMul", [
      context.cast(a, "float32"),
      context.cast(b, "float32"),
    ]);
    return context.cast(product, "float16");
  }
  return context.node("MatMul", [a, b]);
}

function elementwiseSum(
  context: OperationContext,
  x: Value,
  y: Value,
  axes: readonly number[],
  { dtype }: Value,
): string {
  const operands = [context.name(x), context.name(y)];
  if (dtype === "bool") {
    const both = context.cast(context.node("And", operands), "int32");
    // A count, not a maximum: over an empty axis it is 0.
    return context.cast(context.reduce("ReduceSum", both, axes), "bool");
  }
  const product = context.node("Mul", operands);
  if (dtype !== "uint32") return context.reduce("ReduceSum", product, axes);
  const wide = context.node("Cast", [product], { to: { int: 7 } });
  return context.cast(context.reduce("ReduceSum", wide, axes), "uint32");
}

function axesOf(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}
