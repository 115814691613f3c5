/**
 * Reptile: the leader moves toward where the followers end, without any outer objective.
 *
 *     w_0 = λ,   w_T by T steps on the task's loss,   h = λ − w_T, the mean over the tasks
 *
 * With gradient descent of rate ε for the leader's optimizer, λ ← λ + ε (mean w_T − λ).
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { displacement } from "../bilevel/rules/index.ts";
import { descentLearner, type DescentOptions } from "./descent-learner.ts";
import type { Encoder } from "./encoder.ts";
import type { Labelled, Learner } from "./learner.ts";
import { classify, firstNetwork, wholeNetwork, type Network } from "./maml.ts";

/**
 * The learner of Nichol et al. The query set only gives the value that is reported. Train it with more shots than it is
 * tested with, 10 to 15, as its authors do, and with `optimizer: gradientDescent({ learningRate })` for the leader.
 *
 * In training each step sees other images of the classes. What makes the leader learn is that the gradients of different
 * minibatches come to agree; T steps on one batch only make it fit that batch faster. At test each step sees the support set.
 *
 * @param options.steps - default 5.
 * @param options.learningRate - default 0.1.
 * @param options.stepShots - images of each class that a step of the training sees, a whole number ≥ 1; where the shots are
 *   no more than that, it sees all. Default 2, the minibatches of 10 of the authors' 5-way tasks.
 * @throws RangeError for `stepShots` out of range.
 * @see Nichol, Achiam, Schulman, "On first-order meta-learning algorithms", arXiv:1803.02999, 2018, algorithm 1.
 */
export function reptile(
  options: { encoder: Encoder; stepShots?: number } & Omit<
    DescentOptions,
    "rule" | "learnRate" | "tasks"
  >,
): Learner {
  checkOptions("reptile", options, {
    encoder: "object!",
    stepShots: "number",
    optimizer: "function",
    steps: "number",
    learningRate: "number",
  });
  const { encoder, stepShots = 2, ...descent } = options;
  if (!Number.isSafeInteger(stepShots) || stepShots < 1) {
    throw new RangeError(`reptile: stepShots must be a whole number >= 1; ${stepShots} came.`);
  }
  const logits = classify(encoder);
  return descentLearner({
    name: "reptile",
    encoder,
    steps: 5,
    learningRate: 0.1,
    ...descent,
    stepShots,
    learnRate: false,
    rule: displacement,
    tasks: "in turn",
    init: (shape, seed, dtype) => ({ ...firstNetwork(encoder, shape, seed, dtype) }),
    problem: wholeNetwork(encoder),
    predict: (w: Network<np.Array>, _lambda, query: Labelled<np.Array>) => logits(w, query),
  });
}
