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
  const slices = indices(output).map((position) => {
    const starts = position.map((p, axis) => p * strides[axis]!);
    const slice = strided(context, x, grouped ? 3 : 2, starts, kernel, rhsDilation);
    return context.reshape(slice.name, [groups, batch, summed]);
  });
  const positions = slices.length;
  const stack = (parts: readonly string[], axis: number): string =>
    positions === 1 ? parts[0]! : context.node("Concat", parts, { axis: { int: axis } });
  // With few rows a product is all reading of w: stack the rows and read it once.
  const product =
    batch < fewRows
      ? context.node("MatMul", [stack(slices, 1), w])
      : stack(
          slices.map((rows) => context.node("MatMul", [rows, w])),
          1,
        );
  // [groups, positions · batch, out]
  const axes = context.reshape(product, [groups, positions, batch, outChannels]);
  const ordered = context.transpose(axes, [2, 0, 3, 1]);
  return context.reshape(ordered, [batch, groups * outChannels, ...output]);
}

/** A matrix product with fewer rows than this is bound by reading the other matrix. */
const fewRows = 8;

/** The data as the filter meets it: zeros inserted, padded, cut. */
function padded(context: OperationContext, conv: Convolution): Shaped {
  const { lhs, batch, groups, inChannels, spatial, lhsDilation, padding } = conv;
  const x = { name: lhs, shape: [batch, groups * inChannels, ...spatial] };
  const none = [0, 0] as const;
  return dilateAndPad(context, x, [1, 1, ...lhsDilation], [none, none, ...padding]);
}
