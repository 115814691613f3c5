/**
 * Convolutions as matrix products, for the types ONNX's Conv lacks and for filters as large as the data.
 *
 *     y[n, o, p] = Σ_{c, k} x[n, c, p·stride + k·dilation] w[o, c, k]
 *
 * Either one strided slice of x per kernel offset k, and one product over (k, c); or one slice per output
 * position p, and one product over (c, k) for each. The gradient of a filter is a convolution whose
 * kernel is the output's cotangent, so the second is the one for it.
 */
import { sizeOf } from "../../tensors/tensor.ts";
import type { OperationContext } from "../context.ts";
import type { Convolution } from "./spec.ts";
import { dilateAndPad, indices, type Shaped, strided } from "./window.ts";

/** One product for the whole kernel; as many slices as the kernel has offsets. */
export function convolveByKernelOffset(context: OperationContext, conv: Convolution): string {
  const { batch, groups, inChannels, outChannels, kernel, output, strides, rhsDilation } = conv;
  const x = padded(context, conv);
  const positions = sizeOf(output);
  const slices = indices(kernel).map((offset) => {
    const starts = offset.map((k, axis) => k * rhsDilation[axis]!);
    const slice = strided(context, x, 2, starts, output, strides);
    return context.reshape(slice.name, [batch, groups, 1, inChannels, positions]);
  });
  const stacked =
    slices.length === 1 ? slices[0]! : context.node("Concat", slices, { axis: { int: 2 } });
  const summed = slices.length * inChannels;
  const columns = context.reshape(stacked, [batch, groups, summed, positions]);

  const flat = [groups, outChannels, inChannels, slices.length];
  const weights = context.transpose(context.reshape(conv.rhs, flat), [0, 1, 3, 2]);
  const rows = context.reshape(weights, [groups, outChannels, summed]);
  const product = context.node("MatMul", [rows, columns]);
  return context.reshape(product, [batch, groups * outChannels, ...output]);
}

/** One product for each output position; the gradient of a filter is such a convolution, channels in the batch's place. */
export function convolveByOutputPosition(context: OperationContext, conv: Convolution): string {
  const { batch, groups, inChannels, outChannels, kernel, output } = conv;
  const { isPlain } = context.lowering;
  if (!isPlain && hasSmallData(conv)) return convolveByChannel(context, conv);
  const summed = inChannels * sizeOf(kernel);
  const split = [groups, outChannels, inChannels, ...kernel];
  const weights =
    groups === 1
      ? rotateLeft(context, { name: conv.rhs, shape: split.slice(1) }, 0)
      : rotateLeft(context, { name: context.reshape(conv.rhs, split), shape: split }, 1);
  const w = context.reshape(weights.name, [groups, summed, outChannels]);
  const product =
    !isPlain && slicesAreScattered(conv)
      ? productsOfColumns(context, conv, w)
      : productsOfRows(context, conv, w);
  // [groups, positions · batch, out]
  const axes = context.reshape(product, [groups, sizeOf(output), batch, outChannels]);
  const ordered = context.transpose(axes, [2, 0, 3, 1]);
  return context.reshape(ordered, [batch, groups * outChannels, ...output]);
}

/** A matrix product with fewer rows than this is bound by reading the other matrix. */
const fewRows = 8;

/** Whether the filter is what costs: few rows of data, and many numbers of the filter for each. */
function hasSmallData({ batch, groups, kernel, output }: Convolution): boolean {
  const isSmall = batch < fewRows || batch * sizeOf(output) <= 2 * fewRows;
  return groups === 1 && isSmall && sizeOf(kernel) >= 32;
}

