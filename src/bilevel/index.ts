/** Bilevel problems, optimizers, constraints, hypergradients with their check and adviser, and the outer loop; rules/ has the rules. */
export { bilevel, type Arrays, type BilevelData, type Objective, type Problem } from "./problem.ts";

export { type Coefficient, type Optimizer, type Watched } from "./optimizers/optimizer.ts";
export { gradientDescent } from "./optimizers/gradient-descent.ts";
export { momentum } from "./optimizers/momentum.ts";
export { adam } from "./optimizers/adam.ts";
export { adamW } from "./optimizers/adam-w.ts";
export { sgd } from "./optimizers/sgd.ts";
export { stepDecay, warmup } from "./optimizers/warmup.ts";
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
  type SetSize,
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
export { readCheckpointFile, writeCheckpointFile } from "./solve/checkpoint-file.ts";
