/**
 * Convolutions as matrix products, for the types ONNX's Conv lacks and for filters as large as the data.
 *
 *     y[n, o, p] = Σ_{c, k} x[n, c, p·stride + k·dilation] w[o, c, k]
 *
 * Either one strided slice of x per kernel offset k, and one product over (k, c); or one slice per output
 * position p, and one product over (c, k) for each. The gradient of a filter is a convolution whose
 * kernel is the output's cotangent, so the second is the one for it.
 */
import { sizeOf } from "../tensor.ts";
import type { OperationContext } from "./context.ts";
import type { Convolution } from "./conv-spec.ts";
import { dilateAndPad, indices, type Shaped, strided } from "./conv-window.ts";

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

/** One product for each output position. */
export function convolveByOutputPosition(context: OperationContext, conv: Convolution): string {
  const { batch, groups, inChannels, outChannels, kernel, output, strides, rhsDilation } = conv;
  const summed = inChannels * sizeOf(kernel);
  const grouped = groups > 1;
  const weights = context.reshape(conv.rhs, [groups, outChannels, summed]);
  const w = context.transpose(weights, [0, 2, 1]);

  let x = padded(context, conv);
  if (grouped) {
    const split = [batch, groups, inChannels, ...x.shape.slice(2)];
    const perm = [1, 0, ...split.map((_, axis) => axis).slice(2)];
    const name = context.transpose(context.reshape(x.name, split), perm);
    x = { name, shape: perm.map((axis) => split[axis]!) };
  }
  const products = indices(output).map((position) => {
    const starts = position.map((p, axis) => p * strides[axis]!);
    const slice = strided(context, x, grouped ? 3 : 2, starts, kernel, rhsDilation);
    const rows = context.reshape(slice.name, [groups, batch, summed]);
    return context.node("MatMul", [rows, w]);
  });
  // [groups, batch, out] for each position.
  if (products.length === 1 && !grouped) {
    return context.reshape(products[0]!, [batch, outChannels, ...output]);
  }
  const stacked =
    products.length === 1 ? products[0]! : context.node("Concat", products, { axis: { int: 0 } });
  const axes = context.reshape(stacked, [products.length, groups, batch, outChannels]);
  const ordered = context.transpose(axes, [2, 1, 3, 0]);
  return context.reshape(ordered, [batch, groups * outChannels, ...output]);
}

/** The data as the filter meets it: zeros inserted, padded, cut. */
function padded(context: OperationContext, conv: Convolution): Shaped {
  const { lhs, batch, groups, inChannels, spatial, lhsDilation, padding } = conv;
  const x = { name: lhs, shape: [batch, groups * inChannels, ...spatial] };
  const none = [0, 0] as const;
  return dilateAndPad(context, x, [1, 1, ...lhsDilation], [none, none, ...padding]);
}
