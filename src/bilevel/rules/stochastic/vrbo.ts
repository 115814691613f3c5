/**
 * Variance reduction bilevel optimizer (VRBO): the directions of response and leader are computed on all the data now and then,
 * and corrected from batch to batch between, in a loop of the response's steps (SPIDER); the leader's is that of StocBiO's
 * series (SHIA).
 *
 *     f(λ, z) = ∇_w L(z, λ),   g(λ, z) = ∇_λ E(z, λ) − η ∇²_λw L(z, λ) Σ_{i=0}^{J} (I − η ∇²_ww L(z, λ))ⁱ ∇_w E(z, λ)
 *     (z⁻, λ⁻) = (z_{k−1}, λ_{k−1}),   z_0 = z⁻
 *     for t = 0..N, on batches t:   d ← d + f(λ_k, z_t) − f(λ⁻, z⁻),   h ← h + g(λ_k, z_t) − g(λ⁻, z⁻)
 *                                   (z⁻, λ⁻) ← (z_t, λ_k),   z_{t+1} = z_t − ρ d
 *     z_k = z_N;   d, h ← f(λ_k, z_k), g(λ_k, z_k) on all the data when k is a multiple of the period q
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
import { zerosLikeTree } from "../../estimate/leaves.ts";
import type { Arrays, BilevelData } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import { checkRate, openLevels, type Rate } from "../../estimate/levels.ts";
import { measureMeans, refuseOtherThanMeans } from "./mean-objectives.ts";
import { shia } from "./neumann-estimators.ts";
import {
  checkOwnBatches,
  drawBatches,
  isRefresh,
  onlyIf,
  type OwnBatchOptions,
} from "./own-batches.ts";
import { move, noBoundOnSamples, ratesOf, type StochasticOptions } from "./stochastic.ts";
import { plainDirections } from "./storm.ts";
import { refuseInit } from "../explicit/truncated.ts";
import { nextStep } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

type Values = Tree<Value>;

/** Options of {@link vrbo}. */
export interface VrboOptions
  extends Omit<StochasticOptions, "auxiliaryLearningRate">, OwnBatchOptions {
  /** N ≥ 1, steps of z in an outer step. Default 10. */
  readonly steps?: number;
  /** J ≥ 1, Hessian-vector products; the series has J + 1 terms. Default 10. */
  readonly products?: number;
  /** η > 0 of the series, below 2/λ_max of the inner Hessian. Default: as `learningRate`. */
  readonly seriesStep?: Rate;
}

/**
 * The leader's direction of VRBO.
 *
 * Takes the data as plain arrays that share their first axis, the examples, not as a sampler: the program draws the
 * batches, consecutive examples, itself; in each correction ∇_w L and every product have their own. Both objectives must
 * be means over the examples; outer step 0 looks at the gradients on all batches to see that they are.
 *
 * Every step of the response corrects the leader's direction too. The cost counts the N + 1 corrections, each of them two
 * gradients of each objective, 2J Hessian-vector and two cross products, on batches; once in a period it is half a
 * correction more, on all the data. The state carries z, the last λ and both directions: start warm. With batches that
 * are all the data it is `stocBio`, whose response does not move before the first outer step. The value is E on a batch.
 * Constant rates converge, up to the bias of the missing terms as `stocBio`. Assumes a strongly convex inner objective.
 *
 * The report's inner gradient norm is that of d.
 *
 * @throws RangeError when a number is out of range, or `size` does not divide the examples; TypeError when the problem
 *   has an `init`, minibatches are stacked, or, in outer step 0, an objective is no mean over the examples.
 * @see Yang, Ji, Liang, "Provably faster algorithms for bilevel optimization", NeurIPS 2021.
 * @example
 * const rule = vrbo({ learningRate: 0.1, steps: 3, size: { inner: 64, outer: 64 }, period: 10 });
 * await solve(problem, { rule, optimizer, lambda, w, data: { inner: train, outer: valid } });
 */
