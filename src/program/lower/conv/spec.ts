/**
 * A convolution with its batch axes folded away: what every way of computing one starts from.
 *
 * jax-js convolves [*vmap, batch, in, ...spatial] with [*vmap, out, in, ...kernel]. A vmap axis that only
 * the data carries joins the batch, one that only the filters carry joins the output channels, and one
 * that both carry becomes a group, so that a single grouped convolution does the work of all.
 */
import type { Apply, Value } from "../../ir.ts";
import { type DType, type Shape, sizeOf } from "../../tensors/tensor.ts";
import type { OperationContext } from "../context.ts";

export type Pair = readonly [number, number];

/** How a filter moves over the data, one entry per spatial axis, as in jax-js. */
export interface Motion {
  readonly strides: readonly number[];
  /** Zeros before and after the dilated data; negative: elements cut away. */
  readonly padding: readonly Pair[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
}

/** The sum over channels and kernel of lhs [batch, groups·in, ...spatial] times rhs [groups·out, in, ...kernel]. */
export interface Convolution extends Motion {
  readonly lhs: string;
  readonly rhs: string;
  readonly batch: number;
  readonly groups: number;
  /** Channels of one group. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly spatial: readonly number[];
  readonly kernel: readonly number[];
  /** Spatial shape of the result. */
  readonly output: readonly number[];
  /** The type the sum is computed in. */
  readonly dtype: DType;
}

/** Computes a folded convolution: the name of [batch, groups·out, ...output]. */
export type Convolve = (context: OperationContext, convolution: Convolution) => string;

/**
 * Folds the vmap axes of a `conv`, lets `convolve` compute it in `dtype`, and unfolds the result.
 *
 * @param summed - vmap axes that both operands carry and the result is summed over: more channels to sum.
 */
export function foldBatchAxes(
  context: OperationContext,
  operation: Apply,
  dtype: DType,
  convolve: Convolve,
  summed: readonly number[] = [],
): string {
  const { params, outputs } = operation;
  const v = params["vmapDims"] as number;
  const [lhs, rhs] = operation.inputs.map((input) => unbroadcast(context, input, v));
  const output = outputs[0]!.shape;
  const axes = Array.from({ length: v }, (_, axis) => axis).filter((a) => !summed.includes(a));
  const has = (side: Side, axis: number): boolean => side.shape[axis] !== 1;
  const both = axes.filter((axis) => has(lhs!, axis) && has(rhs!, axis));
  const lhsOnly = axes.filter((axis) => has(lhs!, axis) && !has(rhs!, axis));
  const rhsOnly = axes.filter((axis) => !has(lhs!, axis) && has(rhs!, axis));
  const length = (group: readonly number[]): number => sizeOf(group.map((axis) => output[axis]!));
  const tail = output.map((_, axis) => axis).slice(v + 2);

  const [n, o] = [lhs!.shape[v]!, rhs!.shape[v]!];
  const c = length(summed) * lhs!.shape[v + 1]!;
  const [spatial, kernel] = [lhs!.shape.slice(v + 2), rhs!.shape.slice(v + 2)];
  const batch = length(lhsOnly) * n;
  const groups = length(both);
  const outChannels = length(rhsOnly) * o;
  const convolution: Convolution = {
    lhs: arrange(
      context,
      lhs!,
      dtype,
      [...lhsOnly, v, ...both, ...summed, v + 1, ...tail],
      [batch, groups * c, ...spatial],
    ),
    rhs: arrange(
      context,
      rhs!,
      dtype,
      [...both, ...rhsOnly, v, ...summed, v + 1, ...tail],
      [groups * outChannels, c, ...kernel],
    ),
    batch,
    groups,
    inChannels: c,
    outChannels,
    spatial,
    kernel,
    output: output.slice(v + 2),
    dtype,
    ...(params as unknown as Motion),
  };

  const name = convolve(context, convolution);
  const order = [...lhsOnly, v, ...both, ...rhsOnly, v + 1, ...tail];
  const flat =
    v > 0
      ? context.reshape(
          name,
          order.map((axis) => output[axis]!),
        )
      : name;
  const kept = output.map((_, axis) => axis).filter((axis) => order.includes(axis));
  const unfolded = context.transpose(
    flat,
    kept.map((axis) => order.indexOf(axis)),
  );
  const shape = output.filter((_, axis) => !summed.includes(axis));
  return kept.length === shape.length ? unfolded : context.reshape(unfolded, shape);
}

/** The vmap axes of a `conv` that both operands carry, among `axes`. */
export function sharedBatchAxes(
  context: OperationContext,
  { inputs, params }: Apply,
  axes: readonly number[],
): number[] {
  const v = params["vmapDims"] as number;
  const sides = inputs.map((input) => unbroadcast(context, input, v));
  return axes.filter((axis) => axis < v && sides.every(({ shape }) => shape[axis] !== 1));
}

interface Side {
  readonly value: Value;
  /** Its shape with a 1 for every vmap axis it is constant along. */
  readonly shape: Shape;
}

/** The operand before it was repeated along vmap axes. */
function unbroadcast(context: OperationContext, value: Value, v: number): Side {
  const definition = context.lowering.definition(value);
  if (definition?.kind !== "apply" || definition.primitive !== "broadcast") {
    return { value, shape: value.shape };
  }
  const source = definition.inputs[0]!;
  const missing = value.shape.length - source.shape.length;
  const shape = [...Array<number>(missing).fill(1), ...source.shape];
  const plain = (definition.params["axis"] as number[]).every((axis) => axis < missing);
  const same = shape.every((length, axis) => axis < v || length === value.shape[axis]);
  return plain && same && missing <= v ? { value: source, shape } : { value, shape: value.shape };
}

/** The operand with the given axes (those it is constant along are absent) brought to `shape`. */
function arrange(
  context: OperationContext,
  side: Side,
  dtype: DType,
  order: readonly number[],
  shape: Shape,
): string {
  let name = context.name(side.value);
  if (side.value.dtype !== dtype) name = context.cast(name, dtype);
  const kept = side.shape.map((_, axis) => axis).filter((axis) => order.includes(axis));
  const sorted = order.every((axis, i) => axis === kept[i]);
  if (!sorted) {
    const lengths = kept.map((axis) => side.shape[axis]!);
    if (lengths.length !== side.value.shape.length) name = context.reshape(name, lengths);
    name = context.transpose(
      name,
      order.map((axis) => kept.indexOf(axis)),
    );
  }
  const unchanged = sorted && shape.length === side.value.shape.length;
  return unchanged ? name : context.reshape(name, shape);
}
