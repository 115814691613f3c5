export { compile, type CompiledFunction, type TensorsOf, toOnnx } from "./compile.ts";
export { grad, hvp, jvp, valueAndGrad, vjp } from "./derivatives.ts";
export { Executable, InputError, type Inputs } from "./executable.ts";
export { Value } from "./ir.ts";
export { LoweringError } from "./lower/index.ts";
export type { Binding } from "./binding.ts";
export { type OptimizeOptions, Program, type Values } from "./program.ts";
export type { Device, SessionOptions } from "./hosts/host.ts";
export { Resident, SessionError } from "./session.ts";
export {
  type DType,
  type Nested,
  type Shape,
  Tensor,
  tensor,
  type TensorLike,
  toTensor,
  type Tree,
  type TypedArray,
  zeros,
} from "./tensors/tensor.ts";
export {
  ArraySpec,
  checkScalarObjective,
  type Forbidden,
  forbidCapture,
  type JaxFunction,
  outputSpec,
  TraceError,
} from "./trace/trace.ts";
export type { Placement } from "./placement.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsContent,
  SafetensorsError,
} from "./tensors/safetensors.ts";
export { OnnxGraph } from "./onnx-graph.ts";
export type { Attribute, ElementType, GraphSpec, NodeSpec, TensorSpec, ValueSpec } from "./onnx.ts";