export function vrbo(options: VrboOptions): Rule {
  checkOptions("vrbo", options, {
    steps: "number",
    products: "number",
    seriesStep: "any",
    tolerance: TOLERANCE,
    learningRate: "any",
    size: "object!",
    period: "number!",
    seed: "number",
  });
  const { size, period, steps = 10, products = 10 } = options;
  checkCount("vrbo: steps", steps);
  checkCount("vrbo: products", products);
  const seed = checkOwnBatches("vrbo", options);
  const { z: learningRate } = ratesOf("vrbo", options);
  const { seriesStep = learningRate } = options;
  checkRate("vrbo: seriesStep", seriesStep, { above: 0 });
  const series = { name: "vrbo", products, estimator: shia(seriesStep) };
  return {
    name: "vrbo",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: true,
      memory: "O(|w| + |λ|)",
      bias: `it cuts the series of the inverse Hessian after ${products + 1} terms, at a response that is still moving`,
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    bound: noBoundOnSamples,
    refuse: (measured) => refuseOtherThanMeans("vrbo", measured),
    init: (w, lambda) => ({
      w,
      last: lambda,
      directions: zerosLikeTree({ response: w, leader: lambda }),
      k: np.array(0, { dtype: np.int32 }),
    }),
    estimate: (program, problem, point) => {
      refuseInit("vrbo", problem);
      const { w: start, last, directions, k } = point.state as State;
      const { lambda } = point;
      const drawn = drawBatches(
        program,
        "vrbo",
        point,
        { size, seed, rows: steps + 1, inner: 1 + products },
        k,
      );
      const at = (u: At, data: BilevelData<Values>, batched: boolean): Directions => {
        const there = { ...point, lambda: u.lambda, data, batched };
        const { response, leader } = plainDirections(program, problem, there, series, u.w, k);
        return { response, leader };
      };
      const correct = (d: Arrays, now: Arrays, old: Arrays): Arrays =>
        treeMap((d: np.Array, now: np.Array, old: np.Array) => d.add(now.sub(old)), d, now, old);
      // At outer step 0 both directions are 0 and both points the first one, so that nothing moves.
      const loop = { u: { lambda: last, w: start }, w: start, d: directions };
      const [{ u, d: corrected }] = program.scan(
        { length: steps + 1 },
        ({ u, w, d }: Loop, row: Value) => {
          const data = drawn.take(row);
          const here = { lambda, w };
          const [now, old] = [at(here, data, true), at(u, data, true)];
          const next = callTree(program, correct, d, now, old) as unknown as Directions;
          return [{ u: here, w: move(program, learningRate, w, next.response, k), d: next }, []];
        },
        loop,
        drawn.rows,
      );
      const z = u.w;
      const whole = (here: At): Values => at(here, point.data, false);
      const isDue = isRefresh(program, period, k);
      const found = onlyIf(program, isDue, whole, [{ lambda, w: z }], corrected);
      const d = found as unknown as Directions;
      const norm = program.call(treeNorm, d.response);
      const lastRow = program.call((rows: np.Array) => rows.slice(steps), drawn.rows);
      const batch = { ...point, data: drawn.take(lastRow), batched: true };
      return {
        value: openLevels(program, "vrbo", problem, batch, 1 + products).outerValue(z),
        gradient: d.leader,
        w: z,
        state: { w: z, last: lambda, directions: d, k: nextStep(program, k) },
        report: {
          innerGradientNorm: norm,
          initialInnerGradientNorm: norm,
          ...measureMeans(program, "vrbo", problem, point, size, k),
        },
        cost: {
          innerGradients: 2 * (steps + 1),
          outerGradients: 2 * (steps + 1),
          hessianVectorProducts: 2 * products * (steps + 1),
          crossProducts: 2 * (steps + 1),
          storedFloats: 4 * countElements(z) + 2 * countElements(lambda),
          reportGradients: 0,
        },
      };
    },
  };
}

type At = { readonly lambda: Values; readonly w: Values };
type Directions = { readonly response: Values; readonly leader: Values };
/** What the response's loop carries: the point of the directions d, and where z goes next. */
type Loop = { readonly u: At; readonly w: Values; readonly d: Directions };
type State = {
  readonly w: Values;
  readonly last: Values;
  readonly directions: Directions;
  readonly k: Value;
};
