/** The `conv` primitive: which way of computing a convolution suits its type and shapes. */
import type { Apply } from "../../ir.ts";
import { type DType, sizeOf } from "../../tensors/tensor.ts";
import type { Lower, OperationContext } from "../context.ts";
import { convolveByKernelOffset, convolveByOutputPosition } from "./offsets.ts";
import { convolveDense } from "./dense.ts";
import { type Convolution, foldBatchAxes, sharedBatchAxes } from "./spec.ts";
import { convolveSwapped, isSwapProfitable } from "./swap.ts";

export const conv: Lower = (context, operation) => {
  const output = operation.outputs[0]!;
  if ([...operation.inputs, output].some(({ shape }) => shape.includes(0))) {
    return [context.expand(context.scalar(0, output.dtype), output.shape)];
  }
  const dtype = workingType(operation);
  const name = foldBatchAxes(context, operation, dtype, convolve);
  return [dtype === output.dtype ? name : context.cast(name, output.dtype)];
};

/**
 * The sum of a `conv` that nothing else uses over vmap axes that both its operands carry (tasks that share a filter, in
 * its gradient): one convolution that sums over more channels, where there would be one for each task.
 *
 * @returns the sum over those axes and the axes of its result still to be summed over; undefined where there are none.
 */
export function sumOfConvolutions(
  context: OperationContext,
  operation: Apply,
): { name: string; axes: readonly number[] } | undefined {
  const [x] = operation.inputs;
  const definition = context.lowering.definition(x!);
  if (definition?.kind !== "apply" || definition.primitive !== "conv") return undefined;
  if (context.lowering.uses(x!) !== 1 || x!.shape.includes(0)) return undefined;
  if (x!.dtype !== "float32" && x!.dtype !== "float64") return undefined;
  const axes = operation.params["axis"] as number[];
  const summed = sharedBatchAxes(context, definition, axes);
  if (summed.length === 0) return undefined;
  const rest = axes.filter((axis) => !summed.includes(axis));
  return {
    name: foldBatchAxes(context, definition, x!.dtype, convolve, summed),
    axes: rest.map((axis) => axis - summed.filter((other) => other < axis).length),
  };
}

/** The type with kernels for the sum; a boolean sum of products is "any". */
function workingType(operation: Apply): DType {
  const { dtype } = operation.outputs[0]!;
  if (dtype === "float16") return "float32";
  return dtype === "bool" ? "int32" : dtype;
}

function convolve(context: OperationContext, convolution: Convolution): string {
  if (isSwapProfitable(convolution)) return convolveSwapped(context, convolution, convolve);
  const { dtype, kernel, output } = convolution;
  const [offsets, positions] = [sizeOf(kernel), sizeOf(output)];
  if (positions < offsets || kernel.length === 0) {
    return convolveByOutputPosition(context, convolution);
  }
  return dtype === "float32"
    ? convolveDense(context, convolution)
    : convolveByKernelOffset(context, convolution);
}
