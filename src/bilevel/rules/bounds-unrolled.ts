/**
 * The error of differentiating T steps of gradient descent, of which the last K go back. The derivative of the weights
 * obeys Z_t = A_t Z_{t−1} + B_t from 0 on, A = I − s∇²_ww L and B = −s∇²_wλ L, and Z* solves it at the inner solution w*.
 *
 *     δ_t = ‖w_t − w*‖ ≤ cᵗ δ_0,   δ_t ≤ ‖∇_w L(w_t)‖/μ,   c = max(|1 − sμ|, |1 − sℓ|)
 *     ‖Z_T − Z*‖ ≤ cᴷ M/μ + K cᵀ⁻¹ s (κ + ρM/μ) δ_0
 *     ‖h − ∇F‖ ≤ (D + L_E M/μ) δ_T + ‖∇_w E(w_T)‖ ‖Z_T − Z*‖
 */
import type { Program, Tree, Value } from "../../program/index.ts";
import type { ErrorFormula, ErrorTheory, MeasuredNumbers, ProblemConstants } from "../bounds.ts";
import type { Dynamics } from "../dynamics.ts";
import type { Adjoint } from "../estimate/follower.ts";
import { treeDistance } from "../estimate/leaves.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Projection } from "../projections.ts";
import { treeNorm } from "../../linear/internal.ts";

/** What a rule that differentiates the follower's steps measures for its bound; scalars. */
export interface DerivativeMeasured {
  /** ‖∇_w E‖ at the follower's response, over the dynamics' whole state. */
  readonly outerGradientNorm: Value;
  /** ‖h − ∇_λ E‖: what λ does through the follower. */
  readonly indirectGradientNorm: Value;
}

/** Measures the outer objective's adjoint and the hypergradient that came of it. */
export function measureDerivative(
  program: Program,
  { alpha, h: direct }: Adjoint,
  gradient: Tree<Value>,
): DerivativeMeasured {
  return {
    outerGradientNorm: program.call(treeNorm, alpha),
    indirectGradientNorm: program.call(treeDistance, gradient, direct),
  };
}

/** The theory of T steps with the given dynamics, none where it is not gradient descent's. */
export function unrolledBound(options: {
  readonly steps: number;
  readonly keep: number;
  readonly dynamics: Dynamics | Optimizer;
  readonly projection?: Projection | undefined;
}): ErrorTheory {
  const { steps, keep, dynamics, projection } = options;
  const rate = constantRateOf(dynamics);
  if (rate === undefined) {
    return {
      kind: "none",
      why: `the theory is that of gradient descent with a constant learning rate, the follower moves by ${dynamics.name}`,
    };
  }
  if (projection) {
    return { kind: "none", why: "the theory is that of steps without a projection" };
  }
  return gradientDescentBound({ steps, keep, rate });
}

/** s when the dynamics are w ← w − s∇_w L with a constant s. */
export function constantRateOf(dynamics: Dynamics | Optimizer): number | undefined {
  return "update" in dynamics ? dynamics.constantRate : undefined;
}

/**
 * The theory of T steps w ← w − s∇_w L, of which the last K are differentiated.
 *
 * @param options.keep - K; 0 for the direct gradient ∇_λ E alone.
 * @param options.perturbation - r when ∇²_λw L·v is a central difference over w ± r·v/‖v‖, which adds ½sκr‖∇_w E‖.
 */
