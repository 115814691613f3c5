/**
 * The error of a hypergradient with an adjoint q, h = ∇_λ E − ∇²_λw L·q, wherever the weights w and q came from. The exact
 * one has q* with ∇²_ww L·q* = ∇_w E at the inner solution w*, so that H(w*)(q − q*) consists of three small parts.
 *
 *     δ = ‖w − w*‖ ≤ ‖∇_w L(w)‖/μ,   r = ∇_w E(w) − ∇²_ww L(w)·q
 *     ‖h − ∇F‖ ≤ D δ + κ δ ‖q‖ + (M/μ)(L_E δ + ρ δ ‖q‖ + ‖r‖)
 *
 * A penalty γ(L(y) − L(z)) has the adjoint q = γ(z − y), up to terms of second order in d = ‖y − z‖:
 *
 *     ‖h − ∇F‖ ≤ D δ_y + γκd(δ_z + d/2) + (M/μ)(L_E δ_y + γρd(δ_z + d/2) + ‖∇_w[E + γL](y)‖ + γ‖∇_w L(z)‖)
 */
import type { LinearSolver } from "../../linear/index.ts";
import type { Program, Tree, Value } from "../../program/index.ts";
import type { ErrorFormula, MeasuredNumbers, ProblemConstants } from "../bounds.ts";
import { treeDistance } from "../estimate/leaves.ts";
import { treeNorm } from "../../linear/internal.ts";

const NEEDS: readonly (keyof ProblemConstants)[] = [
  "strongConvexity",
  "crossNorm",
  "hessianLipschitz",
  "crossLipschitz",
  "outerSmoothness",
  "directLipschitz",
];

/** What an implicit rule measures for its bound; scalars. */
export interface AdjointMeasured {
  /** ‖q‖ */
  readonly adjointNorm: Value;
  /** ‖h − ∇_λ E‖: what λ does through the follower. */
  readonly indirectGradientNorm: Value;
}

/** Measures the linear system's solution q, and what it contributes to the hypergradient beside the direct ∇_λ E. */
export function measureAdjoint(
  program: Program,
  q: Tree<Value>,
  direct: Tree<Value>,
  gradient: Tree<Value>,
): AdjointMeasured {
  return {
    adjointNorm: program.call(treeNorm, q),
    indirectGradientNorm: program.call(treeDistance, gradient, direct),
  };
}

/**
 * The theory of implicit differentiation with an inexact response and an inexact linear system.
 *
 * @param options.scale - what the solver's matrix is to ∇²_ww L: s for the dynamics of gradient descent, else 1.
 */
export function implicitBound(options: {
  readonly solver: LinearSolver;
  readonly scale: number;
}): ErrorFormula {
  const { solver, scale } = options;
  const { damping = 0, needs } = solver;
  // What the others call curvature (pivots of an LU factorization, lengths of products) is none in this sense.
  const meetsCurvature = needs.symmetric || needs.contraction;
  return {
    kind: "bound",
    formula: [
      "‖h − ∇F‖ ≤ D·δ + κ·δ·‖q‖ + (M/μ)·(L_E·δ + ρ·δ·‖q‖ + ‖r‖)",
      "δ = ‖∇_w L‖/μ at the response, q the linear system's solution, r its residual without damping",
    ].join("\n"),
    needs: NEEDS,
    assumptions: ["the inner objective is strongly convex in w"],
    source:
      'Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016; Grazzi et al., "On the iteration complexity of hypergradient computation", ICML 2020',
    allowsInit: true,
    value: (constants, measured) => {
      const adjoint = measured["adjointNorm"]!;
      return adjointError(constants, {
        distance: measured["innerGradientNorm"]! / constants.strongConvexity,
        adjoint: scale * adjoint,
        residual: measured["linearResidual"]! + damping * adjoint,
      });
    },
    contradiction: ({ strongConvexity: mu }, measured) => {
      const smallest = measured["smallestCurvature"]! / scale;
      // NaN: none was met.
      if (!meetsCurvature || !(smallest < mu * (1 - 1e-4))) return undefined;
      return `the linear solver met a curvature of ${smallest.toPrecision(3)}, below the strong convexity ${mu.toPrecision(3)}`;
    },
    local: (measured) => (meetsCurvature ? localConstants(measured, scale, damping) : {}),
  };
}

/**
 * The theory of h = ∇_λ E(y) + γ(∇_λ L(y) − ∇_λ L(z)).
 *
 * @param weight - γ from the measurements.
 */
export function penaltyBound(weight: (measured: MeasuredNumbers) => number): ErrorFormula {
  return {
    kind: "bound",
    formula: [
      "‖h − ∇F‖ ≤ D·δ + (M/μ)·(L_E·δ + ‖∇_w [E + γL](y)‖ + γ·‖∇_w L(z)‖) + γ·(κ + ρ·M/μ)·d·(δ_z + d/2)",
      "δ = ‖∇_w L(y)‖/μ, δ_z = ‖∇_w L(z)‖/μ, d = ‖y − z‖, γ the weight of L(y) − L(z); O(1/γ) at both minimizers",
    ].join("\n"),
    needs: NEEDS,
    assumptions: ["the inner objective is strongly convex in w"],
    source:
      'implicit differentiation with the adjoint γ(z − y); of the order of Kwon et al., "A fully first-order method for stochastic bilevel optimization", ICML 2023',
    allowsInit: false,
    value: (constants, measured) => {
      const { strongConvexity: mu, crossNorm, crossLipschitz, hessianLipschitz } = constants;
      const gamma = weight(measured);
      const d = measured["responseDistance"]!;
      const valueGradient = measured["valueGradientNorm"]!;
      const curved = gamma * d * (valueGradient / mu + d / 2);
      const atFixedWeights = adjointError(constants, {
        distance: measured["innerGradientNorm"]! / mu,
        adjoint: 0,
        residual: measured["penalizedGradientNorm"]! + gamma * valueGradient,
      });
      return atFixedWeights + (crossLipschitz + (crossNorm / mu) * hessianLipschitz) * curved;
    },
  };
}

/** D δ + κ δ ‖q‖ + (M/μ)(L_E δ + ρ δ ‖q‖ + ‖r‖) */
function adjointError(
  constants: Required<ProblemConstants>,
  at: { readonly distance: number; readonly adjoint: number; readonly residual: number },
): number {
  const { strongConvexity: mu, crossNorm, outerSmoothness, directLipschitz } = constants;
  const { hessianLipschitz, crossLipschitz } = constants;
  const direct = (directLipschitz + crossLipschitz * at.adjoint) * at.distance;
  const system = (outerSmoothness + hessianLipschitz * at.adjoint) * at.distance + at.residual;
  return direct + (crossNorm / mu) * system;
}

function localConstants(
  measured: MeasuredNumbers,
  scale: number,
  damping: number,
): ReturnType<NonNullable<ErrorFormula["local"]>> {
  const curvature = (measured["smallestCurvature"]! - damping) / scale;
  const crossNorm = measured["indirectGradientNorm"]! / (scale * measured["adjointNorm"]!);
  return {
    strongConvexity:
      curvature > 0
        ? {
            value: curvature,
            how: "the smallest curvature that the linear solver met; the true one may be smaller",
          }
        : undefined,
    crossNorm: Number.isFinite(crossNorm)
      ? { value: crossNorm, how: "what was met along the adjoint; the true one may be larger" }
      : undefined,
  };
}
