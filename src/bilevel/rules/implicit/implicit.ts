/**
 * Implicit hypergradient: the follower makes T steps, of which no trajectory is kept, and its response is differentiated as
 * the solution that it approximates.
 *
 *     through the objective, ∇_w L(w, λ) = 0:    ∇²_ww L · q = ∇_w E,          h = ∇_λ E − ∇²_λw L · q
 *     through the dynamics,  Φ(w, λ) = w:        (I − ∂Φ/∂w)ᵀ · q = ∇_w E,     h = ∇_λ E + (∂Φ/∂λ)ᵀ · q
 *
 * How q is found is the linear solver's business, which sees products only.
 */
import {
  callTree,
  checkOptions as checkNamedOptions,
  countElements,
  required,
  selectFloats,
  treeMap,
} from "../../../program/internal.ts";
import { DYNAMICS, PROJECTION, TOLERANCE } from "../../option-kinds.ts";
import type { numpy as np } from "@jax-js/jax";
import type { LinearSolver } from "../../../linear/index.ts";
import type { Program, Tree, Value } from "../../../program/index.ts";
import type { ErrorTheory } from "../../bounds.ts";
import { implicitBound, measureAdjoint } from "../bounds-adjoint.ts";
import { constantRateOf } from "../bounds-unrolled.ts";
import { asDynamics, type Dynamics } from "../../dynamics.ts";
import { openFollower, weightsOf, type Follower } from "../../estimate/follower.ts";
import { addTrees, zerosLikeTree } from "../../estimate/leaves.ts";
import { judgeLinear, linearMeasured, linearWarnings } from "./linear-report.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import type { Arrays } from "../../problem.ts";
import type { Projection } from "../../projections.ts";
import type { Point, Rule, Tolerance } from "../../rule.ts";
import { throughDynamics, throughObjective, type Equations } from "./implicit-equations.ts";

