/** Directions that recycle their last value (STORM), and the rules that do so for both the response and the leader. */
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../../../program/index.ts";
import { innerGradient } from "../../dynamics.ts";
import { zerosLikeTree } from "../../estimate/leaves.ts";
import { callTree, countElements, treeMap } from "../../../program/internal.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Estimate, Point } from "../../rule.ts";
import { openLevels, rateAt, type Levels, type Rate } from "../../estimate/levels.ts";
import type { Estimator } from "./neumann-estimators.ts";
import { laterSteps, leaderDirection, move, outerGradient } from "./stochastic.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { treeNorm } from "../../../linear/internal.ts";

type Values = Tree<Value>;

/** d ← now + (1 − η)(d − before), and `now` alone at outer step 0. */
export function recycle(
  program: Program,
  momentum: Rate,
  k: Value,
  directions: { readonly now: Values; readonly before: Values; readonly direction: Values },
): Values {
  const { now, before, direction } = directions;
  const step = (now: Arrays, before: Arrays, direction: Arrays, k: np.Array): Arrays => {
    const leaf = (now: np.Array, before: np.Array, d: np.Array): np.Array => {
      const kept = np.subtract(1, rateAt(momentum, k, now.dtype));
      return now.add(np.where(np.greater(k, 0), kept, 0).astype(now.dtype).mul(d.sub(before)));
    };
    return treeMap(leaf, now, before, direction);
  };
  return callTree(program, step, now, before, direction, k);
}

/** Both directions, and where they were taken last. */
export type StormState = {
  readonly w: Values;
  readonly last: { readonly w: Values; readonly lambda: Values };
  readonly response: Values;
  readonly leader: Values;
  readonly k: Value;
};

/** Both directions 0, and the last point the first one; a jax-js function. */
export function firstStorm(w: Arrays, lambda: Arrays): Arrays {
  return {
    w,
    last: { w, lambda },
    response: zerosLikeTree(w),
    leader: zerosLikeTree(lambda),
    k: np.array(0, { dtype: np.int32 }),
  };
}

/** How the leader's direction is estimated. */
export interface DirectionOptions {
  /** The rule, for messages. */
  readonly name: string;
  /** Hessian-vector products of `estimator`. */
  readonly products: number;
  readonly estimator: Estimator;
}

/** What such rules differ in. */
export interface StormOptions extends DirectionOptions {
  readonly learningRate: Rate;
  /** η of both directions. */
  readonly momentum: Rate;
}

/**
 * Both directions at z, and the levels there. The first minibatch is that of ∇_w L, the others are those of the products,
 * the last of which the cross product sees too.
 */
export function plainDirections(
  program: Program,
  problem: Problem,
  point: Point,
  { name, products, estimator }: DirectionOptions,
  z: Values,
  k: Value,
): { readonly response: Values; readonly leader: Values; readonly levels: Levels } {
  const all = 1 + products;
  const levels = openLevels(program, name, problem, point, all);
  const later = laterSteps(program, problem, point, { all, length: products });
  const v = estimator(program, problem, later, { z, outer: outerGradient(levels, z), k });
  const ofInner = (z: Arrays, lambda: Arrays, inner: Arrays): Arrays =>
    innerGradient(problem.inner, z, lambda, inner);
  const response = levels.repeat(1, ofInner, z);
  return { response, leader: leaderDirection(levels, z, v), levels };
}

/**
 * z and λ along recycled directions, both taken at the last outer step's z. Old and new point see the same minibatches and
 * the same random numbers.
 */
export function estimateStorm(
  program: Program,
  problem: Problem,
  point: Point,
  options: StormOptions,
): Estimate {
  const { learningRate, momentum, products } = options;
  const { w: z, last, response, leader, k } = point.state as StormState;
  const now = plainDirections(program, problem, point, options, z, k);
  const before = plainDirections(
    program,
    problem,
    { ...point, lambda: last.lambda },
    options,
    last.w,
    k,
  );
  const toResponse = recycle(program, momentum, k, {
    now: now.response,
    before: before.response,
    direction: response,
  });
  const toLeader = recycle(program, momentum, k, {
    now: now.leader,
    before: before.leader,
    direction: leader,
  });
  const norm = program.call(treeNorm, now.response);
  return {
    value: now.levels.outerValue(z),
    gradient: toLeader,
    w: z,
    state: {
      w: move(program, learningRate, z, toResponse, k),
      last: { w: z, lambda: point.lambda },
      response: toResponse,
      leader: toLeader,
      k: nextStep(program, k),
    },
    report: { innerGradientNorm: norm, initialInnerGradientNorm: norm },
    cost: {
      innerGradients: 2,
      outerGradients: 2,
      hessianVectorProducts: 2 * products,
      crossProducts: 2,
      storedFloats: 2 * (2 * countElements(z) + countElements(point.lambda)),
      reportGradients: 0,
    },
  };
}
