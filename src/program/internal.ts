/** What other folders of the house take from this one besides its index; not part of the package's interface. */
export {
  checkArgument,
  checkOptions,
  describeValue,
  hasMembers,
  type NestedOptions,
  type Part,
  required,
} from "./check-options.ts";
export { walk } from "./ir.ts";
export { OnnxGraph } from "./onnx-graph.ts";
export {
  type Attribute,
  type ElementType,
  encodeModel,
  type GraphSpec,
  type ModelSpec,
  type NodeSpec,
  type TensorSpec,
  type ValueSpec,
} from "./onnx.ts";
export { type Placement, placementOf } from "./placement.ts";
export { type Built, ProgramCache } from "./program-cache.ts";
export { select, selectFloats, type Selection } from "./selection.ts";
export {
  describeTree,
  fingerprintOfBytes,
  fingerprintOfText,
  fingerprintOfTree,
} from "./tensors/fingerprint-tree.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsContent,
  SafetensorsError,
} from "./tensors/safetensors.ts";
export { allocate, sizeOf } from "./tensors/tensor.ts";
export { callTree, countElements, leafPaths, specsOf, treeMap } from "./trees.ts";
