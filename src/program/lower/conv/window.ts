/** Padding, cutting, dilating and stepping along axes: the moves convolutions and pooling share. */
import { type Shape } from "../../tensors/tensor.ts";
import type { OperationContext } from "../context.ts";

type Pair = readonly [number, number];

/** A named array and the shape it has. */
export interface Shaped {
  readonly name: string;
  readonly shape: Shape;
}

/** Zeros before and after along each axis; a negative width cuts elements away. */
export function padOrCut(context: OperationContext, x: Shaped, widths: readonly Pair[]): Shaped {
  const shape = x.shape.map((length, axis) => length + widths[axis]![0] + widths[axis]![1]);
  const cuts = widths.map(([before, after]) => [Math.min(before, 0), Math.min(after, 0)] as const);
  const pads = widths.map(([before, after]) => [Math.max(before, 0), Math.max(after, 0)] as const);
  // Cutting first moves less, unless it would cut into what the padding is to add.
  const cutsLess = x.shape.every((length, axis) => length + cuts[axis]![0] + cuts[axis]![1] > 0);
  const steps = cutsLess ? [cuts, pads] : [pads, cuts];
  let name = x.name;
  let lengths = x.shape;
  for (const step of steps) {
    const grown = lengths.map((length, axis) => length + step[axis]![0] + step[axis]![1]);
    const axes = axesWhere(step, ([before, after]) => before !== 0 || after !== 0);
    if (axes.length > 0 && step === pads) {
      name = context.node("Pad", [
        name,
        context.ints([...step.map(([before]) => before), ...step.map(([, after]) => after)]),
      ]);
    } else if (axes.length > 0) {
      const starts = axes.map((axis) => -step[axis]![0]);
      const ends = axes.map((axis) => lengths[axis]! + step[axis]![1]);
      name = context.slice(name, starts, ends, axes);
    }
    lengths = grown;
  }
  return { name, shape };
}

/**
 * Inserts `factor - 1` zeros after every element but the last along each axis, then pads or cuts.
 */
export function dilateAndPad(
  context: OperationContext,
  x: Shaped,
  factors: readonly number[],
  widths: readonly Pair[],
): Shaped {
  const axes = axesWhere(factors, (factor) => factor > 1);
  const dilatable = axes.filter((axis) => x.shape[axis]! > 1);
  if (dilatable.length === 0) return padOrCut(context, x, widths);
  // [.., n, ..] → [.., n, 1, ..] → [.., n, f, ..] → [.., n·f, ..], of which the last f - 1 are too many.
  const split = x.shape.flatMap((n, axis) => (dilatable.includes(axis) ? [n, 1] : [n]));
  const filler = x.shape.flatMap((_, axis): Pair[] =>
    dilatable.includes(axis)
      ? [
          [0, 0],
          [0, factors[axis]! - 1],
        ]
      : [[0, 0]],
  );
  const padded = padOrCut(context, { name: context.reshape(x.name, split), shape: split }, filler);
  const shape = x.shape.map((n, axis) => (dilatable.includes(axis) ? n * factors[axis]! : n));
  const excess = widths.map(([before, after], axis): Pair => [
    before,
    after - (dilatable.includes(axis) ? factors[axis]! - 1 : 0),
  ]);
  return padOrCut(context, { name: context.reshape(padded.name, shape), shape }, excess);
}

/** Every `step`-th of the elements from `start`, `lengths` of them, along the axes from `first` on. */
export function strided(
  context: OperationContext,
  x: Shaped,
  first: number,
  starts: readonly number[],
  lengths: readonly number[],
  steps: readonly number[],
): Shaped {
  const shape = [...x.shape.slice(0, first), ...lengths];
  const used = axesWhere(
    lengths,
    (length, i) => starts[i] !== 0 || length !== x.shape[first + i] || steps[i] !== 1,
  );
  if (used.length === 0) return x;
  const name = context.slice(
    x.name,
    used.map((i) => starts[i]!),
    used.map((i) => starts[i]! + (lengths[i]! - 1) * steps[i]! + 1),
    used.map((i) => first + i),
    used.map((i) => steps[i]!),
  );
  return { name, shape };
}

/** All index tuples of a shape, in row-major order. */
export function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (tuples, length) =>
      tuples.flatMap((tuple) => Array.from({ length }, (_, index) => [...tuple, index])),
    [[]],
  );
}

function axesWhere<T>(items: readonly T[], holds: (item: T, axis: number) => boolean): number[] {
  return items.flatMap((item, axis) => (holds(item, axis) ? [axis] : []));
}
