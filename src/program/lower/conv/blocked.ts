/**
 * Convolutions in float32 by ONNX Runtime's blocked kernels, which keep the channels of a block side by side in
 * memory: some two to three times as fast as its Conv. The runtime uses them itself only where the filter is a
 * constant; a learned filter is not one.
 *
 *     data    [n, c, h, w]        as  [n, c/B, h, w, B]          (ReorderInput)
 *     filter  [o, c, kh, kw]      as  [o/B, c/B, kh, kw, B, B]   (input channels before output channels)
 */
import type { OperationContext } from "../context.ts";
import type { Convolution, Pair } from "./spec.ts";

/** The runtime's operator set of blocked kernels; B depends on the processor. */
export const blockedDomain = "com.microsoft.nchwc";

/** Whether the kernels take it: two spatial axes, and whole blocks of channels. */
export function isBlockable(conv: Convolution, block: number): boolean {
  const { inChannels, outChannels, kernel, dtype } = conv;
  return (
    dtype === "float32" &&
    kernel.length === 2 &&
    inChannels % block === 0 &&
    outChannels % block === 0
  );
}

/** The sum for data without zeros inserted, `pads` around it, and a filter [groups·o, c, kh, kw]. */
export function convolveBlocked(
  context: OperationContext,
  conv: Convolution,
  data: string,
  pads: readonly Pair[],
  block: number,
): string {
  const { groups, inChannels, outChannels, kernel } = conv;
  const [height, width] = kernel as [number, number];
  const channels = groups * outChannels;
  const split = context.reshape(conv.rhs, [
    channels / block,
    block,
    inChannels / block,
    block,
    height,
    width,
  ]);
  const moved = context.transpose(split, [0, 2, 4, 5, 3, 1]);
  const filter = context.reshape(moved, [channels, inChannels, height, width]);
  const blocked = context.node("ReorderInput", [data], undefined, blockedDomain);
  const attributes = {
    kernel_shape: { ints: kernel },
    strides: { ints: conv.strides },
    dilations: { ints: conv.rhsDilation },
    pads: { ints: [...pads.map(([before]) => before), ...pads.map(([, after]) => after)] },
    group: { int: groups },
  };
  const sum = context.node("Conv", [blocked, filter], attributes, blockedDomain);
  return context.node("ReorderOutput", [sum], { channels: { int: channels } }, blockedDomain);
}
