/**
 * DARTS: the outer gradient after one virtual step of the follower, differentiated through that step.
 *
 *     w' = w − ξ ∇_w L(w, λ),    v = ∇_w E(w', λ)
 *     h = ∇_λ E(w', λ) − ξ ∇²_λw L(w, λ) v                               (second order)
 *     h = ∇_λ E(w', λ) − ξ [∇_λ L(w⁺, λ) − ∇_λ L(w⁻, λ)] / (2ε)          (its finite difference: w± = w ± ε v, ε = r / ‖v‖)
 *     h = ∇_λ E(w, λ)                                                    (first order: ξ = 0)
 *
 * The follower itself then makes one step with dynamics of its own.
 */
import { callTree, checkOptions, countElements, treeMap } from "../../../program/internal.ts";
import { DYNAMICS, TOLERANCE } from "../../option-kinds.ts";
import { numpy as np } from "@jax-js/jax";
import { grad, type Program, type Tree, type Value, vjp } from "../../../program/index.ts";
import { gradientDescentBound, measureDerivative } from "../bounds-unrolled.ts";
import { asDynamics, innerGradient, type Dynamics } from "../../dynamics.ts";
import { openFollower, weightsOf, type Follower } from "../../estimate/follower.ts";
import { gradientDescent } from "../../optimizers/gradient-descent.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import type { Arrays, Problem } from "../../problem.ts";
import type { Measured, Point, Rule, Tolerance } from "../../rule.ts";
import { fullTolerance } from "../../estimate/tolerance.ts";
import { treeNorm } from "../../../linear/internal.ts";

/** Options of {@link darts}. */
export interface DartsOptions {
  /** ξ > 0: the virtual step's learning rate, and that of the default dynamics. */
  readonly learningRate: number;
  /** 2 looks one virtual step ahead; 1 does not (ξ = 0 in the formula) and sees no effect through w. */
  readonly order: 1 | 2;
  /**
   * How second order gets the cross product: "exact" (default) by differentiating twice, or the authors' "finite", a
   * difference of two gradients ∇_λ L. That one rounds, above all in float32, and sees the objective's values where the
   * exact one sees its derivatives: it also differentiates through `lax.stopGradient` and other cut paths in the weights.
   */
  readonly difference?: "exact" | "finite";
  /** r > 0, the length of the finite difference's perturbation ε·v over all weights together. Default 0.01, the authors'. */
  readonly epsilon?: number;
  /** How the follower itself moves. Default: gradient descent with `learningRate`, whose step is the virtual one. */
  readonly dynamics?: Dynamics | Optimizer;
  /** When the report calls the inner problem solved; changes nothing else. Default: relative 1e-3, absolute 1e-6. */
  readonly tolerance?: Partial<Tolerance>;
}

/**
 * The hypergradient of differentiable architecture search. Use it in `solve` with its default `start: "warm"`, so that
 * the follower trains on while the leader moves.
 *
 * The response `w` and the value are those of w' (of w with `order: 1`); the state that goes on is w after one step of
 * `dynamics` on the same inner data, at the same λ: both players move at once, where the authors' code moves λ first.
 * Their code also puts momentum and weight decay into w'; the paper's formula, here, has neither (write decay into L).
 *
 * Costs, in second order, 2 inner gradients and 1 cross product ("finite": in its place two gradients ∇_λ L, and no
 * second derivative); in first order 1 inner gradient. Memory: one copy of w. Biased in either order, as it takes w as given:
 * second order is `oneStage` with one step, and first order leaves out all that λ does through the follower.
 *
 * @throws RangeError when `learningRate` or `epsilon` is not a positive number; TypeError for another `order` or
 *   `difference`, for an `epsilon` without the finite difference, and, in an estimate, for a problem with an `init`, which would restart the follower.
 * @see Liu, Simonyan, Yang, "DARTS: differentiable architecture search", ICLR 2019, equations 6 to 8.
 * @example
 * const rule = darts({ learningRate: 0.025, order: 2, dynamics: momentum({ learningRate: 0.025, momentum: 0.9 }) });
 */
