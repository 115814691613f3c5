/** Bilevel problems, optimizers, hypergradient rules, their check, and the outer loop. */
export { bilevel, type Arrays, type BilevelData, type Objective, type Problem } from "./problem.ts";

export { type Coefficient, type Optimizer, type Watched } from "./optimizers/optimizer.ts";
export { gradientDescent } from "./optimizers/gradient-descent.ts";
export { momentum } from "./optimizers/momentum.ts";
export { adam } from "./optimizers/adam.ts";
export { clipped } from "./optimizers/clipped.ts";
export { linearRamp } from "./optimizers/linear-ramp.ts";
export { powerLaw } from "./optimizers/power-law.ts";
export {
  constant,
  cosineDecay,
  exponentialDecay,
  inverseTimeDecay,
  type Schedule,
} from "./optimizers/schedule.ts";

export { contraction, type Dynamics, type FollowerState, type InnerObjective } from "./dynamics.ts";
export {
  box,
  boxWithinL1Ball,
  nonNegative,
  simplex,
  type BoxBound,
  type Projection,
} from "./projections.ts";

export {
  type Cost,
  type Estimate,
  type Measured,
  type Needs,
  type Point,
  type Rule,
  type Status,
  type Tolerance,
  type Verdict,
} from "./rule.ts";
export { bda, type BdaOptions } from "./rules/bda.ts";
export { bome, type BomeOptions } from "./rules/bome.ts";
export { f2sa, type F2saOptions } from "./rules/f2sa.ts";
export { gradientPenalty, type GradientPenaltyOptions } from "./rules/gradient-penalty.ts";
export { iaptt, type IapttOptions } from "./rules/iaptt.ts";
export { logBarrier, type LogBarrierOptions } from "./rules/log-barrier.ts";
export { moreauEnvelope, type MoreauEnvelopeOptions } from "./rules/moreau-envelope.ts";
export { amigo, type AmigoOptions } from "./rules/amigo.ts";
export { fsla, type FslaOptions } from "./rules/fsla.ts";
export { mrbo, type MrboOptions } from "./rules/mrbo.ts";
export { type OwnBatchOptions } from "./rules/own-batches.ts";
export { pzobo, type PzoboOptions } from "./rules/pzobo.ts";
export { saba, type SabaOptions } from "./rules/saba.ts";
export { soba, type SobaOptions } from "./rules/soba.ts";
export { srba, type SrbaOptions } from "./rules/srba.ts";
export { stocBio, type StocBioOptions } from "./rules/stocbio.ts";
export { sustain, type SustainOptions } from "./rules/sustain.ts";
export { ttsa, type TtsaOptions } from "./rules/ttsa.ts";
export { vrbo, type VrboOptions } from "./rules/vrbo.ts";
export { type StochasticOptions } from "./rules/stochastic.ts";
export { slBamm, slBammLeaderRate, type SlBammOptions } from "./rules/sl-bamm.ts";
export { valuePenalty, type ValuePenaltyOptions } from "./rules/value-penalty.ts";
export { type Rate } from "./rules/levels.ts";
export { implicit, type ImplicitOptions } from "./rules/implicit.ts";
export { implicitKkt, type ImplicitKktOptions } from "./rules/implicit-kkt.ts";
export { reverse, type ReverseOptions } from "./rules/reverse.ts";
export { forward } from "./rules/forward.ts";
export { realTime, type RealTimeOptions } from "./rules/real-time.ts";
export { truncated, type TruncatedOptions } from "./rules/truncated.ts";
export { oneStage, type OneStageOptions } from "./rules/one-stage.ts";
export { darts, type DartsOptions } from "./rules/darts.ts";
export { type UnrolledOptions } from "./rules/unrolled-options.ts";

export { type Report } from "./report.ts";
export {
  type ErrorBound,
  type ErrorFormula,
  type ErrorTheory,
  type LocalConstant,
  type MeasuredNumbers,
  type ProblemConstants,
} from "./bounds.ts";
export {
  advise,
  type Advice,
  type AdviseOptions,
  type InnerSolutions,
  type Recommendation,
  type RuledOut,
} from "./advise.ts";
export { type Curvature } from "./curvature.ts";
export { type MeasuredProblem } from "./measure.ts";
export { type FiniteSum } from "./finite-sum.ts";
export { type GradientNoise, type MinibatchNoise, type NoiseAlong } from "./minibatch-noise.ts";
export {
  planMemory,
  type MemoryPlan,
  type Plan,
  type PlanKind,
  type PlannedRuleOptions,
  type PlanOptions,
} from "./plan.ts";
export { checkHypergradient, type Check, type CheckOptions, type DirectionCheck } from "./check.ts";
export { type GivenType } from "./check-given.ts";
export { type Difference } from "./differences.ts";
export {
  disposePrograms,
  hypergradient,
  type EvaluationPoint,
  type Hypergradient,
  type Tensors,
} from "./hypergradient.ts";
export { type Placement } from "./placement.ts";

// The outer loop: solve, samplers, checkpoints.
export { solve, type Solve } from "./solve.ts";
export {
  augmentedLagrangian,
  type AugmentedLagrangianOptions,
  type ConstrainedResult,
  type MultiplierUpdate,
} from "./augmented-lagrangian.ts";
export { type Constraint, type Constraints } from "./constraints.ts";
export {
  type Best,
  type CheckpointOptions,
  type SolveOptions,
  type SolveResult,
  type SolveStep,
} from "./solve-options.ts";
export { type StepRecord } from "./history.ts";
export { type Budget } from "./budget.ts";
export { type EarlyStopping } from "./early-stopping.ts";
export { type Run } from "./run.ts";
export {
  minibatches,
  type MinibatchOptions,
  type MinibatchSampler,
  type Sampler,
  type Stream,
} from "./samplers.ts";
export { fixedBatches, type FixedBatchOptions, type FixedBatchSampler } from "./fixed-batches.ts";
export {
  CheckpointError,
  decodeCheckpoint,
  type Identity,
  type SolveState,
  type StateTrees,
} from "./checkpoint.ts";
export {
  readCheckpointFile,
  writeCheckpointFile,
  type FileSystem,
  type OpenFile,
} from "./checkpoint-file.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  SafetensorsError,
  type SafetensorsContent,
} from "./safetensors.ts";
