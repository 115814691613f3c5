/** Ready-made jobs on top of bilevel problems: models of tables, tuned and compared, and rows whose labels are doubtful. */
export type {
  Attribute,
  ElementType,
  GraphSpec,
  NodeSpec,
  TensorSpec,
  ValueSpec,
} from "../program/index.ts";
export type { OnnxGraph } from "../program/index.ts";
export { rankRows, type Ranking, type RankOptions } from "./cleaning/rank.ts";
export { families, familyNamed } from "./families/index.ts";
export type { ExplainedBar, ExplainedInput, Explanation } from "./families/explanation.ts";
export type { FamilyRun, FitSize, Fitted, ModelFamily, OpenFamily } from "./families/family.ts";
export type { Found, Method, MethodContext, MethodInfo } from "./families/method.ts";
export type { OnnxLevels, OnnxRows } from "./families/onnx-rows.ts";
export type { EncodedRows, EncodingPlan, SplitPlan } from "./families/rows.ts";
export type {
  HistoryEntry,
  Hold,
  SearchRecord,
  SearchState,
  TuneAdvice,
  UsedRule,
} from "./families/search-record.ts";
export { decodeCheckpoint, encodeCheckpoint } from "./tabular/checkpoint.ts";
export { demoTable, type Demo } from "./tabular/demo.ts";
export { exportModel, onnxInputs, type OnnxInput } from "./tabular/export-model.ts";
export { encodeTabularModel, type TabularModel } from "./tabular/model.ts";
export { checkModel } from "./tabular/model-schema.ts";
export { predictTable, type Prediction } from "./tabular/predict.ts";
export type { MethodRecord, OuterState, TuneCheckpoint } from "./tabular/record.ts";
export { tune } from "./tabular/tune.ts";
export type {
  ChosenModel,
  MethodResult,
  TuneEvent,
  TuneOptions,
  TuneResult,
} from "./tabular/types.ts";
