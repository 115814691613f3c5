/** Convolutions whose filter is larger than the data, with the two in each other's place. */
import { sizeOf } from "../../tensors/tensor.ts";
import type { OperationContext } from "../context.ts";
import type { Convolution, Convolve, Pair } from "./spec.ts";

/** Whether fewer products are needed with data and filter exchanged: most others meet zeros only. */
export function isSwapProfitable({ kernel, spatial }: Convolution): boolean {
  return sizeOf(kernel) > sizeOf(spatial);
}

/**
 * The sum runs over pairs of a data index i and a filter index k with
 * `i·lhsDilation = p·stride + k·rhsDilation - before` for output position p. Counting positions from the
 * other end, p = P - 1 - p', makes that a convolution of the filter by the data,
 * `k·rhsDilation = p'·stride + i·lhsDilation - ((P - 1)·stride - before)`, whose result is reversed.
 */
export function convolveSwapped(
  context: OperationContext,
  conv: Convolution,
  convolve: Convolve,
): string {
  const { batch, groups, inChannels, outChannels, spatial, kernel, output } = conv;
  const tail = output.map((_, axis) => axis + 3);
  const regroup = (name: string, from: readonly number[], to: readonly number[]): string => {
    if (groups === 1) return name;
    return context.reshape(context.transpose(context.reshape(name, from), [1, 0, 2, ...tail]), to);
  };
  const swapped: Convolution = {
    ...conv,
    lhs: regroup(
      conv.rhs,
      [groups, outChannels, inChannels, ...kernel],
      [outChannels, groups * inChannels, ...kernel],
    ),
    rhs: regroup(
      conv.lhs,
      [batch, groups, inChannels, ...spatial],
      [groups * batch, inChannels, ...spatial],
    ),
    batch: outChannels,
    outChannels: batch,
    spatial: kernel,
    kernel: spatial,
    lhsDilation: conv.rhsDilation,
    rhsDilation: conv.lhsDilation,
    padding: conv.padding.map(([before], axis): Pair => {
      const reach = (output[axis]! - 1) * conv.strides[axis]!;
      const dataReach = (spatial[axis]! - 1) * conv.lhsDilation[axis]!;
      const filterReach = (kernel[axis]! - 1) * conv.rhsDilation[axis]!;
      return [reach - before, dataReach - filterReach + before];
    }),
  };
  const name = convolve(context, swapped);
  const grouped = context.reshape(name, [outChannels, groups, batch, ...output]);
  const ordered = context.transpose(grouped, [2, 1, 0, ...tail]);
  const axes = tail.filter((axis) => output[axis - 3] !== 1);
  const ends = axes.map(() => -(2 ** 31));
  const steps = axes.map(() => -1);
  const reversed = axes.length === 0 ? ordered : context.slice(ordered, steps, ends, axes, steps);
  return context.reshape(reversed, [batch, groups * outChannels, ...output]);
}
