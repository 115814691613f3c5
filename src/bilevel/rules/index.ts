/** The rules: how a hypergradient is found. One method is one file. */

// Explicit differentiation: through the steps of the follower.
export { closedForm } from "./explicit/closed-form.ts";
export { darts, type DartsOptions } from "./explicit/darts.ts";
export { displacement } from "./explicit/displacement.ts";
export { firstOrder } from "./explicit/first-order.ts";
export { forward } from "./explicit/forward.ts";
export { oneStage, type OneStageOptions } from "./explicit/one-stage.ts";
export { realTime, type RealTimeOptions } from "./explicit/real-time.ts";
export { reverse, type ReverseOptions } from "./explicit/reverse.ts";
export { truncated, type TruncatedOptions } from "./explicit/truncated.ts";

// Implicit differentiation: at the inner solution.
export { implicitKkt, type ImplicitKktOptions } from "./implicit/implicit-kkt.ts";
export { implicit, type ImplicitOptions } from "./implicit/implicit.ts";

// Inner problems without a unique or convex solution: value functions, penalties, barriers, aggregation.
export { bda, type BdaOptions } from "./without-unique-solution/bda.ts";
export { bome, type BomeOptions } from "./without-unique-solution/bome.ts";
export {
  gradientPenalty,
  type GradientPenaltyOptions,
} from "./without-unique-solution/gradient-penalty.ts";
export { iaptt, type IapttOptions } from "./without-unique-solution/iaptt.ts";
export { logBarrier, type LogBarrierOptions } from "./without-unique-solution/log-barrier.ts";
export {
  moreauEnvelope,
  type MoreauEnvelopeOptions,
} from "./without-unique-solution/moreau-envelope.ts";
export { valuePenalty, type ValuePenaltyOptions } from "./without-unique-solution/value-penalty.ts";

// Single-loop and stochastic methods.
export { amigo, type AmigoOptions } from "./stochastic/amigo.ts";
export { f2sa, type F2saOptions } from "./stochastic/f2sa.ts";
export { fsla, type FslaOptions } from "./stochastic/fsla.ts";
export { mrbo, type MrboOptions } from "./stochastic/mrbo.ts";
export { type OwnBatchOptions } from "./stochastic/own-batches.ts";
export { pzobo, type PzoboOptions } from "./stochastic/pzobo.ts";
export { saba, type SabaOptions } from "./stochastic/saba.ts";
export { slBamm, slBammLeaderRate, type SlBammOptions } from "./stochastic/sl-bamm.ts";
export { soba, type SobaOptions } from "./stochastic/soba.ts";
export { srba, type SrbaOptions } from "./stochastic/srba.ts";
export { stocBio, type StocBioOptions } from "./stochastic/stocbio.ts";
export { type StochasticOptions } from "./stochastic/stochastic.ts";
export { sustain, type SustainOptions } from "./stochastic/sustain.ts";
export { ttsa, type TtsaOptions } from "./stochastic/ttsa.ts";
export { vrbo, type VrboOptions } from "./stochastic/vrbo.ts";

// What their options are made of.
export { type Rate } from "../estimate/levels.ts";
