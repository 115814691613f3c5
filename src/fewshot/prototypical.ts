/**
 * Prototypical networks: a class is the mean of its encoded support images, the minimizer of their squared distances.
 *
 *     L(w, λ) = ½ Σ_i ‖f_λ(x_i) − w_{y_i}‖²,   w_k = mean of f_λ(x_i) over y_i = k,   logits −‖f_λ(x) − w_k‖²
 */
import { checkOptions } from "../program/internal.ts";
import { numpy as np } from "@jax-js/jax";
import { closedFormLearner } from "./closed-form-learner.ts";
import type { Encoder } from "./encoder.ts";
import type { Learner } from "./learner.ts";
import { oneHot } from "./logits.ts";

/**
 * The learner of Snell et al. Any number of ways, at test as in training.
 *
 * @param options.tasks - default "in turn".
 * @see Snell, Swersky, Zemel, "Prototypical networks for few-shot learning", NIPS 2017.
 */
export function prototypical(options: {
  encoder: Encoder;
  tasks?: "stacked" | "in turn";
}): Learner {
  checkOptions("prototypical", options, { encoder: "object!", tasks: "string" });
  const { encoder, tasks = "in turn" } = options;
  return closedFormLearner<np.Array>({
    name: "prototypical",
    encoder,
    tasks,
    response: ({ features, y }, ways) => {
      const members = oneHot(y, ways, features.dtype);
      const counts = np.sum(members, 0).reshape([ways, 1]);
      return np.matmul(members.transpose(), features).div(counts);
    },
    inner: (w, { features, y }) => {
      const own = np.matmul(oneHot(y, w.shape[0]!, features.dtype), w);
      return np.sum(np.square(features.sub(own))).mul(0.5);
    },
    predict: (w, { features }) => {
      const cross = np.matmul(features, w.transpose()).mul(2);
      const lengths = np.sum(np.square(features), 1).reshape([-1, 1]);
      return cross.sub(np.sum(np.square(w), 1)).sub(lengths);
    },
  });
}
