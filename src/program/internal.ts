/** What other folders of the house take from this one besides its index; not part of the package's interface. */
export {
  checkArgument,
  checkCount,
  checkOptions,
  describeValue,
  hasMembers,
  type NestedOptions,
  type OptionKind,
  type Part,
  required,
  withDefaults,
} from "./check-options.ts";
export { walk } from "./ir.ts";
export { encodeModel, type ModelSpec } from "./onnx.ts";
export { placementOf } from "./placement.ts";
export { type Built, ProgramCache } from "./program-cache.ts";
export { select, selectFloats, type Selection } from "./selection.ts";
export {
  describeTree,
  fingerprintOfBytes,
  fingerprintOfText,
  fingerprintOfTree,
} from "./tensors/fingerprint-tree.ts";
export { allocate, sizeOf } from "./tensors/tensor.ts";
export { callTree } from "./call-tree.ts";
export { countElements, leafPaths, specsOf, treeMap } from "./trees.ts";
