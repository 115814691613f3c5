/**
 * Reading elements by index arrays: one axis is `Gather`, several are `GatherND`. Negative indices count
 * from the end; an index outside the axis fails the run with ONNX Runtime's message (jax-js reads
 * whatever lies there).
 */
import { broadcastShapes, type Value } from "../ir.ts";
import type { Shape } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";

/** Axes of an indexed array: `axis[i]` is indexed by the i-th index array, the others are kept. */
export interface Indexing {
  readonly axis: readonly number[];
  /** Where the axes of the broadcast index arrays stand in the result. */
  readonly outDim: number;
}

export const gather: Lower = (context, { inputs: [x, ...indices], params }) => {
  const { axis, outDim } = params as Indexing;
  const rank = x!.shape.length;
  const kept = axes(rank).filter((i) => !axis.includes(i));
  const shape = broadcastShapes(...indices.map((index) => index.shape));
  if (axis.length === 1) {
    const [at] = axis;
    const name = context.node("Gather", [context.name(x!), integer(context, indices[0]!)], {
      axis: { int: at! },
    });
    return [moveIndexAxes(context, name, kept.length, shape.length, at!, outDim)];
  }
  const source = context.transpose(context.name(x!), [...axis, ...kept]);
  const name = context.node("GatherND", [source, indexTuples(context, indices, shape)]);
  return [moveIndexAxes(context, name, kept.length, shape.length, 0, outDim)];
};

/** Index arrays as one int64 array [...shape, number of arrays]. */
export function indexTuples(
  context: OperationContext,
  indices: readonly Value[],
  shape: Shape,
): string {
  const columns = indices.map((index) => {
    const name = context.node("Cast", [context.name(index)], { to: { int: 7 } });
    const whole = index.shape.join() === shape.join() ? name : context.expand(name, shape);
    return context.node("Unsqueeze", [whole, context.ints([-1])]);
  });
  return columns.length === 1
    ? columns[0]!
    : context.node("Concat", columns, { axis: { int: -1 } });
}

/** Moves the `count` index axes of an array with `kept` other axes from position `from` to `to`. */
export function moveIndexAxes(
  context: OperationContext,
  name: string,
  kept: number,
  count: number,
  from: number,
  to: number,
): string {
  const others = axes(kept).map((i) => (i < from ? i : i + count));
  const moved = axes(count).map((i) => from + i);
  return context.transpose(name, others.toSpliced(to, 0, ...moved));
}

function integer(context: OperationContext, index: Value): string {
  const name = context.name(index);
  return index.dtype === "int32" ? name : context.node("Cast", [name], { to: { int: 7 } });
}

function axes(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
