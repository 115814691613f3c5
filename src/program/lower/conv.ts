/** The `conv` primitive: which way of computing a convolution suits its type and shapes. */
import type { Apply } from "../ir.ts";
import { type DType, sizeOf } from "../tensor.ts";
import type { Lower, OperationContext } from "./context.ts";
import { convolveByKernelOffset, convolveByOutputPosition } from "./conv-offsets.ts";
import { convolveDense } from "./conv-dense.ts";
import { type Convolution, foldBatchAxes } from "./conv-spec.ts";
import { convolveSwapped, isSwapProfitable } from "./conv-swap.ts";

export const conv: Lower = (context, operation) => {
  const output = operation.outputs[0]!;
  if ([...operation.inputs, output].some(({ shape }) => shape.includes(0))) {
    return [context.expand(context.scalar(0, output.dtype), output.shape)];
  }
  const dtype = workingType(operation);
  const name = foldBatchAxes(context, operation, dtype, convolve);
  return [dtype === output.dtype ? name : context.cast(name, output.dtype)];
};

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
