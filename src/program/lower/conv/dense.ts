/** Convolutions in float32 by ONNX's own Conv and ConvTranspose, or by the runtime's blocked kernels. */
import type { OperationContext } from "../context.ts";
import { convolveBlocked, isBlockable } from "./blocked.ts";
import type { Convolution, Pair } from "./spec.ts";
import { dilateAndPad, padOrCut } from "./window.ts";

export function convolveDense(context: OperationContext, conv: Convolution): string {
  return transposedPadding(conv) ? convolveTransposed(context, conv) : convolvePlain(context, conv);
}

function convolvePlain(context: OperationContext, conv: Convolution): string {
  const { lhsDilation, padding } = conv;
  const x = { name: conv.lhs, shape: dataShape(conv) };
  // Conv pads by itself, but neither cuts nor inserts zeros.
  const dilated = lhsDilation.some((factor, axis) => factor > 1 && conv.spatial[axis]! > 1);
  const outside = padding.map((pair): Pair => (dilated ? pair : [min0(pair[0]), min0(pair[1])]));
  const fits = outside.every(([before, after], axis) => conv.spatial[axis]! + before + after > 0);
  const moved = fits || dilated ? outside : padding;
  const inside = padding.map(([before, after], axis): Pair => [
    before - moved[axis]![0],
    after - moved[axis]![1],
  ]);
  const none: Pair = [0, 0];
  const data = dilated
    ? dilateAndPad(context, x, [1, 1, ...lhsDilation], [none, none, ...moved])
    : padOrCut(context, x, [none, none, ...moved]);
  const { convolutionBlock } = context.lowering.kernels;
  if (convolutionBlock !== undefined && isBlockable(conv, convolutionBlock)) {
    return convolveBlocked(context, conv, data.name, inside, convolutionBlock);
  }
  return context.node("Conv", [data.name, conv.rhs], {
    kernel_shape: { ints: conv.kernel },
    strides: { ints: conv.strides },
    dilations: { ints: conv.rhsDilation },
    pads: { ints: [...inside.map(([before]) => before), ...inside.map(([, after]) => after)] },
    group: { int: conv.groups },
  });
}

/**
 * A convolution of data with zeros inserted is ONNX's ConvTranspose with the filter turned round: each
 * element of the data adds its multiple of the filter to the result.
 */
function convolveTransposed(context: OperationContext, conv: Convolution): string {
  const { groups, inChannels, outChannels, kernel } = conv;
  const pads = transposedPadding(conv)!;
  const axes = kernel.map((_, axis) => axis + 3);
  const split = context.reshape(conv.rhs, [groups, outChannels, inChannels, ...kernel]);
  const swapped = context.transpose(split, [0, 2, 1, ...axes]);
  const flipped = context.slice(
    swapped,
    axes.map(() => -1),
    axes.map(() => -(2 ** 31)),
    axes,
    axes.map(() => -1),
  );
  const filter = context.reshape(flipped, [groups * inChannels, outChannels, ...kernel]);
  return context.node("ConvTranspose", [conv.lhs, filter], {
    kernel_shape: { ints: kernel },
    strides: { ints: conv.lhsDilation },
    dilations: { ints: conv.rhsDilation },
    pads: { ints: [...pads.map(([before]) => before), ...pads.map(([, after]) => after)] },
    group: { int: groups },
  });
}

/** What ConvTranspose has to cut from its full result; none where it does not apply. */
function transposedPadding(conv: Convolution): Pair[] | undefined {
  const { kernel, lhsDilation, padding, rhsDilation, spatial, strides } = conv;
  if (strides.some((stride) => stride !== 1)) return undefined;
  if (lhsDilation.every((factor, axis) => factor === 1 || spatial[axis] === 1)) return undefined;
  const pads = padding.map(([before, after], axis): Pair => {
    const reach = (kernel[axis]! - 1) * rhsDilation[axis]!;
    return [reach - before, reach - after];
  });
  return pads.every(([before, after]) => before >= 0 && after >= 0) ? pads : undefined;
}

function dataShape({ batch, groups, inChannels, spatial }: Convolution): number[] {
  return [batch, groups * inChannels, ...spatial];
}

function min0(value: number): number {
  return Math.min(value, 0);
}
