/**
 * Sorting along the last axis by `TopK`, whose ties keep their order. NaN has no place in its order, so
 * floating point is sorted with +∞ for NaN, and a second pass moves the NaNs behind the infinities.
 */
import type { Value } from "../ir.ts";
import { sizeOf } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";

/** Sorted values; NaN last. */
export const sort: Lower = (context, { inputs: [x] }) => {
  if (sizeOf(x!.shape) === 0) return [context.name(x!)];
  return [take(context, context.name(x!), order(context, x!))];
};

/** Sorted values and the int32 positions they came from; equal elements keep their order, NaN last. */
export const argsort: Lower = (context, { inputs: [x] }) => {
  const name = context.name(x!);
  if (sizeOf(x!.shape) === 0) return [name, context.cast(name, "int32")];
  const positions = order(context, x!);
  return [take(context, name, positions), context.cast(positions, "int32")];
};

/** Positions (int64) of the elements in ascending order. */
function order(context: OperationContext, x: Value): string {
  const length = x.shape[x.shape.length - 1]!;
  const name = context.name(x);
  if (!x.dtype.startsWith("float")) {
    const key = x.dtype === "uint32" ? "int64" : "int32";
    return ascending(context, context.node("Cast", [name], { to: { int: elements[key] } }), length);
  }
  const key = x.dtype === "float16" ? context.cast(name, "float32") : name;
  const isNan = context.node("IsNaN", [key]);
  const infinity = context.scalar(Infinity, x.dtype === "float16" ? "float32" : x.dtype);
  const first = ascending(context, context.node("Where", [isNan, infinity, key]), length);
  const sortedNan = take(context, context.cast(isNan, "int32"), first);
  return take(context, first, ascending(context, sortedNan, length));
}

function ascending(context: OperationContext, key: string, length: number): string {
  const attributes = { axis: { int: -1 }, largest: { int: 0 }, sorted: { int: 1 } };
  return context.nodes("TopK", [key, context.ints([length])], 2, attributes)[1]!;
}

/** Element type numbers of ONNX. */
const elements = { int32: 6, int64: 7 } as const;

/** x[..., positions[..., i]] */
function take(context: OperationContext, x: string, positions: string): string {
  return context.node("GatherElements", [x, positions], { axis: { int: -1 } });
}
