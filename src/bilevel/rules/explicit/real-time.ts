/**
 * Real-time (online) forward hypergradient: the follower trains once, and the leader moves while it does.
 *
 *     w, Z go on from the last outer step;   for Δ steps:   Z ← (∂Φ_t/∂w) Z + ∂Φ_t/∂λ,  w ← Φ_t(w, λ)
 *     h = ∇_λ E(w, λ) + Zᵀ ∇_w E(w, λ)
 *
 * Z sums what hyperparameters of earlier outer steps did, each at its own value of λ.
 */
import { checkOptions, countElements, required, checkCount } from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import { tensor, type Tree, type Value } from "../../../program/index.ts";
import { measureDerivative, unrolledBound } from "../bounds-unrolled.ts";
import { asDynamics } from "../../dynamics.ts";
import { forwardPass, leftOutReport, warmBias } from "../../estimate/left-out.ts";
import { openFollower, weightsOf } from "../../estimate/follower.ts";
import type { Rule } from "../../rule.ts";
import { openTangents, zeroTangents } from "../../estimate/tangents.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link realTime}. */
export interface RealTimeOptions extends UnrolledOptions {
  /** Δ ≥ 1: the follower's steps between two hypergradients. */
  readonly steps: number;
  /**
   * What an outer step does with Z. "keep" (default): it goes on, and while λ rests the hypergradient is that of all
   * steps since the start. "reset": it starts at 0, and the hypergradient is that of the last Δ steps, with the
   * weights before them taken as given.
   */
  readonly tangents?: "keep" | "reset";
}

/**
 * The hypergradient of a follower that is never restarted: weights, memory, the dynamics' step index and Z go on from
 * one outer step to the next. Use it in `solve` with its default `start: "warm"`.
 *
 * Costs, per outer step and for m hyperparameters, Δ inner gradients, Δ·m Hessian-vector and Δ·m cross products;
 * memory m·|w|. Biased as soon as λ moves: the smaller the leader's steps, the less. As with `forward`, objectives must
 * not use `lax.reduceWindow`.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1; TypeError, in an estimate, for a problem with an `init`,
 *   which would restart the follower.
 * @see Franceschi et al., "Forward and reverse gradient-based hyperparameter optimization", ICML 2017, section 3.3.
 * @example
 * const rule = realTime({ steps: 10, dynamics: gradientDescent({ learningRate: 0.1 }) });
 */
export function realTime(options: RealTimeOptions): Rule {
  checkOptions("realTime", options, {
    steps: "number!",
    tangents: "string",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, projection, tangents: policy = "keep" } = options;
  checkCount("realTime: steps", steps);
  if (policy !== "keep" && policy !== "reset") {
    throw new TypeError(`realTime: tangents must be "keep" or "reset"; ${String(policy)} came.`);
  }
  const keeps = policy === "keep";
  const dynamics = asDynamics(options.dynamics);
  return {
    name: keeps ? "real-time" : "real-time with reset",
    needs: {
      batching: true,
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|λ|·|w|)",
      ...(keeps
        ? {
            bias: "what earlier steps contribute was computed at the hyperparameters of their time",
          }
        : { warmBias: warmBias(steps) }),
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: keeps
      ? {
          kind: "none",
          why: "its tangents were made at hyperparameters of earlier outer steps too",
        }
      : unrolledBound({ ...options, keep: steps }),
    ...(!keeps && leftOutReport(steps, false)),
    init: (w, lambda) => {
      const state = dynamics.init(w);
      const tangents = keeps ? zeroTangents(state, lambda) : [];
      return { ...state, tangents, step: np.array(0, { dtype: np.int32 }) };
    },
    estimate: (program, problem, point) => {
      if (problem.init) {
        throw new TypeError(
          "realTime: the follower goes on from step to step, but the problem's init restarts it; leave init out, or use forward or reverse.",
        );
      }
      const { w, memory, tangents: saved, step } = point.state as unknown as RealTimeState;
      const follower = openFollower(
        program,
        problem,
        { ...point, state: { w, memory } as Tree<Value> },
        { steps, dynamics, project: projection, first: step },
      );
      const tangents = openTangents(program, problem, point, follower);
      const { isWarm = false } = point;
      const { last, z, leftOut } = forwardPass(
        program,
        tangents,
        { state: follower.start, z: keeps ? saved : tangents.start },
        { first: step, length: steps, batches: follower.batches },
        isWarm && !keeps,
      );
      const { value, adjoint } = follower.outer(last);
      const gradient = tangents.gradient(adjoint, z);
      const derivative = measureDerivative(program, adjoint, gradient);
      const made = program.constant(tensor(steps, { dtype: "int32" }));
      const state: RealTimeState = {
        ...(last as unknown as RealTimeState),
        tangents: keeps ? z : [],
        step: program.call((step: np.Array, made: np.Array) => step.add(made), step, made),
      };
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: state as unknown as Tree<Value>,
        report: {
          ...follower.measure(last),
          ...derivative,
          ...leftOut(adjoint, derivative.indirectGradientNorm),
        },
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep,
          hessianVectorProducts: steps * countElements(point.lambda),
          crossProducts: steps * countElements(point.lambda),
          storedFloats: tangents.storedFloats,
          reportGradients: 2,
        },
      };
    },
  };
}

/** The follower's state with what the rule carries on besides. */
interface RealTimeState {
  readonly w: Tree<Value>;
  readonly memory: Tree<Value>;
  /** Z; an empty list when it is reset. */
  readonly tangents: Value[];
  /** Steps made so far, an int32 scalar. */
  readonly step: Value;
}
