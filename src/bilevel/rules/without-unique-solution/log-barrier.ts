/**
 * Value-function method with a logarithmic barrier (BVFSM): the response stays strictly inside L(y, λ) < ψ(λ), a
 * regularized inner minimum that the schedules let go to the exact one.
 *
 *     z: Q1 steps on L(z, λ) + (μ/2)‖z‖²;   ψ(λ) = L(z, λ) + (μ/2)‖z‖² + ε
 *     y: Q2 steps on E(y, λ) + (θ/2)‖y‖² − τ ln(ψ(λ) − L(y, λ))
 *     h = ∇_λ E(y, λ) + τ (∇_λ L(y, λ) − ∇_λ L(z, λ)) / (ψ(λ) − L(y, λ))
 */
import {
  callTree,
  checkOptions,
  countElements,
  treeMap,
  checkCount,
} from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { penaltyBound } from "../bounds-adjoint.ts";
import { powerLaw } from "../../optimizers/power-law.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import {
  checkRate,
  descend,
  gradientOf,
  openLevels,
  rateAt,
  type Rate,
} from "../../estimate/levels.ts";
import { nextStep, penaltyGradient, rateValue } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { dot } from "../../../linear/internal.ts";

/** Options of {@link logBarrier}. */
export interface LogBarrierOptions {
  /** Q2 ≥ 1, steps of the response y. Default 25. */
  readonly steps?: number;
  /** First trial of the response's step, over the outer steps; halved until the barrier's objective falls enough. */
  readonly learningRate: Rate;
  /** Q1 ≥ 1, steps of the minimizer z. Default 50. */
  readonly valueSteps?: number;
  /** Of the minimizer's steps. Default: as `learningRate`. */
  readonly valueLearningRate?: Rate;
  /** Where z starts in each outer step: at y ("response", the default), or where it ended last ("warm"). */
  readonly valueStart?: "response" | "warm";
  /** τ > 0 over the outer steps. Default `powerLaw({ initial: 0.01, power: -0.5 })`. */
  readonly barrier?: Rate;
  /** ε > 0 over the outer steps: room between the inner minimum and the bound. Default `powerLaw({ initial: 1, power: -0.5 })`. */
  readonly margin?: Rate;
  /** μ ≥ 0 over the outer steps. Default 0. */
  readonly valueRegularization?: Rate;
  /** θ ≥ 0 over the outer steps. Default 0. */
  readonly regularization?: Rate;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The gradient of the barrier problem at the follower's response, by first derivatives alone.
 *
 * Costs Q1 + Q2 + 2 gradients of the inner and Q2 + 1 of the outer objective, and evaluations of both for the response's
 * steps, which backtrack until the barrier's objective falls (Armijo): no step leaves the set where the logarithm is
 * finite. A response that the leader's step left outside starts at z. Keeps no trajectory; assumes no convexity. The
 * state carries y, z and the number of outer steps: start warm.
 *
 * The report measures `gap`, L(y, λ) − L(z, λ), `responseDistance`, ‖y − z‖, `valueGradientNorm`, ‖∇_w L(z, λ)‖, `slack`,
 * ψ(λ) − L(y, λ), `barrier`, τ, and `penalizedGradientNorm`, that of E + (τ/slack)·L at y.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`, or `valueStart` is neither
 *   word.
 * @see Liu et al., "A value-function-based interior-point method for non-convex bi-level optimization", ICML 2021.
 */
export function logBarrier(options: LogBarrierOptions): Rule {
  checkOptions("logBarrier", options, {
    steps: "number",
    learningRate: "any!",
    valueSteps: "number",
    valueLearningRate: "any",
    valueStart: "string",
    barrier: "any",
    margin: "any",
    valueRegularization: "any",
    regularization: "any",
    tolerance: TOLERANCE,
  });
  const { steps = 25, valueSteps = 50, learningRate, valueStart = "response" } = options;
  const {
    valueLearningRate = learningRate,
    barrier = powerLaw({ initial: 0.01, power: -0.5 }),
    margin = powerLaw({ initial: 1, power: -0.5 }),
    valueRegularization = 0,
    regularization = 0,
  } = options;
  checkCount("logBarrier: steps", steps);
  checkCount("logBarrier: valueSteps", valueSteps);
  checkRate("logBarrier: learningRate", learningRate, { above: 0 });
  checkRate("logBarrier: valueLearningRate", valueLearningRate, { above: 0 });
  checkRate("logBarrier: barrier", barrier, { above: 0 });
  checkRate("logBarrier: margin", margin, { above: 0 });
  checkRate("logBarrier: valueRegularization", valueRegularization, { atLeast: 0 });
  checkRate("logBarrier: regularization", regularization, { atLeast: 0 });
  if (valueStart !== "response" && valueStart !== "warm") {
    throw new TypeError(
      `logBarrier: valueStart must be "response" or "warm"; ${String(valueStart)} came.`,
    );
  }
  const innerSteps = Math.max(steps, valueSteps);
  return {
    name: "log-barrier",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it is that of the outer objective with a barrier around the nearly optimal responses, whose minimizer approaches the leader's only as barrier, margin and regularization go to 0",
    },
    innerSteps,
    tolerance: fullTolerance(options.tolerance),
    bound: penaltyBound(({ barrier, slack }) => barrier! / slack!),
    init: (w) => ({ w, z: w, k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "logBarrier", problem, point, innerSteps);
      const { lambda } = point;
      const { w, z: lastZ, k } = point.state as State;
      const tau = rateValue(program, barrier, k, w);

      const toMinimizer = (
        z: Arrays,
        lambda: Arrays,
        inner: Arrays,
        _outer: Arrays,
        k: np.Array,
      ): Arrays => {
        const regularized = (z: Arrays): np.Array => {
          const value = problem.inner(z, lambda, inner);
          return value.add(halfSquare(z).mul(rateAt(valueRegularization, k, value.dtype)));
        };
        return descend(z, gradientOf(regularized, z), (d) => rateAt(valueLearningRate, k, d));
      };
      const z = levels.repeat(valueSteps, toMinimizer, valueStart === "warm" ? lastZ : w, k);

      const boundAt = (z: Arrays, lambda: Arrays, inner: Arrays, k: np.Array): np.Array => {
        const value = problem.inner(z, lambda, inner);
        const at = (rate: Rate): np.Array => rateAt(rate, k, value.dtype);
        return value.add(halfSquare(z).mul(at(valueRegularization))).add(at(margin));
      };
      const bound = program.call(boundAt, z, lambda, levels.data.inner, k);
      const slackAt = (y: Arrays, lambda: Arrays, inner: Arrays, bound: np.Array): np.Array =>
        bound.sub(problem.inner(y, lambda, inner));
      const enter = (...[y, lambda, inner, bound, z]: [...Slack, Arrays]): Arrays => {
        const isInside = np.greater(slackAt(y, lambda, inner, bound), 0);
        return treeMap((y: np.Array, z: np.Array) => np.where(isInside, y, z), y, z);
      };
      const inside = callTree(program, enter, w, lambda, levels.data.inner, bound, z);

      const objective = (y: Arrays, context: Context): np.Array => {
        const { lambda, inner, outer, bound, tau, k } = context;
        const value = problem.outer(y, lambda, outer);
        return value
          .add(halfSquare(y).mul(rateAt(regularization, k, value.dtype)))
          .sub(np.log(slackAt(y, lambda, inner, bound)).mul(tau));
      };
      const begin = (y: Arrays, context: Context): Search<np.Array> => {
        const gradient = gradientOf((y) => objective(y, context), y);
        return { at: objective(y, context), gradient, square: halfSquare(gradient).mul(2) };
      };
      const attempt = (
        y: Arrays,
        context: Context,
        { at, gradient, square }: Search<np.Array>,
        rate: np.Array,
      ): Attempt<np.Array> => {
        const next = descend(y, gradient, (dtype) => rate.astype(dtype));
        const wanted = at.sub(square.mul(rate).mul(1e-4));
        return { rate, next, isLower: np.lessEqual(objective(next, context), wanted) };
      };
      const first = rateValue(program, learningRate, k, w);
      const toResponse = ({ y, rate }: Trial<Value>, inner: Tree<Value>): Tree<Value> => {
        const context = { lambda, inner, outer: levels.data.outer, bound, tau, k };
        const search = program.call(begin as never, y, context as never) as Search<Value>;
        const tryRate = (rate: Value): Attempt<Value> =>
          program.call(attempt as never, y, context as never, search, rate) as Attempt<Value>;
        const { carry } = program.while(
          { limit: 50 },
          ({ isLower }) => program.call((isLower: np.Array) => np.logicalNot(isLower), isLower),
          ({ rate }) => tryRate(program.call((rate: np.Array) => rate.mul(0.5), rate)),
          tryRate(rate),
        );
        // The next search starts at twice this one's rate, which saves most of its trials.
        const accept = (
          y: Arrays,
          { next, rate, isLower }: Attempt<np.Array>,
          first: np.Array,
        ): Trial<np.Array> => ({
          y: treeMap((y: np.Array, next: np.Array) => np.where(isLower, next, y), y, next),
          rate: np.where(isLower, np.minimum(rate.mul(2), first), first),
        });
        return callTree(program, accept, y, carry, first);
      };
      const trial = levels.loop(steps, (trial, inner) => toResponse(trial as Trial<Value>, inner), {
        y: inside,
        rate: first,
      });
      const { y } = trial as Trial<Value>;
      const slack = program.call(slackAt, y, lambda, levels.data.inner, bound);
      const weight = program.call((tau: np.Array, slack: np.Array) => tau.div(slack), tau, slack);
      const penalized = penaltyGradient(program, levels, y, z, weight);
      return {
        value: levels.outerValue(y),
        gradient: penalized.gradient,
        w: y,
        state: { w: y, z, k: nextStep(program, k) },
        report: {
          ...levels.measure(w, y),
          ...levels.measureGap(y, z),
          ...penalized.measured,
          slack,
          barrier: tau,
        },
        cost: {
          innerGradients: valueSteps + steps + 2,
          outerGradients: steps + 1,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: countElements(z),
          reportGradients: 3,
        },
      };
    },
  };
}

type State = { readonly w: Tree<Value>; readonly z: Tree<Value>; readonly k: Value };
type Slack = [y: Arrays, lambda: Arrays, inner: Arrays, bound: np.Array];
type Context = {
  readonly lambda: Arrays;
  readonly inner: Arrays;
  readonly outer: Arrays;
  readonly bound: np.Array;
  readonly tau: np.Array;
  readonly k: np.Array;
};
/** The response, and the rate that its next step tries first. */
type Trial<T> = { readonly y: Tree<T>; readonly rate: T };
/** Where a line search starts. */
type Search<T> = { readonly at: T; readonly gradient: Tree<T>; readonly square: T };
/** One step of a line search. */
type Attempt<T> = { readonly rate: T; readonly next: Tree<T>; readonly isLower: T };

/** ½‖x‖² over all leaves. */
function halfSquare(x: Arrays): np.Array {
  return dot(x, x).mul(0.5);
}
