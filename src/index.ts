/**
 * What a first program needs: `bilevel` states a problem, a rule such as `reverse` says how its hypergradient is found,
 * `solve` turns the outer crank, `checkHypergradient` says whether to trust the gradient. Everything else has a door of its
 * own: `stackelberg/bilevel`, `/rules`, `/linear`, `/program`, `/data`, `/fewshot`, `/automl`.
 */
export {
  adam,
  type Advice,
  advise,
  bilevel,
  type BilevelData,
  box,
  type Check,
  checkHypergradient,
  CheckpointError,
  disposePrograms,
  gradientDescent,
  hypergradient,
  type Hypergradient,
  minibatches,
  momentum,
  nonNegative,
  type Objective,
  type Problem,
  type Report,
  type Rule,
  simplex,
  solve,
  type SolveOptions,
  type SolveResult,
  type Status,
} from "./bilevel/index.ts";
export { implicit, oneStage, reverse, truncated } from "./bilevel/rules/index.ts";
export { conjugateGradient, neumann } from "./linear/index.ts";
export {
  compile,
  InputError,
  SessionError,
  type SessionOptions,
  tensor,
  Tensor,
  type TensorLike,
  TraceError,
  type Tree,
  zeros,
} from "./program/index.ts";
