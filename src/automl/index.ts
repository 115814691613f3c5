/** Ready-made jobs on top of bilevel problems: tuning a linear model of a table. */
export { decodeCheckpoint, encodeCheckpoint, type TuneCheckpoint } from "./tabular/checkpoint.ts";
export { demoTable, type Demo } from "./tabular/demo.ts";
export { exportModel, onnxInputs, type OnnxInput } from "./tabular/export-model.ts";
export { predictTable, type Prediction } from "./tabular/predict.ts";
export {
  curvatureOf,
  tabularDynamics,
  tabularProblem,
  type Coefficients,
  type Rows,
  type TrainingData,
  type Weights,
} from "./families/linear/problem.ts";
export { tune } from "./tabular/tune.ts";
export type {
  HistoryEntry,
  Method,
  MethodResult,
  TabularModel,
  TuneAdvice,
  TunedInput,
  TuneEvent,
  TuneOptions,
  TuneResult,
  UsedRule,
} from "./tabular/types.ts";