export function darts(options: DartsOptions): Rule {
  checkOptions("darts", options, {
    learningRate: "number!",
    order: "number!",
    difference: "string",
    epsilon: "number",
    dynamics: DYNAMICS,
    tolerance: TOLERANCE,
  });
  const { learningRate, order, difference = "exact", epsilon = 0.01 } = options;
  checkPositive("darts: learningRate", learningRate);
  checkPositive("darts: epsilon", epsilon);
  if (order !== 1 && order !== 2) {
    throw new TypeError(`darts: order must be 1 or 2; ${String(order)} came.`);
  }
  const looksAhead = order === 2;
  if (difference !== "finite" && difference !== "exact") {
    throw new TypeError(
      `darts: difference must be "exact" or "finite"; ${String(difference)} came.`,
    );
  }
  const isFinite = looksAhead && difference === "finite";
  if (options.epsilon !== undefined && !isFinite) {
    throw new TypeError(
      'darts: epsilon is the length of the finite difference, which only order: 2 with difference: "finite" has; ask for it, or leave epsilon out.',
    );
  }
  const dynamics = asDynamics(options.dynamics ?? gradientDescent({ learningRate }));
  return {
    name: looksAhead ? "darts" : "darts first order",
    needs: {
      secondDerivatives: looksAhead && !isFinite,
      uniqueInnerSolution: false,
      strongConvexity: false,
      memory: "O(|w|)",
      bias: looksAhead
        ? `it looks one step ahead, and leaves out how the weights before that step depend on the hyperparameters${isFinite ? `; its cross product is a finite difference over ±${epsilon} along the outer gradient, which rounds and also differentiates through stop-gradients` : ""}`
        : "it leaves out all that the hyperparameters do through the follower's weights",
    },
    innerSteps: 1,
    tolerance: fullTolerance(options.tolerance),
    // The virtual step is one of gradient descent, whatever the follower's own are.
    bound: gradientDescentBound({
      steps: looksAhead ? 1 : 0,
      keep: looksAhead ? 1 : 0,
      rate: learningRate,
      ...(isFinite && { perturbation: epsilon }),
    }),
    init: (w) => dynamics.init(w),
    estimate: (program, problem, point) => {
      if (problem.init) {
        throw new TypeError(
          "darts: the follower trains on from step to step, but the problem's init restarts it; leave init out, or use reverse.",
        );
      }
      const follower = openFollower(program, problem, point, { steps: 1, dynamics });
      const { start, prepared } = follower;
      const [state] = follower.forward(start, { first: 0, length: 1, batches: follower.batches });
      const data = firstBatch(program, point, follower);
      const ahead = (w: Arrays, lambda: Arrays, data: Arrays): Arrays =>
        step(w, innerGradient(problem.inner, w, lambda, data), -learningRate);
      const response = looksAhead
        ? callTree(program, ahead, weightsOf(start), point.lambda, data)
        : weightsOf(start);
      const judged = { ...(start as { w: Tree<Value> }), w: response };
      const { value, adjoint } = follower.outer(judged);
      const measured = follower.measure(judged);
      const common = { value, w: response, state };
      const counts = {
        innerGradients: (looksAhead ? 1 : 0) + dynamics.gradientsPerStep,
        hessianVectorProducts: 0,
        crossProducts: looksAhead ? 1 : 0,
        storedFloats: looksAhead ? countElements(response) : 0,
        reportGradients: 2,
      };
      const report = (gradient: Tree<Value>): Measured<Value> => ({
        ...measured,
        ...measureDerivative(program, adjoint, gradient),
      });
      if (!looksAhead) {
        return { ...common, gradient: adjoint.h, report: report(adjoint.h), cost: counts };
      }

      // v = ∇_w E: the weights' part of the adjoint.
      const direction = weightsOf(follower.floats.put(start, adjoint.alpha));
      const cross = isFinite ? finiteProduct(epsilon) : exactProduct;
      const [toLambda, toData] = cross(program, problem, point, follower, data, direction);
      const subtract = (h: Arrays, c: Arrays): Arrays => step(h, c, -learningRate);
      const scale = (c: np.Array): np.Array =>
        c.mul(-learningRate).reshape(point.batched ? [1, ...c.shape] : c.shape);
      const h = callTree(program, subtract, adjoint.h, toLambda);
      const perBatch = toData.map((c) => program.call(scale, c));
      const gradient = prepared.inner.pull(h, perBatch);
      return { ...common, gradient, report: report(gradient), cost: counts };
    },
  };
}