/** Options of {@link implicit}. */
export interface ImplicitOptions {
  /** How the linear system is solved, such as `conjugateGradient({ maxSteps: 20 })`. */
  readonly solver: LinearSolver;
  /** T ≥ 0, the follower's steps; 0 takes the first weights for its response, and no minibatches. */
  readonly steps: number;
  /** How the follower moves: an optimizer on the inner objective, or any contraction. */
  readonly dynamics: Dynamics | Optimizer;
  /**
   * Which equation is differentiated. Default: "dynamics" for a solver that needs a contraction, as `fixedPoint` does,
   * otherwise "objective". Momentum and other dynamics with a memory are differentiated with it; their Jacobian is not
   * symmetric.
   */
  readonly through?: "objective" | "dynamics";
  /** Start the linear system at the last estimate's q, which joins the follower's state. Default false: at 0. */
  readonly warmStart?: boolean;
  /** Applied to the weights after every step; needs `through: "dynamics"`, which differentiates it. Default: none. */
  readonly projection?: Projection;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The hypergradient at the inner solution, by the implicit function theorem at the follower's response w_T.
 *
 * Exact when w_T solves the inner problem and q the linear system. Otherwise its error is of the order of ‖w_T − w*‖ and
 * of the linear residual, both of which the report carries; a system that is singular, indefinite or not solved is named
 * in the status. The first weights have no influence on the response's derivative, even when an `init` makes them of λ.
 * With minibatches the equation is that of the last one.
 *
 * Costs T inner gradients, at most the solver's J products (2J + 1 on normal equations) and 1 cross product, and the
 * memory of one state and the solver's vectors, whatever T is.
 *
 * @throws RangeError when `steps` is not a whole number ≥ 0; TypeError when solver, equation and projection do not fit.
 * @see Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016; Grazzi et al., "On the iteration
 *   complexity of hypergradient computation", ICML 2020, for the dynamics.
 * @example
 * const rule = implicit({
 *   solver: conjugateGradient({ maxSteps: 20, rtol: 1e-8 }),
 *   steps: 100,
 *   dynamics: gradientDescent({ learningRate: 0.1 }),
 * });
 */
export function implicit(options: ImplicitOptions): Rule {
  checkNamedOptions("implicit", options, {
    solver: "object!",
    steps: "number!",
    dynamics: required(DYNAMICS),
    through: "string",
    warmStart: "boolean",
    projection: PROJECTION,
    tolerance: TOLERANCE,
  });
  const { solver, steps, projection, warmStart = false } = options;
  if (typeof solver?.solve !== "function") {
    throw new TypeError(
      "implicit: solver must be a linear solver, such as conjugateGradient({ maxSteps: 20 }).",
    );
  }
  const through = options.through ?? (solver.needs.contraction ? "dynamics" : "objective");
  checkOptions(options, through);
  const dynamics = asDynamics(options.dynamics);
  const isObjective = through === "objective";
  return {
    name: `implicit-${solver.name}`,
    needs: {
      secondDerivatives: true,
      uniqueInnerSolution: true,
      strongConvexity: isObjective ? solver.needs.positiveDefinite : solver.needs.contraction,
      memory: `${solver.needs.memory} with n = ${isObjective ? "|w|" : "the dynamics' state"}`,
      bias: "its error is of the order of the follower's distance from the inner solution and of the linear system's residual",
    },
    innerSteps: steps,
    tolerance: { relative: 1e-3, absolute: 1e-6, ...options.tolerance },
    bound: isObjective ? implicitBound({ solver, scale: 1 }) : boundThroughDynamics(options),
    least: ["smallestCurvature"],
    judge: (measured) => [judgeLinear(measured)],
    warn: linearWarnings,
    init: (w) => {
      const follower = dynamics.init(w) as Arrays;
      if (!warmStart) return follower;
      const unknown = isObjective ? w : selectFloats(follower as never).take(follower);
      return { follower, adjoint: zerosLikeTree(unknown as Arrays) };
    },
    estimate: (program, problem, point) => {
      if (steps === 0 && point.batched) {
        throw new TypeError(
          "implicit: minibatches come one a step, and there are no steps; give steps >= 1, or all inner data.",
        );
      }
      const before = warmStart && !problem.init ? readWarm(point.state) : undefined;
      const start: Point = before ? { ...point, state: before.follower } : point;
      const follower = openFollower(program, problem, start, {
        steps,
        dynamics,
        project: projection,
      });
      const { batches } = follower;
      // The states before each step are not used, so the program does not keep them.
      const [last] =
        steps === 0
          ? [follower.start]
          : follower.forward(follower.start, { first: 0, length: steps, batches });
      const { value, adjoint } = follower.outer(last);
      const isBatched = point.batched ?? false;
      const response = {
        lambda: point.lambda,
        state: last,
        data: lastData(program, follower, isBatched, steps),
        alpha: adjoint.alpha,
        t: Math.max(steps - 1, 0),
      };
      const equations = isObjective
        ? throughObjective(program, problem, follower, response)
        : throughDynamics(program, follower, response);
      const { solution, report } = solver.solve(program, {
        ...equations,
        ...(before ? { start: before.adjoint } : {}),
      });
      const gradient = collect(program, follower, adjoint.h, equations.pull(solution), isBatched);
      const linear = solver.cost(countElements(equations.rhs), before !== undefined);
      return {
        value,
        gradient,
        w: weightsOf(last),
        state: warmStart ? { follower: last, adjoint: solution } : last,
        report: {
          ...follower.measure(last),
          ...linearMeasured(report),
          ...measureAdjoint(program, solution, adjoint.h, gradient),
        },
        cost: {
          innerGradients: steps * dynamics.gradientsPerStep,
          hessianVectorProducts: linear.products,
          crossProducts: 1,
          storedFloats: countElements(last) + linear.storedFloats,
          reportGradients: 2,
          reportProducts: linear.reportProducts,
        },
      };
    },
  };
}

/** Gradient descent's I − ∂Φ/∂w is s∇²_ww L, and its adjoint q/s; of other dynamics the constants tell nothing. */
function boundThroughDynamics({ solver, dynamics, projection }: ImplicitOptions): ErrorTheory {
  const rate = constantRateOf(dynamics);
  if (rate !== undefined && !projection) return implicitBound({ solver, scale: rate });
  return {
    kind: "none",
    why: "through the dynamics, the theory is that of gradient descent with a constant learning rate and no projection",
  };
}

/** The state of a rule that warm-starts its linear system. */
interface Warm {
  readonly follower: Tree<Value>;
  readonly adjoint: Tree<Value>;
}

function readWarm(state: Tree<Value>): Warm {
  return state as unknown as Warm;
}

/** The prepared inner data of the last step. */
export function lastData(
  program: Program,
  { prepared }: Follower,
  isBatched: boolean,
  steps: number,
): Tree<Value> {
  const { data } = prepared.inner;
  if (!isBatched) return data;
  const slice = (data: Arrays): Arrays => treeMap((x: np.Array) => x.slice(steps - 1), data);
  return callTree(program, slice, data);
}

/** h + what q contributes, directly and through `prepare`. */
export function collect(
  program: Program,
  { prepared }: Follower,
  h: Tree<Value>,
  { lambda, data }: ReturnType<Equations["pull"]>,
  isBatched: boolean,
): Tree<Value> {
  const direct = callTree(program, addTrees, h, lambda);
  // Of stacked minibatches, one: the last.
  const stack = (x: np.Array): np.Array => x.reshape([1, ...x.shape]);
  const cotangents = isBatched ? data.map((leaf) => program.call(stack, leaf)) : data;
  return prepared.inner.pull(direct, cotangents);
}

function checkOptions(options: ImplicitOptions, through: string): void {
  const { solver, steps, projection } = options;
  if (!Number.isSafeInteger(steps) || steps < 0) {
    throw new RangeError(`implicit: steps must be a whole number >= 0; ${String(steps)} came.`);
  }
  if (through !== "objective" && through !== "dynamics") {
    throw new TypeError(
      `implicit: through must be "objective" or "dynamics"; ${String(through)} came.`,
    );
  }
  const { symmetric, contraction } = solver.needs;
  if (through === "dynamics" && symmetric) {
    throw new TypeError(
      `implicit: ${solver.name} needs a symmetric system, the dynamics' is not in general; use through: "objective", or fixedPoint, conjugateGradientNormal or dense({ factorization: "lu" }).`,
    );
  }
  if (through === "objective" && contraction) {
    throw new TypeError(
      `implicit: ${solver.name} needs a contraction, which the inner Hessian is not; use through: "dynamics", or neumann.`,
    );
  }
  if (through === "objective" && projection) {
    throw new TypeError(
      'implicit: at a projected response the inner gradient need not vanish; use through: "dynamics", which differentiates the projection.',
    );
  }
}
