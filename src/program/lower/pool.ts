/**
 * Windows over the last axes: `pool` gathers them into new axes at the end, `pool_transpose` adds them
 * back where they came from. Both work one axis at a time.
 */
import type { Apply } from "../ir.ts";
import type { Lower, OperationContext } from "./context.ts";
import { dilateAndPad, padOrCut, type Shaped, strided } from "./conv/window.ts";

type Pair = readonly [number, number];

/** [...batch, ...spatial] to [...batch, ...positions, ...window]. */
export const pool: Lower = (context, { inputs: [input], params, outputs: [output] }) => {
  const { window, strides } = params as { window: number[]; strides: number[] };
  if (window.length === 0) return [context.name(input!)];
  if (output!.shape.includes(0)) {
    return [context.expand(context.scalar(0, output!.dtype), output!.shape)];
  }
  const first = input!.shape.length - window.length;
  const positions = output!.shape.slice(first, first + window.length);
  const { dtype } = output!;
  // Pad has no kernel for float16.
  const half = dtype === "float16";
  const name = context.name(input!);
  let x: Shaped = { name: half ? context.cast(name, "float32") : name, shape: input!.shape };
  window.forEach((size, axis) => {
    // Each axis already split takes two: positions, window.
    x = splitAxis(context, x, first + 2 * axis, positions[axis]!, size, strides[axis]!);
  });
  const pooled = context.transpose(x.name, interleaved(first, window.length).inverse);
  return [half ? context.cast(pooled, dtype) : pooled];
};

/** The adjoint of `pool`: the sum of all windows at their places. */
export const poolTranspose: Lower = (context, { inputs: [input], params, outputs: [output] }) => {
  const { inShape, window, strides } = params as {
    inShape: number[];
    window: number[];
    strides: number[];
  };
  const { dtype } = output!;
  if (window.length === 0) return [context.name(input!)];
  if (inShape.includes(0) || input!.shape.includes(0)) {
    return [context.expand(context.scalar(0, dtype), inShape)];
  }
  const first = inShape.length - window.length;
  const { perm } = interleaved(first, window.length);
  const sum = dtype === "bool" ? "int32" : dtype === "float16" ? "float32" : dtype;
  const source = context.name(input!);
  const name = sum === dtype ? source : context.cast(source, sum);
  let x: Shaped = {
    name: context.transpose(name, perm),
    shape: perm.map((axis) => input!.shape[axis]!),
  };
  window.forEach((_, i) => {
    const axis = window.length - 1 - i;
    x = mergeAxis(context, x, first + 2 * axis, inShape[first + axis]!, strides[axis]!);
  });
  return [sum === dtype ? x.name : context.cast(x.name, dtype)];
};

/**
 * The greatest element of each window as ONNX's MaxPool, for a `reduce` over exactly the window axes of
 * a `pool` that nothing else uses; undefined otherwise.
 */
export function maxPool(context: OperationContext, operation: Apply): string | undefined {
  const [x] = operation.inputs;
  const definition = context.lowering.definition(x!);
  if (operation.params["op"] !== "Max" || x!.dtype !== "float32") return undefined;
  if (definition?.kind !== "apply" || definition.primitive !== "pool") return undefined;
  if (context.lowering.uses(x!) !== 1 || x!.shape.includes(0)) return undefined;
  const { window, strides } = definition.params as { window: number[]; strides: number[] };
  const rank = x!.shape.length - window.length;
  const axes = operation.params["axis"] as number[];
  const exactly = axes.length === window.length && axes.every((axis) => axis >= rank);
  if (!exactly || window.length < 1 || window.length > 3) return undefined;

  const { shape } = definition.inputs[0]!;
  const batch = shape.slice(0, rank - window.length);
  const folded = [1, batch.reduce((n, length) => n * length, 1), ...shape.slice(batch.length)];
  const data = context.reshape(context.name(definition.inputs[0]!), folded);
  const pooled = context.node("MaxPool", [data], {
    kernel_shape: { ints: window },
    strides: { ints: strides },
  });
  return context.reshape(pooled, operation.outputs[0]!.shape);
}

/**
 * The greatest element or the sum of windows that do not overlap, [.., rows, r, columns, c] reduced over r and c, as
 * ONNX's MaxPool or AveragePool; undefined where it is something else.
 */
