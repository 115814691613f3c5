/**
 * Stochastic recursive bilevel algorithm (SRBA): SOBA on finite sums, its directions computed on all the data now and then
 * and corrected from one batch to the next between (SPIDER).
 *
 *     D(u): the directions of z, v and λ at u = (z, v, λ), as in SOBA;   D_ij on the inner batch i and the outer batch j
 *     d_k = D(u_k)                                          when k is a multiple of the period q
 *     d_k = D_ij(u_k) − D_ij(u_{k−1}) + d_{k−1}             otherwise; the same i, j at both points
 */
import { numpy as np, random, tree } from "@jax-js/jax";
import type { Value } from "../../program/ir.ts";
import type { Program } from "../../program/program.ts";
import { tensor, type Tree } from "../../program/tensor.ts";
import { treeNorm, zerosLikeTree } from "../leaves.ts";
import { callTree, countElements, treeMap } from "../../program/trees.ts";
import type { Arrays, BilevelData, Problem } from "../problem.ts";
import type { Point, Rule } from "../rule.ts";
import { checkSteps, openLevels, toleranceOf } from "./levels.ts";
import { checkSeed } from "./neumann-estimators.ts";
import {
  directionsOf,
  firstState,
  move,
  ratesOf,
  type Directions,
  type StochasticOptions,
  type StochasticState,
} from "./stochastic.ts";
import { nextStep } from "./value-gap.ts";

type Values = Tree<Value>;

/** Options of {@link srba}. */
export interface SrbaOptions extends StochasticOptions {
  /** Examples in a batch of each level, a divisor of their number. */
  readonly size: { readonly inner: number; readonly outer: number };
  /** q ≥ 1, outer steps from one evaluation on all the data to the next; 1 is `soba` on all of them. */
  readonly period: number;
  /** Seed of the batches, in [0, 2³²); they are a function of the seed and the outer step alone. Default 0. */
  readonly seed?: number;
}

/**
 * The leader's direction of SRBA.
 *
 * Takes the data as plain arrays that share their first axis, the examples, not as a sampler: the program draws the
 * batches, consecutive examples, itself. Both objectives must be means over the examples.
 *
 * The cost counts two gradients of each objective, two Hessian-vector and two cross products a step, each on a batch;
 * once in a period it is one of each on all the data instead. The state carries z, v, the last of each and of λ, and the
 * directions: start warm. The value is E on the drawn batch. Constant rates converge. Assumes a strongly convex inner objective.
 *
 * The report measures `auxiliaryResidual`, the norm of v's direction; its inner gradient norm is that of z's.
 *
 * @throws RangeError when a number is out of range, or `size` does not divide the examples; TypeError when the problem
 *   has an `init`, or minibatches are stacked.
 * @see Dagréou, Moreau, Vaiter, Ablin, "A lower bound and a near-optimal algorithm for bilevel empirical risk
 *   minimization", AISTATS 2024.
 * @example
 * const rule = srba({ learningRate: 0.1, size: { inner: 64, outer: 64 }, period: 100 });
 * await solve(problem, { rule, optimizer, lambda, w, data: { inner: train, outer: valid } });
 */
