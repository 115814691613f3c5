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
export { bda, type BdaOptions } from "./rules/without-unique-solution/bda.ts";
export { bome, type BomeOptions } from "./rules/without-unique-solution/bome.ts";
export { f2sa, type F2saOptions } from "./rules/stochastic/f2sa.ts";
export {
  gradientPenalty,
  type GradientPenaltyOptions,
} from "./rules/without-unique-solution/gradient-penalty.ts";
export { iaptt, type IapttOptions } from "./rules/without-unique-solution/iaptt.ts";
export { logBarrier, type LogBarrierOptions } from "./rules/without-unique-solution/log-barrier.ts";
export {
  moreauEnvelope,
  type MoreauEnvelopeOptions,
} from "./rules/without-unique-solution/moreau-envelope.ts";
export { amigo, type AmigoOptions } from "./rules/stochastic/amigo.ts";
export { fsla, type FslaOptions } from "./rules/stochastic/fsla.ts";
export { mrbo, type MrboOptions } from "./rules/stochastic/mrbo.ts";
export { type OwnBatchOptions } from "./rules/stochastic/own-batches.ts";
export { pzobo, type PzoboOptions } from "./rules/stochastic/pzobo.ts";
export { saba, type SabaOptions } from "./rules/stochastic/saba.ts";
export { soba, type SobaOptions } from "./rules/stochastic/soba.ts";
export { srba, type SrbaOptions } from "./rules/stochastic/srba.ts";
export { stocBio, type StocBioOptions } from "./rules/stochastic/stocbio.ts";
export { sustain, type SustainOptions } from "./rules/stochastic/sustain.ts";
export { ttsa, type TtsaOptions } from "./rules/stochastic/ttsa.ts";
export { vrbo, type VrboOptions } from "./rules/stochastic/vrbo.ts";
export { type StochasticOptions } from "./rules/stochastic/stochastic.ts";
export { slBamm, slBammLeaderRate, type SlBammOptions } from "./rules/stochastic/sl-bamm.ts";
export {
  valuePenalty,
  type ValuePenaltyOptions,
} from "./rules/without-unique-solution/value-penalty.ts";
export { type Rate } from "./estimate/levels.ts";
export { implicit, type ImplicitOptions } from "./rules/implicit/implicit.ts";
export { implicitKkt, type ImplicitKktOptions } from "./rules/implicit/implicit-kkt.ts";
export { reverse, type ReverseOptions } from "./rules/explicit/reverse.ts";
export { forward } from "./rules/explicit/forward.ts";
export { realTime, type RealTimeOptions } from "./rules/explicit/real-time.ts";
export { truncated, type TruncatedOptions } from "./rules/explicit/truncated.ts";
export { oneStage, type OneStageOptions } from "./rules/explicit/one-stage.ts";
export { darts, type DartsOptions } from "./rules/explicit/darts.ts";
export { closedForm } from "./rules/explicit/closed-form.ts";
export { firstOrder } from "./rules/explicit/first-order.ts";
export { displacement } from "./rules/explicit/displacement.ts";
export { perTask, stackTasks } from "./tasks.ts";
export { type UnrolledOptions } from "./estimate/unrolled-options.ts";

export { type Report } from "./evaluate/report.ts";
export {
  type ErrorBound,
  type ErrorFormula,
  type ErrorTheory,
  type LocalConstant,
  type MeasuredNumbers,
  type ProblemConstants,
} from "./bounds.ts";
export { advise } from "./advise/advise.ts";
export { planMemory } from "./advise/plan.ts";
export {
  type Advice,
  type AdviseOptions,
  type InnerSolutions,
  type MemoryPlan,
  type Plan,
  type PlanKind,
  type PlannedRuleOptions,
  type PlanOptions,
  type Recommendation,
  type RuledOut,
} from "./advise/types.ts";
export { type Curvature } from "./advise/curvature.ts";
export { type MeasuredProblem } from "./advise/measure.ts";
export { type FiniteSum } from "./advise/finite-sum.ts";
export {
  type GradientNoise,
  type MinibatchNoise,
  type NoiseAlong,
} from "./advise/minibatch-noise.ts";
export {
  checkHypergradient,
  type Check,
  type CheckOptions,
  type DirectionCheck,
} from "./evaluate/check.ts";
export { type GivenType } from "./evaluate/check-given.ts";
export { type Difference } from "./evaluate/differences.ts";
export {
  disposePrograms,
  hypergradient,
  type EvaluationPoint,
  type Hypergradient,
  type Tensors,
} from "./evaluate/hypergradient.ts";
export type { Placement } from "../program/index.ts";

// The outer loop: solve, samplers, checkpoints.
export { solve, type Solve } from "./solve/solve.ts";
export {
  augmentedLagrangian,
  type AugmentedLagrangianOptions,
  type ConstrainedResult,
  type MultiplierUpdate,
} from "./solve/augmented-lagrangian.ts";
export { type Constraint, type Constraints } from "./estimate/constraints.ts";
export {
  type Best,
  type CheckpointOptions,
  type SolveOptions,
  type SolveResult,
  type SolveStep,
} from "./solve/options.ts";
export { type StepRecord } from "./solve/history.ts";
export { type Budget } from "./solve/budget.ts";
export { type EarlyStopping } from "./solve/early-stopping.ts";
export { type Run } from "./solve/run.ts";
export {
  minibatches,
  type MinibatchOptions,
  type MinibatchSampler,
  type Sampler,
  type Stream,
} from "./solve/samplers.ts";
export {
  fixedBatches,
  type FixedBatchOptions,
  type FixedBatchSampler,
} from "./solve/fixed-batches.ts";
export {
  CheckpointError,
  decodeCheckpoint,
  type Identity,
  type SolveState,
  type StateTrees,
} from "./solve/checkpoint.ts";
export {
  readCheckpointFile,
  writeCheckpointFile,
  type FileSystem,
  type OpenFile,
} from "./solve/checkpoint-file.ts";
export { decodeSafetensors } from "../program/index.ts";
export { encodeSafetensors } from "../program/index.ts";
export type { SafetensorsContent } from "../program/index.ts";
export { SafetensorsError } from "../program/index.ts";
