/** What other folders of the house take from this one besides its index; not part of the package's interface. */
export { type SelfCheck, selfCheck, verdictOf } from "./cleaning/self-check.ts";
export { cleaningTarget } from "./cleaning/target.ts";
export { checkpointOf } from "./tabular/checkpoint.ts";
export {
  compareMethods,
  type Comparison,
  describeMetric,
  type MetricInfo,
  onCommonSplits,
} from "./tabular/comparison.ts";
export { tuneDefaults } from "./tabular/defaults.ts";
export { metricsOfPrediction } from "./tabular/evaluate.ts";
export { predictEncoded } from "./tabular/predict.ts";
