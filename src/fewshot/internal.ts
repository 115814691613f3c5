/** What the command line takes of this folder besides its index; not part of the package's interface. */
export {
  type Accuracy,
  type EvaluationDocument,
  formatEvaluation,
  readEvaluation,
  trainedAccuracy,
} from "./model-files/evaluation-file.ts";
export {
  modelFile,
  modelName,
  normalization,
  readModel,
  recordOf,
  trainedStepsOf,
} from "./model-files/model-file.ts";
export { checkClasses } from "./training/check-images.ts";
export { loadImages } from "./training/images.ts";
export {
  adaptsEncoder,
  checkLearnerOptions,
  defaultsOf,
  descends,
  hasHead,
  makeLearner,
  makeTestLearner,
  testRateOf,
} from "./configured/learners.ts";
export { percent } from "./training/percent.ts";
export { readResumePoint, type ResumePoint } from "./training/resume-point.ts";
export { runTraining, type TrainingOutcome } from "./training/run-training.ts";
export {
  type BatchNorm,
  batchNormModes,
  type LearnerName,
  learnerNames,
  omniglotSplits,
  type RuleName,
  ruleNames,
  settingsSchema,
  trainingEpisode,
  type TrainSettings,
  yesOrNo,
  type YesOrNo,
} from "./configured/settings.ts";
export { tellLoading } from "./training/tell-loading.ts";
export { bestLine } from "./training/training-log.ts";
export { checkSizes, firstLambda } from "./training/start.ts";
