/**
 * Implicit hypergradient of a follower under constraints p(w, λ) ≤ 0, q(w, λ) = 0, by the conditions of Karush, Kuhn and
 * Tucker on the constraints that are active at its response.
 *
 *     ν = argmin ‖∇_w L + J_Aᵀν‖, ν ≥ 0 for inequalities                                (multipliers; 0 where inactive)
 *     [∇²_ww(L + νᵀc), J_Aᵀ; J_A, 0]·(u, t) = (∇_w E, 0)
 *     h = ∇_λ E − ∂(∇_w L + J_Aᵀν)/∂λᵀ·u − (∂c_A/∂λ)ᵀ·t
 *
 * The response comes from projected dynamics, or from the method of multipliers where no projection is at hand.
 */
import {
  checkOptions,
  countElements,
  required,
  treeMap,
  checkCount,
} from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import { minres, type LinearSolver } from "../../../linear/index.ts";
import { tensor, type Tree, type Value } from "../../../program/index.ts";
import { checkConstraints, checkPositive, type Constraints } from "../../estimate/constraints.ts";
import { asDynamics, type Dynamics } from "../../dynamics.ts";
import { openFollower, weightsOf } from "../../estimate/follower.ts";
import { watchCoefficients } from "../../estimate/follower-measure.ts";
import { activeSetWarnings, judgeActiveSet } from "./active-set-report.ts";
import { judgeLinear, linearMeasured, linearWarnings } from "./linear-report.ts";
import type { Arrays } from "../../problem.ts";
import type { Rule } from "../../rule.ts";
import { openActiveSet, type ActiveSet, type KktPoint } from "./active-set.ts";
import { collect, lastData } from "./implicit.ts";
import { kktEquations, tangentCurvature, type KktVector } from "./kkt-equations.ts";
import { methodOfMultipliers } from "./method-of-multipliers.ts";
import { type UnrolledOptions } from "../../estimate/unrolled-options.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";

/** Options of {@link implicitKkt}. At least one of `inequalities` and `equalities` is required. */
export interface ImplicitKktOptions extends Omit<UnrolledOptions, "projection">, Constraints {
  /**
   * Onto the set that the constraints describe, applied after every step. Left out, the method of multipliers leads to it.
   */
  readonly projection?: UnrolledOptions["projection"];
  /** Of the method of multipliers: ρ > 0. The larger, the fewer updates and the smaller the steps that converge. Default 1. */
  readonly penalty?: number;
  /** Of the method of multipliers: steps between two updates of the multipliers, ≥ 1. Default 10. */
  readonly stepsPerUpdate?: number;
  /** Of the symmetric, indefinite system; default `minres({ maxSteps: 100 })`. For few unknowns `dense({ factorization: "lu" })`. */
  readonly solver?: LinearSolver;
  /** An inequality with p ≥ −activeTolerance is active; in p's units. Default 1e-6 in float64, 1e-4 in less. */
  readonly activeTolerance?: number;
  /**
   * A multiplier, times the norm of its constraint's gradient, is zero up to this times max(1, ‖∇_w L‖). Default 1e-6 in
   * float64, 1e-4 in less. Only the report asks.
   */
  readonly multiplierTolerance?: number;
}

/**
 * The hypergradient at the constrained inner solution, on its active set.
 *
 * Exact when the response satisfies the conditions and the linear system is solved, where the active gradients are linearly
 * independent, every active inequality has a positive multiplier, and the Lagrangian is strongly convex along them. The
 * report measures the active set's size (`activeConstraints`), `stationarity`, `feasibility`, `complementarity`,
 * `dependentConstraints`, `weaklyActive`, `negativeMultipliers` and `tangentCurvature`, and names what is degenerate.
 * Where an active multiplier is zero the response has a kink, and the derivative is that of the side that keeps it active.
 *
 * Without a projection the report's inner gradient norm is ‖(∇_w L + Jᵀν, max(0, p), q)‖, with the multipliers of least
 * squares. With minibatches the conditions are those of the last one.
 *
 * Costs T + 1 inner gradients (T with the gradients of the constraints beside them), at most the solver's J products and
 * 1 cross product, and the memory of one state, of m rows [|w|] for m constraints and of their m² products.
 *
 * @throws RangeError when a number is out of range; TypeError when there is no constraint, or the solver needs a positive
 *   definite system or a contraction.
 * @see Xu, Zhu, "Efficient gradient approximation method for constrained bilevel optimization", AAAI 2023.
 * @example
 * const rule = implicitKkt({
 *   inequalities: (w) => w.sub(1),
 *   projection: box({ upper: 1 }),
 *   steps: 100,
 *   dynamics: gradientDescent({ learningRate: 0.1 }),
 * });
 */
