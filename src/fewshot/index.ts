/** Few-shot learners as bilevel problems: episodes in, a shared λ out, followers that adapt to a support set. */
export {
  convolutionalEncoder,
  type Block,
  type Encoder,
  type EncoderOptions,
  type ImageShape,
  type Statistics,
} from "./encoder.ts";
export {
  type Adaptation,
  type Labelled,
  type Learner,
  type TaskShape,
  type TaskSource,
  type Training,
} from "./learner.ts";
export { type DescentOptions } from "./descent-learner.ts";
export { hyperRepresentation } from "./hyper-representation.ts";
export { firstOrderMaml, maml } from "./maml.ts";
export { anil } from "./anil.ts";
export { imaml } from "./imaml.ts";
export { reptile } from "./reptile.ts";
export { prototypical } from "./prototypical.ts";
export { matching } from "./matching.ts";
export { joint } from "./joint.ts";
export { train, type TrainOptions } from "./train.ts";
export {
  openClassifier,
  type Classifier,
  type ClassifierOptions,
  type Normalization,
} from "./classifier.ts";
export {
  evaluate,
  openEvaluation,
  type Evaluation,
  type EvaluationOptions,
  type Evaluator,
} from "./evaluate.ts";
export { populationStatistics } from "./population-statistics.ts";
export { decodeParameters, encodeParameters } from "./parameters-file.ts";
export { FewshotError } from "./fewshot-error.ts";
export { readModel, type FewshotModel, type ModelRecord } from "./model-files/model-file.ts";
export { exportRepresentation } from "./model-files/representation.ts";
export {
  type BatchNorm,
  type ImageSettings,
  type LearnerName,
  type LearnerSettings,
  type RuleName,
  type TrainSettings,
  type YesOrNo,
} from "./configured/settings.ts";
