/**
 * Stochastic recursive bilevel algorithm (SRBA): SOBA on finite sums, its directions computed on all the data now and then
 * and corrected from one batch to the next between (SPIDER).
 *
 *     D(u): the directions of z, v and λ at u = (z, v, λ), as in SOBA;   D_ij on the inner batch i and the outer batch j
 *     d_k = D(u_k)                                          when k is a multiple of the period q
 *     d_k = D_ij(u_k) − D_ij(u_{k−1}) + d_{k−1}             otherwise; the same i, j at both points
 */
import { callTree, checkOptions, countElements, treeMap } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../../../program/index.ts";
import { zerosLikeTree } from "../../estimate/leaves.ts";
import type { Arrays, BilevelData, Problem } from "../../problem.ts";
import type { Point, Rule } from "../../rule.ts";
import { openLevels } from "../../estimate/levels.ts";
import { measureMeans, refuseOtherThanMeans } from "./mean-objectives.ts";
import {
  checkOwnBatches,
  drawBatches,
  isRefresh,
  onlyIf,
  type OwnBatchOptions,
} from "./own-batches.ts";
import {
  type Directions,
  directionsOf,
  firstState,
  move,
  noBoundOnSamples,
  ratesOf,
  type StochasticOptions,
  type StochasticState,
} from "./stochastic.ts";
import { refuseInit } from "../explicit/truncated.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

type Values = Tree<Value>;

/** Options of {@link srba}. */
export interface SrbaOptions extends StochasticOptions, OwnBatchOptions {}

/**
 * The leader's direction of SRBA.
 *
 * Takes the data as plain arrays that share their first axis, the examples, not as a sampler: the program draws the
 * batches, consecutive examples, itself. Both objectives must be means over the examples; outer step 0 looks at the gradients
 * on all batches to see that they are.
 *
 * The cost counts two gradients of each objective, two Hessian-vector and two cross products a step, each on a batch;
 * once in a period it is one of each on all the data instead. The state carries z, v, the last of each and of λ, and the
 * directions: start warm. The value is E on the drawn batch. Constant rates converge. Assumes a strongly convex inner objective.
 *
 * The report measures `auxiliaryResidual`, the norm of v's direction; its inner gradient norm is that of z's.
 *
 * @throws RangeError when a number is out of range, or `size` does not divide the examples; TypeError when the problem
 *   has an `init`, minibatches are stacked, or, in outer step 0, an objective is no mean over the examples.
 * @see Dagréou, Moreau, Vaiter, Ablin, "A lower bound and a near-optimal algorithm for bilevel empirical risk
 *   minimization", AISTATS 2024.
 * @example
 * const rule = srba({ learningRate: 0.1, size: { inner: 64, outer: 64 }, period: 100 });
 * await solve(problem, { rule, optimizer, lambda, w, data: { inner: train, outer: valid } });
 */
export function srba(options: SrbaOptions): Rule {
  checkOptions("srba", options, {
    learningRate: "any",
    auxiliaryLearningRate: "any",
    tolerance: TOLERANCE,
    size: "object!",
    period: "number!",
    seed: "number",
  });
  const { size, period } = options;
  const rates = ratesOf("srba", options);
  const seed = checkOwnBatches("srba", options);
  return {
    name: "srba",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w| + |λ|)",
      bias: "it is the leader's part of a joint step, exact only where the gradient norm and the auxiliary residual are 0",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    refuse: (measured) => refuseOtherThanMeans("srba", measured),
    init: (w, lambda) => ({
      ...firstState(w),
      last: { lambda, w, v: w },
      directions: zerosLikeTree({ response: w, auxiliary: w, leader: lambda }),
    }),
    estimate: (program, problem, point) => {
      refuseInit("srba", problem);
      const { w: z, v, k, last, directions } = point.state as State;
      const here: At = { lambda: point.lambda, w: z, v };
      const drawn = drawBatches(program, "srba", point, { size, seed, rows: 1, inner: 1 }, k);
      const batch = drawn.take(program.call((rows: np.Array) => rows.slice(0), drawn.rows));
      const levels = openLevels(program, "srba", problem, { ...point, data: batch }, 1);
      const at = (u: At, data: BilevelData<Values>): Values =>
        directionsAt(program, problem, { ...point, data }, u);
      const corrected = (here: At, last: At): Values => {
        const step = (now: Arrays, old: Arrays, before: Arrays): Arrays =>
          treeMap(
            (now: np.Array, old: np.Array, d: np.Array) => now.sub(old).add(d),
            now,
            old,
            before,
          );
        return callTree(program, step, at(here, batch), at(last, batch), directions);
      };
      const isWhole = isRefresh(program, period, k);
      const isPart = program.call((x: np.Array) => np.logicalNot(x), isWhole);
      const whole = onlyIf(program, isWhole, (here) => at(here, point.data), [here], directions);
      const d = onlyIf(program, isPart, corrected, [here, last], whole) as unknown as Directions;
      const norm = program.call(treeNorm, d.response);
      return {
        value: levels.outerValue(z),
        gradient: d.leader,
        w: z,
        state: {
          w: move(program, rates.z, z, d.response, k),
          v: move(program, rates.v, v, d.auxiliary, k),
          k: nextStep(program, k),
          last: here,
          directions: d as unknown as Values,
        } as unknown as Values,
        report: {
          innerGradientNorm: norm,
          initialInnerGradientNorm: norm,
          auxiliaryResidual: program.call(treeNorm, d.auxiliary),
          ...measureMeans(program, "srba", problem, point, size, k),
        },
        cost: {
          innerGradients: 2,
          outerGradients: 2,
          hessianVectorProducts: 2,
          crossProducts: 2,
          storedFloats: 5 * countElements(v) + 2 * countElements(point.lambda),
          reportGradients: 0,
        },
      };
    },
  };
}

/** u */
type At = { readonly lambda: Values; readonly w: Values; readonly v: Values };
type State = StochasticState & { readonly last: At; readonly directions: Values };

function directionsAt(
  program: Program,
  problem: Problem,
  point: Point,
  { lambda, w, v }: At,
): Values {
  const levels = openLevels(program, "srba", problem, { ...point, lambda }, 1);
  return directionsOf(levels, w, v) as unknown as Values;
}