export function reduceWindows(context: OperationContext, operation: Apply): string | undefined {
  const { inputs, params, outputs } = operation;
  const { shape, dtype } = inputs[0]!;
  const op = params["op"] as string;
  const axes = params["axis"] as number[];
  const rank = shape.length;
  if (context.lowering.isPlain) return undefined;
  if (dtype !== "float32" || rank < 5 || shape.includes(0)) return undefined;
  if (axes.length !== 2 || !axes.includes(rank - 3) || !axes.includes(rank - 1)) return undefined;
  const window = [shape[rank - 3]!, shape[rank - 1]!];
  const size = window[0]! * window[1]!;
  // The mean times a power of two is the sum without another rounding.
  if (op !== "Max" && !(op === "Add" && Number.isInteger(Math.log2(size)))) return undefined;
  const [rows, columns] = [shape[rank - 4]!, shape[rank - 2]!];
  const batch = shape.slice(0, rank - 5).reduce((n, length) => n * length, 1);
  const image = [batch, shape[rank - 5]!, rows * window[0]!, columns * window[1]!];
  const attributes = { kernel_shape: { ints: window }, strides: { ints: window } };
  const data = context.reshape(context.name(inputs[0]!), image);
  const pooled = context.node(op === "Max" ? "MaxPool" : "AveragePool", [data], attributes);
  const result = context.reshape(pooled, outputs[0]!.shape);
  return op === "Max" ? result : context.node("Mul", [result, context.scalar(size, "float32")]);
}

/** Replaces an axis by two: the window's position and the element inside the window. */
function splitAxis(
  context: OperationContext,
  x: Shaped,
  axis: number,
  positions: number,
  size: number,
  stride: number,
): Shaped {
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  if (size <= stride) {
    // Windows do not overlap: a reshape to [positions, stride] holds them all.
    const widths = x.shape.map((length, i): Pair => [
      0,
      i === axis ? positions * stride - length : 0,
    ]);
    const whole = padOrCut(context, x, widths);
    const split = [...before, positions, stride, ...after];
    return strided(
      context,
      { name: context.reshape(whole.name, split), shape: split },
      axis + 1,
      [0, ...after.map(() => 0)],
      [size, ...after],
      [1, ...after.map(() => 1)],
    );
  }
  const shape = [...before, positions, size, ...after];
  const unit = [...before, positions, 1, ...after];
  const slices = Array.from({ length: size }, (_, offset) => {
    const lengths = [positions, ...after];
    const starts = [offset, ...after.map(() => 0)];
    const slice = strided(context, x, axis, starts, lengths, [stride, ...after.map(() => 1)]);
    return context.reshape(slice.name, unit);
  });
  return { name: context.node("Concat", slices, { axis: { int: axis + 1 } }), shape };
}

/** The adjoint of `splitAxis`: [.., positions, size, ..] summed into an axis of `length`. */
function mergeAxis(
  context: OperationContext,
  x: Shaped,
  axis: number,
  length: number,
  stride: number,
): Shaped {
  const [positions, size] = [x.shape[axis]!, x.shape[axis + 1]!];
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 2);
  const width = (pair: Pair, at: number, rank: number): Pair[] =>
    Array.from({ length: rank }, (_, i): Pair => (i === at ? pair : [0, 0]));
  if (size <= stride) {
    const padded = padOrCut(context, x, width([0, stride - size], axis + 1, x.shape.length));
    const merged = [...before, positions * stride, ...after];
    const whole = { name: context.reshape(padded.name, merged), shape: merged };
    return padOrCut(context, whole, width([0, length - positions * stride], axis, merged.length));
  }
  const parts = context.nodes("Split", [x.name], size, { axis: { int: axis + 1 } });
  const flat = [...before, positions, ...after];
  const factors = flat.map((_, i) => (i === axis ? stride : 1));
  const reach = (positions - 1) * stride + 1;
  const placed = parts.map((part, offset) => {
    const piece = { name: context.reshape(part, flat), shape: flat };
    const widths = width([offset, length - reach - offset], axis, flat.length);
    return dilateAndPad(context, piece, factors, widths);
  });
  return placed.reduce((sum, piece) => ({
    name: context.node("Add", [sum.name, piece.name]),
    shape: sum.shape,
  }));
}

/** From [...batch, ...positions, ...window] to positions and window in pairs, and back. */
function interleaved(first: number, count: number): { perm: number[]; inverse: number[] } {
  const batch = Array.from({ length: first }, (_, axis) => axis);
  const each = Array.from({ length: count }, (_, axis) => axis);
  return {
    perm: [...batch, ...each.flatMap((i) => [first + i, first + count + i])],
    inverse: [...batch, ...each.map((i) => first + 2 * i), ...each.map((i) => first + 2 * i + 1)],
  };
}