export function gradientDescentBound(options: {
  readonly steps: number;
  readonly keep: number;
  readonly rate: number;
  readonly perturbation?: number;
}): ErrorFormula {
  const { steps, keep, rate, perturbation = 0 } = options;
  const contraction = ({ strongConvexity: mu, smoothness }: Required<ProblemConstants>): number =>
    Math.max(Math.abs(1 - rate * mu), Math.abs(1 - rate * smoothness));
  const difference = perturbation === 0 ? "" : " + s·κ·r/2";
  return {
    kind: "bound",
    formula: [
      `‖h − ∇F‖ ≤ (D + L_E·M/μ)·δ + ‖∇_w E‖·${keep === 0 ? "M/μ" : `(c^K·M/μ + K·c^(T−1)·s·(κ + ρ·M/μ)·δ_0${difference})`}`,
      `δ = ‖∇_w L‖/μ at the response${keep === 0 ? "" : ", δ_0 at the start; K of the T steps go back"}`,
      ...(keep === 0 ? [] : ["c = max(|1 − s·μ|, |1 − s·ℓ|) < 1 with the learning rate s"]),
      ...(perturbation === 0 ? [] : ["r the length of the difference's perturbation"]),
    ].join("\n"),
    needs: [
      "strongConvexity",
      ...(keep === 0 ? [] : (["smoothness"] as const)),
      "crossNorm",
      "hessianLipschitz",
      "crossLipschitz",
      "outerSmoothness",
      "directLipschitz",
    ],
    assumptions: [
      `the inner objective is strongly convex${keep === 0 ? "" : " and smooth"} in w`,
      ...(keep === 0
        ? []
        : ["each step is one of gradient descent, with one learning rate and on the same data"]),
    ],
    source:
      'Grazzi et al., "On the iteration complexity of hypergradient computation", ICML 2020; Shaban et al., "Truncated back-propagation for bilevel optimization", AISTATS 2019, for K < T',
    allowsInit: false,
    value: (constants, measured) => {
      const { strongConvexity: mu, crossNorm, outerSmoothness, directLipschitz } = constants;
      const { crossLipschitz, hessianLipschitz } = constants;
      const c = contraction(constants);
      const atStart = measured["initialInnerGradientNorm"]! / mu;
      const atResponse = measured["innerGradientNorm"]! / mu;
      const derivative = crossNorm / mu;
      const drift = rate * (crossLipschitz + hessianLipschitz * derivative) * atStart;
      const unrolled = keep === 0 ? 0 : keep * c ** (steps - 1) * drift;
      const differenced = (rate * crossLipschitz * perturbation) / 2;
      return (
        (directLipschitz + outerSmoothness * derivative) * atResponse +
        measured["outerGradientNorm"]! * (c ** keep * derivative + unrolled + differenced)
      );
    },
    contradiction: (constants, measured) => {
      if (steps === 0) return undefined;
      const c = contraction(constants);
      if (!(c < 1)) {
        return `with the learning rate ${rate} the steps need not contract: c = max(|1 − s·μ|, |1 − s·ℓ|) is ${c.toPrecision(3)}`;
      }
      const { innerGradientNorm: end, initialInnerGradientNorm: start } = measured;
      // ∇_w L shrinks by c in every step. What rounding leaves of it in float32 is no counterexample.
      if (end! <= (c ** steps + 1e-5) * start!) return undefined;
      return `the inner gradient's norm fell to ${(end! / start!).toExponential(2)} of its start, to ${(c ** steps).toExponential(2)} or less with constants that hold`;
    },
    local: (measured) => localConstants(measured, { steps, keep, rate }),
  };
}

/** What the fall of the inner gradient and the size of the derivative tell of the constants. */
function localConstants(
  measured: MeasuredNumbers,
  { steps, keep, rate }: { steps: number; keep: number; rate: number },
): ReturnType<NonNullable<ErrorFormula["local"]>> {
  const { innerGradientNorm: end, initialInnerGradientNorm: start } = measured;
  const ratio = (end! / start!) ** (1 / steps);
  const strongConvexity = (1 - ratio) / rate;
  if (!(strongConvexity > 0)) return {};
  const derivative = measured["indirectGradientNorm"]! / measured["outerGradientNorm"]!;
  const crossNorm = (strongConvexity * derivative) / (1 - ratio ** keep);
  return {
    strongConvexity: {
      value: strongConvexity,
      how: "what the fall of the inner gradient's norm tells; the true one may be smaller",
    },
    smoothness: { value: 1 / rate, how: "taken to be that for which the learning rate is made" },
    crossNorm: Number.isFinite(crossNorm)
      ? {
          value: crossNorm,
          how: "what was met along the outer gradient; the true one may be larger",
        }
      : undefined,
  };
}
