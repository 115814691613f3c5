/**
 * Partial zeroth-order-like bilevel optimizer (PZOBO): how the follower responds to the leader is estimated along Gaussian
 * directions, from differences of what T steps reach, so that no second derivative appears (an evolution strategy).
 *
 *     u_j ~ N(0, I),  j = 1..Q;   w_T(λ): T steps of the dynamics from the same start
 *     δ_j = (w_T(λ + μ u_j) − w_T(λ)) / μ
 *     h = ∇_λ E(w_T, λ) + (1/Q) Σ_j ⟨δ_j, ∇_w E(w_T, λ)⟩ u_j
 *
 * All runs of one outer step see the same minibatches.
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
import { numpy as np, random, type DType } from "@jax-js/jax";
import { type Program, tensor, type Tree, type Value } from "../../../program/index.ts";
import { asDynamics } from "../../dynamics.ts";
import { leftOutReport, warmBias } from "../../estimate/left-out.ts";
import { openFollower, weightsOf } from "../../estimate/follower.ts";
import { addTrees, zerosLikeTree } from "../../estimate/leaves.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import { checkSeed } from "./neumann-estimators.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

type Values = Tree<Value>;

/** Options of {@link pzobo}. */
export interface PzoboOptions extends UnrolledOptions {
  /** Q ≥ 1, directions of an outer step. Default 10. */
  readonly directions?: number;
  /**
   * μ > 0, on the scale of λ: how far the follower is asked to respond. A difference loses as many digits as μ is small.
   * Default 0.01.
   */
  readonly smoothing?: number;
  /** Seed of the directions, in [0, 2³²); they are a function of the seed and the outer step alone. Default 0. */
  readonly seed?: number;
}

/**
 * The hypergradient of T steps, from first derivatives only.
 *
 * Costs (Q + 1)·T inner gradients, no product with a second derivative, and the memory of two states and of Q directions.
 * The state carries the follower's and the number of outer steps, which counts the draws: a cold start repeats the first.
 *
 * With g = (dw_T/dλ)ᵀ ∇_w E the part that is estimated, and a response that is linear in λ, the mean over the directions
 * is `reverse`'s hypergradient and the variance of entry i is (‖g‖² + g_i²)/Q: the noise grows with the number of
 * hyperparameters. Elsewhere g is that of the response averaged over N(λ, μ²I), which is off by O(μ²).
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Sow, Ji, Liang, "On the convergence theory for Hessian-free bilevel algorithms", NeurIPS 2022.
 * @example
 * const rule = pzobo({ steps: 20, directions: 5, dynamics: gradientDescent({ learningRate: 0.1 }) });
 */
export function pzobo(options: PzoboOptions): Rule {
  checkOptions("pzobo", options, {
    directions: "number",
    smoothing: "number",
    seed: "number",
    steps: "number!",
    dynamics: required(DYNAMICS),
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { steps, projection, directions = 10, smoothing = 0.01, seed = 0 } = options;
  checkCount("pzobo: steps", steps);
  checkCount("pzobo: directions", directions);
  checkNumber("pzobo: smoothing", smoothing);
  checkSeed("pzobo: seed", seed);
  const dynamics = asDynamics(options.dynamics);
  return {
    name: "pzobo",
    needs: {
      secondDerivatives: false,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w| + Q·|λ|)",
      bias: `it estimates the follower's response along ${directions} random direction${directions === 1 ? "" : "s"}, from steps of size ${smoothing}`,
      warmBias: warmBias(steps),
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: {
      kind: "none",
      why: "it depends on the random directions; theory bounds its mean square, not one evaluation",
    },
    ...leftOutReport(steps, false),
    init: (w) => ({ follower: dynamics.init(w), k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      if (problem.init) {
        throw new TypeError(
          "pzobo: the problem's init replaces the follower's state in every outer step, and with it the count from which the directions are drawn; leave init out and give w, or use reverse or forward.",
        );
      }
      const { lambda } = point;
      const { follower: state, k } = point.state as State;
      const run = (lambda: Values): Run => {
        const there = { ...point, lambda, state };
        const follower = openFollower(program, problem, there, {
          steps,
          dynamics,
          project: projection,
        });
        const all = { first: 0, length: steps, batches: follower.batches } as const;
        return { follower, last: follower.forward(follower.start, all)[0] };
      };
      const { follower, last } = run(lambda);
      const { value, adjoint } = follower.outer(last);

      const move = (lambda: Arrays, u: Arrays): Arrays =>
        treeMap((x: np.Array, u: np.Array) => x.add(u.mul(smoothing)), lambda, u);
      // sum + ⟨δ, α⟩ u
      const collect = (
        sum: Arrays,
        u: Arrays,
        moved: np.Array[],
        last: np.Array[],
        alpha: np.Array[],
      ): Arrays => {
        const slope = moved
          .map((x, i) => np.sum(x.sub(last[i]!).mul(alpha[i]!)))
          .reduce((sum, x) => sum.add(x))
          .mul(1 / smoothing);
        const add = (sum: np.Array, u: np.Array): np.Array =>
          sum.add(u.mul(slope.astype(u.dtype as DType)));
        return treeMap(add, sum, u);
      };
      const { floats } = follower;
      const [sum] = program.scan(
        { length: directions },
        (sum: Values, u: Values) => {
          const moved = run(callTree(program, move, lambda, u)).last;
          const next = [sum, u, floats.take(moved), floats.take(last), adjoint.alpha];
          return [callTree(program, collect, ...next), []];
        },
        callTree(program, zerosLikeTree, lambda),
        drawDirections(program, lambda, { directions, seed }, k),
      );
      const mean = (sum: Arrays): Arrays => treeMap((x: np.Array) => x.mul(1 / directions), sum);
      return {
        value,
        gradient: callTree(program, addTrees, adjoint.h, callTree(program, mean, sum)),
        w: weightsOf(last),
        state: { follower: last, k: nextStep(program, k) },
        report: follower.measure(last),
        cost: {
          innerGradients: (directions + 1) * steps * dynamics.gradientsPerStep,
          hessianVectorProducts: 0,
          crossProducts: 0,
          storedFloats: 2 * countElements(state) + directions * countElements(lambda),
          reportGradients: 2,
        },
      };
    },
  };
}

/** u_1 … u_Q as a tree like λ, leaves [Q, ...leaf.shape]: a pure function of the seed and of the outer step k. */
export function drawDirections(
  program: Program,
  lambda: Values,
  { directions, seed }: { readonly directions: number; readonly seed: number },
  k: Value,
): Values {
  const draw = (seed: np.Array, k: np.Array, lambda: Arrays): Arrays => {
    const count = countElements(lambda);
    const all = random.normal(np.stack([seed, k.astype(np.uint32)]), [directions, count]);
    let next = 0;
    return treeMap((leaf: np.Array) => {
      const first = next;
      next += leaf.size;
      const own = all.slice([], [first, next]).astype(leaf.dtype as DType);
      return own.reshape([directions, ...leaf.shape]);
    }, lambda);
  };
  return callTree(program, draw, program.constant(tensor(seed, { dtype: "uint32" })), k, lambda);
}

type Run = { readonly follower: ReturnType<typeof openFollower>; readonly last: Values };
type State = { readonly follower: Values; readonly k: Value };

/** Refuses what is not a finite number > 0. */
function checkNumber(where: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new RangeError(`${where} must be a finite number > 0; ${String(value)} came.`);
}