/** ∇²_{λw} L · v: the parts for λ and for the active leaves of the prepared data. */
type CrossProduct = (
  program: Program,
  problem: Problem,
  point: Point,
  follower: Follower,
  data: Tree<Value>,
  direction: Tree<Value>,
) => [toLambda: Tree<Value>, toData: Value[]];

/** Differentiates ⟨∇_w L, v⟩. */
const exactProduct: CrossProduct = (program, problem, point, follower, data, direction) => {
  const { active } = follower.prepared.inner;
  const product = (w: Arrays, lambda: Arrays, data: Arrays, v: Arrays): Arrays[] => {
    const gradient = (l: Arrays, d: np.Array[]): Arrays =>
      innerGradient(problem.inner, w, l, active.put(data, d));
    return vjp(gradient, lambda, active.take(data))[1](v);
  };
  const { start } = follower;
  return callTree(program, product, weightsOf(start), point.lambda, data, direction) as never;
};

/** [∇_λ L(w + εv) − ∇_λ L(w − εv)] / (2ε) with ε = r / ‖v‖, and 0 for v = 0. */
const finiteProduct =
  (r: number): CrossProduct =>
  (program, problem, point, follower, data, direction) => {
    const { active } = follower.prepared.inner;
    const product = (w: Arrays, lambda: Arrays, data: Arrays, v: Arrays): Arrays[] => {
      const norm = treeNorm(v);
      const positive = np.greater(norm, 0);
      const epsilon = np.where(positive, np.reciprocal(np.where(positive, norm, 1)).mul(r), 0);
      const gradientAt = (w: Arrays): Arrays[] => {
        const loss = ([l, d]: [Arrays, np.Array[]]): np.Array =>
          problem.inner(w, l, active.put(data, d));
        return grad(loss, [lambda, active.take(data)]);
      };
      const plus = gradientAt(step(w, v, epsilon));
      const minus = gradientAt(step(w, v, epsilon.mul(-1)));
      const quotient = (a: np.Array, b: np.Array): np.Array =>
        a.sub(b).mul(norm.mul(1 / (2 * r)).astype(a.dtype));
      return treeMap(quotient, plus as Arrays, minus as Arrays) as Arrays[];
    };
    const { start } = follower;
    return callTree(program, product, weightsOf(start), point.lambda, data, direction) as never;
  };

/** The prepared inner data of the one step. */
function firstBatch(program: Program, { batched = false }: Point, follower: Follower): Tree<Value> {
  const first = (all: Arrays): Arrays => treeMap((x: np.Array) => x.slice(0), all);
  const { data } = follower.prepared.inner;
  return batched ? callTree(program, first, data) : data;
}

/** w + scale · v, leaf by leaf. */
function step(w: Arrays, v: Arrays, scale: np.Array | number): Arrays {
  return treeMap(
    (x: np.Array, y: np.Array) =>
      x.add(y.mul(typeof scale === "number" ? scale : scale.astype(x.dtype))),
    w,
    v,
  );
}

function checkPositive(where: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(`${where} must be a positive number; ${String(value)} came.`);
  }
}
