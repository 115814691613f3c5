/**
 * One-stage hypergradient (T1–T2): only the direct effect of λ on single steps, never an effect through the weights.
 *
 *     γ = 0:   h = ∇_λ E(w_T, λ) + (∂Φ_T/∂λ)ᵀ ∇_w E(w_T, λ)
 *     γ > 0:   h = ∇_λ E(w_T, λ) + Σ_t γ^{T−t} (∂Φ_t/∂λ)ᵀ ∇_w E(w_t, λ)
 *
 * The first is truncation to one step; the second, the generalised greedy sum, judges every step by the outer
 * objective right after it, and needs no trajectory either.
 */
import {
  callTree,
  checkOptions,
  countElements,
  required,
  treeMap,
  checkCount,
} from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import type { numpy as np } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value, vjp } from "../../../program/index.ts";
import { measureDerivative, unrolledBound } from "../bounds-unrolled.ts";
import { asDynamics } from "../../dynamics.ts";
import { openFollower, weightsOf, type Follower } from "../../estimate/follower.ts";
import { addTrees, zerosLikeTree } from "../../estimate/leaves.ts";
import { zeroCotangents } from "../../estimate/prepare.ts";
import type { Arrays } from "../../problem.ts";
import type { Point, Rule } from "../../rule.ts";
import { refuseInit, splitSteps } from "./truncated.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link oneStage}. */
export interface OneStageOptions extends UnrolledOptions {
  /** γ, 0 ≤ γ ≤ 1: how much a step counts for each step that followed it. Default 0: only the last one counts. */
  readonly discount?: number;
}

/**
 * The hypergradient that sees one step at a time, for single-loop training with a warm start.
 *
 * Costs T inner gradients and 1 cross product (γ > 0: T cross products and T outer gradients), no Hessian-vector
 * product, and the memory of one state. Always biased, even at the follower's solution: for gradient descent with step s
 * on an inner objective with Hessian H it has s·I in the place of H⁻¹; use `truncated` or an implicit rule where the
 * size of the gradient matters.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1 or `discount` not in [0, 1]; TypeError, in an estimate, for a
 *   problem with an `init`, whose derivative the rule would drop.
 * @see Luketina et al., "Scalable gradient-based tuning of continuous regularization hyperparameters", ICML 2016, for
 *   γ = 0; Lee et al., "Online hyperparameter meta-learning with hypergradient distillation", ICLR 2022, for the sum.
 * @example
 * const rule = oneStage({ steps: 1, dynamics: gradientDescent({ learningRate: 0.1 }) });
 */
export function oneStage(options: OneStageOptions): Rule {
  checkOptions("oneStage", options, {
    discount: "number",
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, projection, discount = 0 } = options;
  checkCount("oneStage: steps", steps);
  if (!(discount >= 0 && discount <= 1)) {
    throw new RangeError(`oneStage: discount must be in [0, 1]; ${String(discount)} came.`);
  }
  const dynamics = asDynamics(options.dynamics);
  return {
    name: discount === 0 ? "one-stage" : "generalised-greedy",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias:
        discount === 0
          ? "it takes the weights before the last step as given, and leaves out how they depend on the hyperparameters"
          : "it sums the direct effects of single steps, and leaves out the effects through the weights between them",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound:
      discount === 0
        ? unrolledBound({ ...options, keep: 1 })
        : { kind: "none", why: "the discounted sum approximates no derivative of an objective" },
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      refuseInit("oneStage", problem);
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const sum = discount === 0 ? lastStage : greedySum;
      const { last, direct } = sum(program, point, follower, steps, discount);
      const { value, adjoint } = follower.outer(last);
      const h = callTree(program, addTrees, adjoint.h, direct.toLambda);
      const gradient = follower.prepared.inner.pull(h, direct.toData);
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: last,
        report: { ...follower.measure(last), ...measureDerivative(program, adjoint, gradient) },
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep,
          hessianVectorProducts: 0,
          crossProducts: discount === 0 ? 1 : steps,
          storedFloats: countElements(last),
          reportGradients: 2,
        },
      };
    },
  };
}

/** Direct effects of λ, and of the prepared inner data through which it acts too. */
type Direct = { readonly toLambda: Tree<Value>; readonly toData: Value[] };