/** One product for each channel and the sum over channels, so that the filter stays as it lies in memory. */
function convolveByChannel(context: OperationContext, conv: Convolution): string {
  const { batch, inChannels, outChannels, kernel, rhsDilation, output } = conv;
  const swap = [1, 0, ...kernel.map((_, axis) => axis + 2)];
  const taps = sizeOf(kernel);
  const w = context.reshape(context.transpose(conv.rhs, swap), [inChannels, outChannels, taps]);
  const { name, shape } = padded(context, conv);
  const x: Shaped = {
    name: context.transpose(name, swap),
    shape: swap.map((axis) => shape[axis]!),
  };
  const rows = positionsOf(conv).map((starts) => {
    const slice = strided(context, x, 2, starts, kernel, rhsDilation);
    return context.reshape(slice.name, [inChannels, batch, taps]);
  });
  const columns = stack(context, rows);
  // Where the runtime has its own kernels, for float32, it multiplies with a transpose without making it.
  const canFuse = conv.dtype === "float32" && context.lowering.kernels.convolutionBlock;
  const product = canFuse
    ? context.node("FusedMatMul", [w, columns], { transB: { int: 1 } }, "com.microsoft")
    : context.node("MatMul", [w, context.transpose(columns, [0, 2, 1])]);
  const sum = context.reduce("ReduceSum", product, [0]);
  const split = context.reshape(sum, [outChannels, sizeOf(output), batch]);
  return context.reshape(context.transpose(split, [2, 0, 1]), [batch, outChannels, ...output]);
}

/** Whether a slice would pick every other number: with the batch last it copies runs of memory instead. */
function slicesAreScattered({ batch, dtype, groups, rhsDilation }: Convolution): boolean {
  const canTranspose = groups === 1 && dtype === "float32";
  return canTranspose && batch >= fewRows && rhsDilation.some((factor) => factor > 1);
}

function productsOfRows(context: OperationContext, conv: Convolution, w: string): string {
  const { batch, groups, inChannels, kernel, rhsDilation } = conv;
  const x = padded(context, conv);
  const split = [batch, groups, inChannels, ...x.shape.slice(2)];
  const swap = [1, 0, ...split.map((_, axis) => axis).slice(2)];
  const grouped: Shaped =
    groups === 1
      ? x
      : {
          name: context.transpose(context.reshape(x.name, split), swap),
          shape: swap.map((axis) => split[axis]!),
        };
  const rows = positionsOf(conv).map((starts) => {
    const first = grouped.shape.length - kernel.length;
    const slice = strided(context, grouped, first, starts, kernel, rhsDilation);
    return context.reshape(slice.name, [groups, batch, inChannels * sizeOf(kernel)]);
  });
  if (batch < fewRows) return context.node("MatMul", [stack(context, rows), w]);
  return stack(
    context,
    rows.map((matrix) => context.node("MatMul", [matrix, w])),
  );
}

function productsOfColumns(context: OperationContext, conv: Convolution, w: string): string {
  const { batch, inChannels, outChannels, kernel, rhsDilation } = conv;
  const summed = inChannels * sizeOf(kernel);
  const x = rotateLeft(context, padded(context, conv), 0);
  const flat = context.reshape(w, [summed, outChannels]);
  const products = positionsOf(conv).map((starts) => {
    const lengths = [inChannels, ...kernel, batch];
    const slice = strided(context, x, 0, [0, ...starts, 0], lengths, [1, ...rhsDilation, 1]);
    const columns = context.reshape(slice.name, [summed, batch]);
    const product = context.node("Gemm", [columns, flat], { transA: { int: 1 } });
    return context.reshape(product, [1, batch, outChannels]);
  });
  return stack(context, products);
}

/** Where the filter stands for each output position. */
function positionsOf({ output, strides }: Convolution): number[][] {
  return indices(output).map((position) => position.map((p, axis) => p * strides[axis]!));
}

/** [groups, n, ...] of each, together [groups, positions · n, ...]. */
function stack(context: OperationContext, parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : context.node("Concat", parts, { axis: { int: 1 } });
}

/** Axis `first` goes to the end. */
function rotateLeft(context: OperationContext, { name, shape }: Shaped, first: number): Shaped {
  const axes = shape.map((_, axis) => axis);
  const perm = [...axes.slice(0, first), ...axes.slice(first + 1), first];
  return { name: context.transpose(name, perm), shape: perm.map((axis) => shape[axis]!) };
}

/** The data as the filter meets it: zeros inserted, padded, cut. */
function padded(context: OperationContext, conv: Convolution): Shaped {
  const { lhs, batch, groups, inChannels, spatial, lhsDilation, padding } = conv;
  const x = { name: lhs, shape: [batch, groups * inChannels, ...spatial] };
  const none = [0, 0] as const;
  return dilateAndPad(context, x, [1, 1, ...lhsDilation], [none, none, ...padding]);
}
