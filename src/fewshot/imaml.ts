/**
 * Implicit MAML: a task's follower is tied to λ by a proximal term, and its response is differentiated as the solution of
 * its problem, whatever steps led there.
 *
 *     L(w, λ) = ℓ_support(w) + (ρ/2) ‖w − λ‖²,   (I + ∇²ℓ_support(w)/ρ) h = ∇ℓ_query(w)
 *
 * The second equation is the implicit rule's: with ∇²_λw L = −ρI and q = (∇²ℓ + ρI)⁻¹ ∇ℓ_query, h = ρq.
 */
import { checkOptions } from "../program/internal.ts";
import { numpy as np, tree } from "@jax-js/jax";
import { type Arrays, bilevel } from "../bilevel/index.ts";
import { implicit } from "../bilevel/rules/index.ts";
import { conjugateGradient, type LinearSolver } from "../linear/index.ts";
import { descentLearner, type DescentOptions } from "./descent-learner.ts";
import type { Encoder } from "./encoder.ts";
import type { Labelled, Learner } from "./learner.ts";
import { classify, firstNetwork, wholeNetwork, type Network } from "./maml.ts";

/**
 * The learner of Rajeswaran et al. Each task has a linear system of its own.
 *
 * @param options.proximity - ρ > 0, the λ of the paper. Default 2.
 * @param options.solver - of the linear system. Default `conjugateGradient({ maxSteps: 5 })`.
 * @param options.steps - default 16.
 * @param options.learningRate - default 0.1.
 * @throws RangeError when `proximity` is not a positive number.
 * @see Rajeswaran et al., "Meta-learning with implicit gradients", NeurIPS 2019.
 */
export function imaml(
  options: { encoder: Encoder; proximity?: number; solver?: LinearSolver } & Omit<
    DescentOptions,
    "rule" | "learnRate" | "tasks"
  >,
): Learner {
  checkOptions("imaml", options, {
    encoder: "object!",
    proximity: "number",
    solver: "object",
    optimizer: "function",
    steps: "number",
    learningRate: "number",
  });
  const {
    encoder,
    proximity = 2,
    solver = conjugateGradient({ maxSteps: 5 }),
    ...descent
  } = options;
  if (!(proximity > 0 && proximity < Infinity)) {
    throw new RangeError(`imaml: proximity must be a finite number > 0; ${proximity} came.`);
  }
  const problem = wholeNetwork(encoder);
  const logits = classify(encoder);
  type Weights = Network<np.Array>;
  return descentLearner({
    name: "imaml",
    encoder,
    steps: 16,
    learningRate: 0.1,
    ...descent,
    learnRate: false,
    rule: (options) => implicit({ ...options, solver }),
    tasks: "in turn",
    init: (shape, seed, dtype) => ({ ...firstNetwork(encoder, shape, seed, dtype) }),
    problem: bilevel({
      ...problem,
      inner: (w: Weights, lambda: Weights, support: Labelled<np.Array>) =>
        problem.inner(w, lambda, support).add(squaredDistance(w, lambda).mul(proximity / 2)),
    }),
    predict: (w: Weights, _lambda, query: Labelled<np.Array>) => logits(w, query),
  });
}

/** ‖a − b‖² over all leaves; a jax-js function. */
function squaredDistance(a: Arrays, b: Arrays): np.Array {
  const others = tree.leaves<np.Array>(b);
  const squares = tree.leaves<np.Array>(a).map((x, i) => np.sum(np.square(x.sub(others[i]!))));
  return squares.reduce((sum, x) => sum.add(x));
}
