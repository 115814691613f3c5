/**
 * Bilevel descent aggregation (BDA): the follower descends a mixture of both objectives, whose outer part fades. Among
 * many inner solutions it so picks the best one for the leader, or the worst one. The hypergradient is reverse mode
 * through the aggregated steps, with the products of both objectives.
 *
 *     d_t = ±ρ_t ∇_w E(w_t, λ) + (1 − ρ_t) ∇_w L(w_t, λ),   w_{t+1} = w_t − s·d_t,   t = 0..T−1
 */
import { callTree, checkOptions, required, treeMap } from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Program, Tree, Value } from "../../../program/index.ts";
import { asDynamics, type Dynamics, type InnerObjective } from "../../dynamics.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import { powerLaw } from "../../optimizers/power-law.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Projection } from "../../projections.ts";
import type { Point, Rule, Tolerance } from "../../rule.ts";
import { checkRate, rateAt, type Rate } from "../../estimate/levels.ts";
import { reverse } from "../explicit/reverse.ts";

/** Options of {@link bda}. */
export interface BdaOptions {
  /** T ≥ 1, the follower's steps. */
  readonly steps: number;
  /** How the follower moves along the mixture of both gradients. */
  readonly dynamics: Dynamics | Optimizer;
  /**
   * ρ_t in [0, 1] over the inner steps t: the outer objective's share. Default `powerLaw({ initial: 0.5, power: -1 })`,
   * 0.5/(t+1): Σρ_t must be infinite for the follower to reach the leader's choice among the inner solutions as T
   * grows, and ρ_t must vanish for it to reach an inner solution at all. The published code uses the geometric
   * `exponentialDecay({ initial: 0.5, rate: 0.9 })`, with which it stalls at a distance that no T removes.
   */
  readonly aggregation?: Rate;
  /** "optimistic" (default): the inner solution that is best for the leader; "pessimistic": the worst one. */
  readonly attitude?: "optimistic" | "pessimistic";
  /** Memory for time, as in {@link reverse}. Default: keep all T states. */
  readonly checkpoints?: "sqrt" | number;
  /** Applied to the weights after every step, and differentiated through. Default: none. */
  readonly projection?: Projection;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The exact hypergradient of the follower after T aggregated steps.
 *
 * Costs T gradients, T Hessian-vector and T cross products of each of the two objectives, and the memory of T states.
 * Assumes a convex inner objective; its solution need not be unique. With minibatches stacked for each inner step, the
 * outer data are repeated for each of them.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 1 or a constant `aggregation` is outside [0, 1].
 * @throws TypeError when `attitude` is neither word.
 * @see Liu et al., "A generic first-order algorithmic framework for bi-level programming beyond lower-level
 *   singleton", ICML 2020; the same authors' TPAMI 2022 version for the pessimistic form.
 * @example
 * const rule = bda({ steps: 64, dynamics: gradientDescent({ learningRate: 0.5 }) });
 */
export function bda(options: BdaOptions): Rule {
  checkOptions("bda", options, {
    steps: "number!",
    dynamics: required(DYNAMICS),
    aggregation: "any",
    attitude: "string",
    checkpoints: "any",
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const {
    attitude = "optimistic",
    aggregation = powerLaw({ initial: 0.5, power: -1 }),
    ...steps
  } = options;
  if (attitude !== "optimistic" && attitude !== "pessimistic") {
    throw new TypeError(
      `bda: attitude must be "optimistic" or "pessimistic"; ${String(attitude)} came.`,
    );
  }
  checkRate("bda: aggregation", aggregation, { atLeast: 0, atMost: 1 });
  const sign = attitude === "optimistic" ? 1 : -1;
  const base = asDynamics(options.dynamics);
  return {
    ...reverse({ ...steps, dynamics: base }),
    name: attitude === "optimistic" ? "bda" : "pessimistic-bda",
    bound: {
      kind: "none",
      why: "its convergence is proved in the limit of T only, without a rate",
    },
    estimate: (program, problem, point) => {
      const dynamics = aggregated(base, problem, aggregation, sign);
      const paired = pairData(program, point, options.steps);
      const unrolled = reverse({ ...steps, dynamics });
      const estimate = unrolled.estimate(program, pairLevels(problem), paired);
      const { innerGradients, hessianVectorProducts, crossProducts } = estimate.cost;
      return {
        ...estimate,
        cost: {
          ...estimate.cost,
          outerGradients: innerGradients,
          outerHessianVectorProducts: hessianVectorProducts,
          outerCrossProducts: crossProducts,
        },
      };
    },
  };
}

/** What the follower's steps see: the data of both levels. The outer level sees its own alone. */
type Pair<T> = { readonly inner: Tree<T>; readonly outer: Tree<T> };

/** The steps of `base` on the mixture of both objectives, over paired data. */
function aggregated(base: Dynamics, problem: Problem, aggregation: Rate, sign: number): Dynamics {
  return {
    ...base,
    name: `aggregated ${base.name}`,
    step: (state, lambda, data, _inner, t) => {
      const mixture: InnerObjective = (w, lambda, data) => {
        const pair = data as Pair<np.Array>;
        const outer = problem.outer(w, lambda, pair.outer);
        const inner = problem.inner(w, lambda, pair.inner);
        const rho = rateAt(aggregation, t, outer.dtype);
        return outer.mul(rho.mul(sign)).add(inner.mul(np.subtract(1, rho)));
      };
      return base.step(state, lambda, data, mixture, t);
    },
  };
}

/** The same problem over paired data. */
function pairLevels(problem: Problem): Problem {
  const { prepare, init } = problem;
  const prepareBoth = (lambda: Arrays, data: Pair<np.Array> | Omit<Pair<np.Array>, "inner">) => ({
    ...("inner" in data && { inner: prepare!(lambda, data.inner) as Arrays }),
    outer: prepare!(lambda, data.outer) as Arrays,
  });
  return {
    prepare: prepare && prepareBoth,
    init: init && ((lambda: Arrays, data: Pair<np.Array>) => init(lambda, data.inner) as Arrays),
    inner: (w, lambda, data: Pair<np.Array>) => problem.inner(w, lambda, data.inner),
    outer: (w, lambda, data: Pair<np.Array>) => problem.outer(w, lambda, data.outer),
  };
}

function pairData(program: Program, point: Point, steps: number): Point {
  const { inner, outer } = point.data;
  const repeat = (data: Arrays): Arrays =>
    treeMap((x: np.Array) => np.broadcastTo(np.expandDims(x, 0), [steps, ...x.shape]), data);
  const alongside: Tree<Value> = point.batched ? callTree(program, repeat, outer) : outer;
  return { ...point, data: { inner: { inner, outer: alongside }, outer: { outer } } };
}