export function implicitKkt(options: ImplicitKktOptions): Rule {
  checkOptions("implicitKkt", options, {
    projection: PROJECTION,
    penalty: "number",
    stepsPerUpdate: "number",
    solver: "object",
    activeTolerance: "number",
    multiplierTolerance: "number",
    tolerance: TOLERANCE,
    steps: "number!",
    dynamics: required(DYNAMICS),
    inequalities: "function",
    equalities: "function",
  });
  const { steps, projection, inequalities, equalities, solver = minres() } = options;
  const { penalty = 1, stepsPerUpdate = 10 } = options;
  const constraints: Constraints = { inequalities, equalities };
  const { activeTolerance, multiplierTolerance } = options;
  const tolerances = { active: activeTolerance, multiplier: multiplierTolerance };
  checkCount("implicitKkt: steps", steps);
  checkCount("implicitKkt: stepsPerUpdate", stepsPerUpdate);
  checkConstraints("implicitKkt", constraints);
  checkPositive("implicitKkt: penalty", penalty);
  for (const [name, value] of Object.entries({ activeTolerance, multiplierTolerance })) {
    if (value !== undefined) checkPositive(`implicitKkt: ${name}`, value);
  }
  checkSolver(solver);
  const base = asDynamics(options.dynamics);
  const dynamicsAt = (lambda: () => Arrays): Dynamics =>
    projection ? base : methodOfMultipliers(base, constraints, { penalty, stepsPerUpdate }, lambda);
  return {
    name: "implicit-kkt",
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: false,
      memory: `O(m·|w| + m²) for m constraints, and ${solver.needs.memory} with n = |w| + m`,
      bias: "its error is of the order of the follower's distance from the constrained inner solution and of the linear system's residual",
    },
    innerSteps: steps,
    tolerance: fullTolerance(options.tolerance),
    bound: {
      kind: "none",
      why: "it holds only while the active set is that of the solution, which the run cannot know",
    },
    least: ["smallestCurvature", "tangentCurvature"],
    judge: (measured) => [judgeLinear(measured), judgeActiveSet(measured)],
    warn: (history) => [...linearWarnings(history), ...activeSetWarnings(history)],
    init: (w, lambda) => dynamicsAt(() => lambda).init(w),
    estimate: (program, problem, point) => {
      const { lambda } = point;
      const blank = (): Arrays =>
        treeMap(
          ({ shape, dtype }: Value) => np.zeros([...shape], { dtype: dtype as np.DType }),
          lambda,
        );
      const dynamics = dynamicsAt(blank);
      const follower = openFollower(program, problem, point, {
        steps,
        dynamics,
        project: projection,
      });
      const { batches, prepared } = follower;
      const [last] = follower.forward(follower.start, { first: 0, length: steps, batches });
      const { value, adjoint } = follower.outer(last);
      const outerGradient = weightsOf(follower.floats.put(last, adjoint.alpha));

      const isBatched = point.batched ?? false;
      const at = (state: Tree<Value>): KktPoint => ({
        w: weightsOf(state),
        lambda,
        data: lastData(program, follower, isBatched, steps),
      });
      const look = (state: Tree<Value>): ActiveSet =>
        openActiveSet(program, problem, constraints, at(state), tolerances);
      const set = look(last);
      const equations = kktEquations(program, problem, constraints, at(last), set, {
        activeData: prepared.inner.active,
        outerGradient,
      });
      const { solution, report } = solver.solve(program, equations);
      const { u } = solution as unknown as KktVector<Value>;
      const curvature = program.call(
        tangentCurvature as never,
        outerGradient,
        u,
        report.largestCurvature,
      ) as Value;

      const residual = ({ measured }: ActiveSet): Value =>
        program.call(
          (a: np.Array, b: np.Array) => np.hypot(a, b),
          measured.stationarity,
          measured.feasibility,
        );
      const norms = projection
        ? { ...follower.measure(last), isProjected: program.constant(tensor(1)) as Value }
        : {
            innerGradientNorm: residual(set),
            initialInnerGradientNorm: residual(look(follower.start)),
            ...watchCoefficients(program, {
              dynamics,
              project: undefined,
              lambda,
              first: 0,
              steps,
            }),
          };
      const size = countElements(set.multipliers);
      const weights = countElements(weightsOf(last));
      const linear = solver.cost(countElements(equations.rhs), false);
      return {
        value,
        gradient: collect(program, follower, adjoint.h, equations.pull(solution), isBatched),
        w: weightsOf(last),
        state: last,
        report: {
          ...norms,
          ...linearMeasured(report),
          ...set.measured,
          tangentCurvature: curvature,
        },
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep + 1,
          hessianVectorProducts: linear.products,
          crossProducts: 1,
          storedFloats: countElements(last) + size * (weights + size) + linear.storedFloats,
          reportGradients: projection ? 2 : 1,
          reportProducts: linear.reportProducts,
        },
      };
    },
  };
}

function checkSolver(solver: LinearSolver): void {
  if (typeof solver?.solve !== "function") {
    throw new TypeError("implicitKkt: solver must be a linear solver, such as minres().");
  }
  const { positiveDefinite, contraction } = solver.needs;
  if (positiveDefinite || contraction) {
    throw new TypeError(
      `implicitKkt: ${solver.name} needs a ${positiveDefinite ? "positive definite system" : "contraction"}, which the conditions' derivative is not; use minres, or dense({ factorization: "lu" }).`,
    );
  }
}
