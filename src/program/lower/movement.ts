/** Primitives that only move elements. Where ONNX folds them into a consumer they are never emitted. */
import type { Lower } from "./context.ts";

type Pair = readonly [number, number];

export const movement: Readonly<Record<string, Lower>> = {
  reshape: (context, { inputs: [x], outputs: [output] }) => [
    context.reshape(context.name(x!), output!.shape),
  ],

  transpose: (context, { inputs: [x], params }) => [
    context.transpose(context.name(x!), params["perm"] as number[]),
  ],

  broadcast(context, { inputs: [x], params, outputs: [output] }) {
    const axes = params["axis"] as number[];
    let next = 0;
    const unit = output!.shape.map((_, axis) => (axes.includes(axis) ? 1 : x!.shape[next++]!));
    const inserts = axes.some((axis) => axis >= axes.length);
    const source = context.name(x!);
    return [context.expand(inserts ? context.reshape(source, unit) : source, output!.shape)];
  },

  flip(context, { inputs: [x], params }) {
    const axes = params["axis"] as number[];
    if (axes.length === 0) return [context.name(x!)];
    // From the last element (-1) to before the first, backwards.
    const backwards = axes.map(() => -1);
    const beforeFirst = axes.map(() => -(2 ** 31));
    return [context.slice(context.name(x!), backwards, beforeFirst, axes, backwards)];
  },

  shrink(context, { inputs: [x], params }) {
    const slices = params["slice"] as Pair[];
    const axes = slices.flatMap(([start, end], axis) =>
      start === 0 && end === x!.shape[axis] ? [] : [axis],
    );
    if (axes.length === 0) return [context.name(x!)];
    const starts = axes.map((axis) => slices[axis]![0]);
    const ends = axes.map((axis) => slices[axis]![1]);
    return [context.slice(context.name(x!), starts, ends, axes)];
  },

  pad(context, { inputs: [x], params }) {
    const width = params["width"] as Pair[];
    const pads = context.ints([
      ...width.map(([before]) => before),
      ...width.map(([, after]) => after),
    ]);
    const name = context.name(x!);
    if (x!.dtype !== "float16") return [context.node("Pad", [name, pads])];
    const padded = context.node("Pad", [context.cast(name, "float32"), pads]);
    return [context.cast(padded, "float16")];
  },

  concatenate: (context, { inputs, params }) => [
    context.node(
      "Concat",
      inputs.map((input) => context.name(input)),
      { axis: { int: params["axis"] as number } },
    ),
  ],

  split(context, { inputs: [x], params, outputs }) {
    const axis = params["axis"] as number;
    const sizes = params["sizes"] as number[];
    if (outputs.length === 1) return [context.name(x!)];
    return context.nodes("Split", [context.name(x!), context.ints(sizes)], outputs.length, {
      axis: { int: axis },
    });
  },
};