export function srba(options: SrbaOptions): Rule {
  const { size, period, seed = 0 } = options;
  const rates = ratesOf("srba", options);
  checkSteps("srba: size.inner", size.inner);
  checkSteps("srba: size.outer", size.outer);
  checkSteps("srba: period", period);
  checkSeed("srba: seed", seed);
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
    tolerance: toleranceOf(options.tolerance),
    init: (w, lambda) => ({
      ...firstState(w),
      last: { lambda, w, v: w },
      directions: zerosLikeTree({ answer: w, auxiliary: w, leader: lambda }),
    }),
    estimate: (program, problem, point) => {
      if (point.batched) {
        throw new TypeError(
          "srba: it draws its own batches from all the data, but stacked minibatches came; give the data as plain arrays.",
        );
      }
      const { w: z, v, k, last, directions } = point.state as State;
      const here: At = { lambda: point.lambda, w: z, v };
      const batch = drawBatch(program, point.data, { size, seed }, k);
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
      const isWhole = program.call((k: np.Array) => np.equal(np.remainder(k, period), 0), k);
      const isPart = program.call((x: np.Array) => np.logicalNot(x), isWhole);
      const whole = onlyIf(program, isWhole, (here) => at(here, point.data), [here], directions);
      const d = onlyIf(program, isPart, corrected, [here, last], whole) as unknown as Directions;
      const norm = program.call(treeNorm, d.answer);
      return {
        value: levels.outerValue(z),
        gradient: d.leader,
        w: z,
        state: {
          w: move(program, rates.z, z, d.answer, k),
          v: move(program, rates.v, v, d.auxiliary, k),
          k: nextStep(program, k),
          last: here,
          directions: d as unknown as Values,
        } as unknown as Values,
        report: {
          innerGradientNorm: norm,
          initialInnerGradientNorm: norm,
          auxiliaryResidual: program.call(treeNorm, d.auxiliary),
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

/**
 * `then(...inputs)` where the condition holds, else `otherwise`. What `then` makes of its inputs is computed only if it does: a
 * loop of at most one step carries them, since work on captured values alone would move out of its body.
 */
function onlyIf(
  program: Program,
  condition: Value,
  then: (...inputs: At[]) => Values,
  inputs: readonly At[],
  otherwise: Values,
): Values {
  type Carry = { isDue: Value; inputs: At[]; x: Values };
  const never = (isDue: np.Array): np.Array => np.logicalAnd(isDue, np.logicalNot(isDue));
  const { carry } = program.while(
    { limit: 1 },
    (carry) => (carry as unknown as Carry).isDue,
    (carry) => {
      const { isDue, inputs } = carry as unknown as Carry;
      const next = { isDue: program.call(never, isDue), inputs, x: then(...inputs) };
      return next as unknown as Values;
    },
    { isDue: condition, inputs, x: otherwise } as unknown as Values,
  );
  return (carry as unknown as Carry).x;
}

/** One batch of each level at outer step k, drawn uniformly and independently. */
function drawBatch(
  program: Program,
  data: BilevelData<Values>,
  options: { readonly size: SrbaOptions["size"]; readonly seed: number },
  k: Value,
): BilevelData<Values> {
  const { size, seed } = options;
  const counts = {
    inner: countBatches("inner", data.inner, size.inner),
    outer: countBatches("outer", data.outer, size.outer),
  };
  const draw = (seed: np.Array, k: np.Array): np.Array[] => {
    const uniform = random.uniform(np.stack([seed, k.astype(np.uint32)]), [2]);
    return [counts.inner, counts.outer].map((count, i) =>
      np.minimum(np.floor(uniform.slice(i).mul(count)), count - 1).astype(np.int32),
    );
  };
  const indices = program.call(draw, program.constant(tensor(seed, { dtype: "uint32" })), k);
  const cut = (level: "inner" | "outer", index: Value): Values => {
    const take = (all: Arrays, index: np.Array): Arrays =>
      treeMap((x: np.Array) => {
        const [, ...shape] = x.shape;
        return np.take(x.reshape([counts[level], size[level], ...shape]), index, 0);
      }, all);
    return callTree(program, take, data[level], index);
  };
  return { inner: cut("inner", indices[0]!), outer: cut("outer", indices[1]!) };
}

function countBatches(level: string, data: Values, size: number): number {
  const lengths = new Set(tree.leaves<Value>(data).map(({ shape }) => shape[0]));
  const [examples] = lengths;
  if (lengths.size === 1 && examples !== undefined && examples > 0 && examples % size === 0) {
    return examples / size;
  }
  throw new RangeError(
    `srba: the ${level} data must be arrays that share their first axis, a number of examples that size.${level} = ${size} divides, and have first axes ${[...lengths].map((n) => n ?? "none").join(", ") || "none"}; leave out the examples that are too many.`,
  );
}
