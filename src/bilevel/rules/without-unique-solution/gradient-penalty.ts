/**
 * The inner gradient's norm as a penalty (G-PBGD): cheaper than the value gap, for it needs no minimizer, but its
 * stationary points are the leader's only where the inner Hessian is nonsingular along the gradient.
 *
 *     y: T steps on E(y, λ) + γ‖∇_w L(y, λ)‖²                with the step s/(1 + γ)
 *     h = ∇_λ [E(y, λ) + γ‖∇_w L(y, λ)‖²]
 */
import { checkOptions, checkCount } from "../../../program/internal.ts";
import { TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import type { Tree, Value } from "../../../program/index.ts";
import { ascentWarnings, judgeAscent } from "./ascent-report.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule, Tolerance } from "../../rule.ts";
import {
  checkRate,
  descend,
  gradientOf,
  openLevels,
  rateAt,
  type AtLeader,
  type Rate,
} from "../../estimate/levels.ts";
import { nextStep, rateValue } from "../../estimate/value-gap.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm, dot } from "../../../linear/internal.ts";

/** Options of {@link gradientPenalty}. */
export interface GradientPenaltyOptions {
  /** γ ≥ 0 over the outer steps. */
  readonly penalty: Rate;
  /** T ≥ 1, steps of the response y. */
  readonly steps: number;
  /** s > 0 of the response's steps, over the outer steps; divided by 1 + γ. */
  readonly learningRate: Rate;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The gradient of the problem penalized by the squared inner gradient, at the follower's response.
 *
 * Costs T + 1 gradients of each objective, T Hessian-vector products and one cross product; keeps no trajectory. The
 * state carries y and the number of outer steps: start warm.
 *
 * Trap: an inner maximum has no gradient either. The report's `curvatureAlongGradient`, gᵀ∇²_ww L g / ‖g‖² with g = ∇_w L,
 * is negative where the penalty's descent climbs the inner objective, and the status is then "singular".
 *
 * Trap: where ∇²_ww L·∇_w L = 0 with ∇_w L ≠ 0, a stationary point of E is one of the penalized problem for every γ,
 * however far from an inner solution. The report's inner gradient norm shows it; `valuePenalty` is not caught.
 *
 * @throws RangeError when a number is out of range; TypeError when the problem has an `init`.
 * @see Shen, Chen, "On penalty-based bilevel gradient descent method", ICML 2023.
 */
export function gradientPenalty(options: GradientPenaltyOptions): Rule {
  checkOptions("gradientPenalty", options, {
    penalty: "any!",
    steps: "number!",
    learningRate: "any!",
    tolerance: TOLERANCE,
  });
  const { penalty, steps, learningRate } = options;
  checkRate("gradientPenalty: penalty", penalty, { atLeast: 0 });
  checkRate("gradientPenalty: learningRate", learningRate, { above: 0 });
  checkCount("gradientPenalty: steps", steps);
  return {
    name: "gradient-penalty",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: "it is that of the outer objective plus penalty times the squared inner gradient, whose minimizer is off by O(1/penalty), and which has false stationary points where the inner Hessian is singular along the inner gradient",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: {
      kind: "none",
      why: "the residual of its adjoint, 2·penalty·∇_w L, is not measured",
    },
    least: ["curvatureAlongGradient"],
    judge: (measured) => {
      const verdict = judgeAscent(measured);
      return verdict ? [verdict] : [];
    },
    warn: ascentWarnings,
    init: (w) => ({ w, k: np.array(0, { dtype: np.int32 }) }),
    estimate: (program, problem, point) => {
      const levels = openLevels(program, "gradientPenalty", problem, point, steps);
      const { w, k } = point.state as State;
      const gamma = rateValue(program, penalty, k, w);
      const step = (
        y: Arrays,
        lambda: Arrays,
        inner: Arrays,
        outer: Arrays,
        gamma: np.Array,
        k: np.Array,
      ): Arrays => {
        const penalized = (y: Arrays): np.Array =>
          problem
            .outer(y, lambda, outer)
            .add(squaredGradient((y) => problem.inner(y, lambda, inner), y).mul(gamma));
        return descend(y, gradientOf(penalized, y), (dtype) =>
          rateAt(learningRate, k, dtype).div(gamma.astype(dtype).add(1)),
        );
      };
      /** gᵀHg / ‖g‖² for g = ∇_w L: 0 where it is rounding beside ‖Hg‖, NaN where g is 0. */
      const alongGradient = (y: Arrays, lambda: Arrays, inner: Arrays): np.Array => {
        const gradient = (y: Arrays): Arrays =>
          gradientOf((y) => problem.inner(y, lambda, inner), y);
        const g = gradient(y);
        const product = gradientOf((y) => dot(gradient(y), g), y);
        const [along, size] = [dot(g, product), dot(g, g)];
        const isRounding = np.less(np.abs(along), treeNorm(product).mul(np.sqrt(size)).mul(1e-6));
        return np.where(isRounding, 0, along.div(size));
      };
      const y = levels.repeat(steps, step, w, gamma, k);
      const objective = (at: AtLeader, y: Arrays, gamma: np.Array): np.Array =>
        at.outer(y).add(squaredGradient(at.inner, y).mul(gamma));
      return {
        value: levels.outerValue(y),
        gradient: levels.leaderGradient(objective, y, gamma),
        w: y,
        state: { w: y, k: nextStep(program, k) },
        report: {
          ...levels.measure(w, y),
          penalty: gamma,
          curvatureAlongGradient: program.call(alongGradient, y, point.lambda, levels.data.inner),
        },
        cost: {
          innerGradients: steps + 1,
          outerGradients: steps + 1,
          hessianVectorProducts: steps,
          crossProducts: 1,
          storedFloats: 0,
          reportGradients: 2,
          reportProducts: 1,
        },
      };
    },
  };
}

type State = { readonly w: Tree<Value>; readonly k: Value };

/** ‖∇ inner(y)‖². */
function squaredGradient(inner: (y: Arrays) => np.Array, y: Arrays): np.Array {
  const gradient = gradientOf(inner, y);
  return dot(gradient, gradient);
}
