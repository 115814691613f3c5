/**
 * Writing or adding elements by index arrays into zeros: the adjoint of reading (gather). The indexed
 * axes are flattened into one, with one more slot at the end that takes what lies outside.
 */
import { broadcastShapes, type Value } from "../ir.ts";
import { type DType, sizeOf, type Shape } from "../tensors/tensor.ts";
import type { Lower, OperationContext } from "./context.ts";
import type { Indexing } from "./gather.ts";

export const scatter: Lower = (context, { inputs: [updates, ...indices], params, outputs }) => {
  const { axis, outDim, op, uniqueIndices } = params as Indexing & {
    readonly op: "update" | "add";
    readonly uniqueIndices: boolean;
  };
  const { shape, dtype } = outputs[0]!;
  const kept = shape.flatMap((_, i) => (axis.includes(i) ? [] : [i]));
  const indexShape = broadcastShapes(...indices.map((index) => index.shape));
  const lengths = axis.map((i) => shape[i]!);
  const [slots, count] = [sizeOf(lengths), sizeOf(indexShape)];
  const rest = kept.map((i) => shape[i]!);
  const width = sizeOf(rest);
  // ONNX Runtime does not add float16, and a sum of booleans is "any".
  const adding = op === "add" && !uniqueIndices;
  const work: DType =
    adding && dtype === "float16" ? "float32" : adding && dtype === "bool" ? "int32" : dtype;

  const position = context.reshape(flatPosition(context, indices, lengths, indexShape), [count, 1]);
  const plain = rowsOf(context, updates!, outDim, indexShape.length, [count, width]);
  const rows = work === dtype ? plain : context.cast(plain, work);
  const zeros = context.expand(context.scalar(0, work), [slots + 1, width]);
  const filled = adding
    ? context.node("ScatterND", [zeros, position, rows], { reduction: { string: "add" } })
    : uniqueIndices
      ? context.node("ScatterND", [zeros, position, rows])
      : // ScatterND writes duplicates from several threads, in any order; this one goes in order.
        context.node("ScatterElements", [zeros, context.expand(position, [count, width]), rows], {
          axis: { int: 0 },
        });
  const inside = context.slice(filled, [0], [slots], [0]);
  const back = context.reshape(work === dtype ? inside : context.cast(inside, dtype), [
    ...lengths,
    ...rest,
  ]);
  const order = [...axis, ...kept];
  return [
    context.transpose(
      back,
      shape.map((_, i) => order.indexOf(i)),
    ),
  ];
};

/**
 * Σ index · stride over the indexed axes, int64 [...indexShape]; one past the last slot where any index
 * is outside its axis. Negative indices count from the end, as in gather.
 */
function flatPosition(
  context: OperationContext,
  indices: readonly Value[],
  lengths: Shape,
  indexShape: Shape,
): string {
  const long = (value: number): string =>
    context.data("int64", [], BigInt64Array.of(BigInt(value)));
  let position: string | undefined;
  let outside: string | undefined;
  indices.forEach((index, i) => {
    const raw = context.node("Cast", [context.name(index)], { to: { int: 7 } });
    const negative = context.node("Less", [raw, long(0)]);
    const wrapped = context.node("Add", [raw, long(lengths[i]!)]);
    const at = context.node("Where", [negative, wrapped, raw]);
    const bad = context.node("Or", [
      context.node("Less", [at, long(0)]),
      context.node("GreaterOrEqual", [at, long(lengths[i]!)]),
    ]);
    const scaled = context.node("Mul", [at, long(sizeOf(lengths.slice(i + 1)))]);
    position = position === undefined ? scaled : context.node("Add", [position, scaled]);
    outside = outside === undefined ? bad : context.node("Or", [outside, bad]);
  });
  const found = context.node("Where", [outside!, long(sizeOf(lengths)), position!]);
  return context.expand(found, indexShape);
}

/** Updates with the index axes first, as a matrix [indices, rest]. */
function rowsOf(
  context: OperationContext,
  updates: Value,
  outDim: number,
  indexRank: number,
  shape: Shape,
): string {
  const all = updates.shape.map((_, i) => i);
  const first = all.slice(outDim, outDim + indexRank);
  const others = all.filter((i) => !first.includes(i));
  return context.reshape(context.transpose(context.name(updates), [...first, ...others]), shape);
}