/** (∂Φ_T/∂λ)ᵀ ∇_w E(w_T, λ) */
function lastStage(
  program: Program,
  point: Point,
  follower: Follower,
  steps: number,
): { last: Tree<Value>; direct: Direct } {
  const { batched = false } = point;
  const [head, tail] = splitSteps(program, follower, steps, 1);
  const before = steps > 1 ? follower.forward(follower.start, head)[0] : follower.start;
  const [last] = follower.forward(before, tail);
  const first = (all: Arrays): Arrays => treeMap((x: np.Array) => x.slice(0), all);
  const data = batched ? callTree(program, first, tail.batches) : follower.prepared.inner.data;
  const t = program.constant(tensor(steps - 1, { dtype: "int32" }));
  const direct = directEffect(program, point, follower, before, data, t, last);
  const stack = (x: np.Array): np.Array => x.reshape([1, ...x.shape]);
  const toData = batched ? direct.toData.map((x) => program.call(stack, x)) : direct.toData;
  return { last, direct: { ...direct, toData } };
}

/** Σ_t γ^{T−t} (∂Φ_t/∂λ)ᵀ ∇_w E(w_t, λ), summed on the way: sum ← γ·sum + the step's. */
function greedySum(
  program: Program,
  point: Point,
  follower: Follower,
  steps: number,
  discount: number,
): { last: Tree<Value>; direct: Direct } {
  const { batched = false } = point;
  const { inner } = follower.prepared;
  const discounted = (sum: Arrays, x: Arrays): Arrays =>
    treeMap((s: np.Array, y: np.Array) => s.mul(discount).add(y), sum, x);
  const zero: Direct = {
    toLambda: callTree(program, zerosLikeTree, point.lambda),
    toData: batched ? [] : zeroCotangents(program, inner),
  };
  const [{ state: last, sum }, perStep] = program.scan(
    { length: steps },
    ({ state, sum }: { state: Tree<Value>; sum: Direct }, batch: Tree<Value>, t) => {
      const data = batched ? batch : inner.data;
      const next = callTree(program, follower.step, state, point.lambda, data, t);
      const direct = directEffect(program, point, follower, state, data, t, next);
      const toLambda = callTree(program, discounted, sum.toLambda, direct.toLambda);
      if (batched) return [{ state: next, sum: { toLambda, toData: [] } }, direct.toData];
      const toData = callTree(program, discounted, sum.toData, direct.toData) as Value[];
      return [{ state: next, sum: { toLambda, toData } }, []];
    },
    { state: follower.start, sum: zero },
    follower.batches,
  );
  if (!batched) return { last, direct: sum };
  const weights = Array.from({ length: steps }, (_, i) => discount ** (steps - 1 - i));
  const weigh = (x: np.Array, weights: np.Array): np.Array =>
    x.mul(weights.reshape([steps, ...new Array<number>(x.ndim - 1).fill(1)]));
  const toData = perStep.map((x) =>
    program.call(weigh, x, program.constant(tensor(weights, { dtype: x.dtype }))),
  );
  return { last, direct: { ...sum, toData } };
}

/** (∂Φ_t/∂λ)ᵀ ∇_w E at the state after step t, and the same for the prepared data. */
function directEffect(
  program: Program,
  { lambda }: Point,
  follower: Follower,
  state: Tree<Value>,
  data: Tree<Value>,
  t: Value,
  next: Tree<Value>,
): Direct {
  const { floats, prepared, step } = follower;
  const { active } = prepared.inner;
  const pull = (
    state: Arrays,
    lambda: Arrays,
    data: Arrays,
    t: np.Array,
    alpha: np.Array[],
  ): Arrays[] => {
    const fromLambda = (l: Arrays, d: np.Array[]): np.Array[] =>
      floats.take(step(state, l, active.put(data, d), t));
    return vjp(fromLambda, lambda, active.take(data))[1](alpha);
  };
  const { alpha } = follower.outer(next).adjoint;
  const [toLambda, toData] = callTree(program, pull, state, lambda, data, t, alpha) as [
    Tree<Value>,
    Value[],
  ];
  return { toLambda, toData };
}
