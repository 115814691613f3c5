/**
 * Broadcasting along short last axes, and beside last axes of one. The runtime walks a broadcast in spans as long as its last axis,
 * so an operand repeated along a last axis of 2 (a window of a pooling, a pair of classes) costs five
 * times the operation itself. There the operand is repeated first, which is one fast copy. Last axes of one that all operands have
 * make spans of one, ten times slower: they are left out.
 */
import { type Apply, Value } from "../ir.ts";
import { type Shape, sizeOf } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";

/** Spans from this length on are fast by themselves. */
const longSpan = 7;

/** Below this many elements a node more costs more than it saves. */
const manyElements = 4096;

/** The same for the two or three nodes that leave out axes, which save more. */
const manySpans = 512;

/** The given rules of elementwise primitives, with operands repeated where that is faster. */
export function withRepeats(rules: Readonly<Record<string, Lower>>): Record<string, Lower> {
  return Object.fromEntries(
    Object.entries(rules).map(([primitive, rule]) => [
      primitive,
      (context, operation) => {
        if (context.lowering.isPlain) return rule(context, operation);
        const short = withoutLastUnits(context, operation);
        const names = rule(context, repeated(context, short));
        if (short === operation) return names;
        return names.map((name, i) => context.reshape(name, operation.outputs[i]!.shape));
      },
    ]),
  );
}

/** The operation on operands without the last axes of one, if some operand repeats beside them. */
function withoutLastUnits(context: OperationContext, operation: Apply): Apply {
  const [output] = operation.outputs;
  const { shape } = output!;
  const left = shape.findLastIndex((length) => length !== 1) + 1;
  const dropped = shape.length - left;
  const repeats = operation.inputs.some((input) => sizeOf(input.shape) < sizeOf(shape));
  if (dropped === 0 || !repeats || sizeOf(shape) < manySpans) return operation;
  const inputs = operation.inputs.map((input) => {
    if (input.shape.length === 0) return input;
    const kept = input.shape.slice(0, Math.max(0, input.shape.length - dropped));
    return named(context, context.reshape(context.name(input), kept), kept, input);
  });
  return { ...operation, inputs, outputs: [new Value(-1, shape.slice(0, left), output!.dtype)] };
}

function repeated(context: OperationContext, operation: Apply): Apply {
  const { shape } = operation.outputs[0]!;
  if (operation.inputs.length < 2 || sizeOf(shape) < manyElements) return operation;
  const inputs = operation.inputs.map((input) => {
    const axes = shortSpan(input.shape, shape);
    return axes.length === 0 ? input : repeat(context, input, shape, axes);
  });
  return { ...operation, inputs };
}

/** The last axes along which an operand of shape `from` repeats, if there are few repeats. */
function shortSpan(from: Shape, to: Shape): number[] {
  if (from.length !== to.length || sizeOf(from) === 1) return [];
  const axes: number[] = [];
  let span = 1;
  for (let axis = to.length - 1; axis >= 0 && from[axis] === 1; axis--) {
    if (to[axis] !== 1) axes.push(axis);
    span *= to[axis]!;
  }
  return span < longSpan ? axes : [];
}

function repeat(
  context: OperationContext,
  input: Value,
  to: Shape,
  axes: readonly number[],
): Value {
  const name = axes.reduce(
    (source, axis) =>
      context.node("Concat", Array<string>(to[axis]!).fill(source), { axis: { int: axis } }),
    context.name(input),
  );
  const shape = input.shape.map((length, axis) => (axes.includes(axis) ? to[axis]! : length));
  return named(context, name, shape, input);
}

/** A value of the given name and shape, of the type of another one. */
function named(context: OperationContext, name: string, shape: Shape, { dtype }: Value): Value {
  const value = new Value(-1, shape, dtype);
  context.lowering.bind(value, name);
  return value;
}
