/**
 * Matching networks: the follower remembers the encoded support set, and a query image is compared with all of it.
 *
 *     w = (f_λ(x_i), one-hot y_i),   attention a = softmax(s · cos(f_λ(x), w_i)),   p(k) = Σ_i a_i [y_i = k]
 *
 * Without full-context embeddings: support and query images are encoded by the same network, each by itself.
 */
import { checkOptions } from "../program/internal.ts";
import { nn, numpy as np } from "@jax-js/jax";
import { closedFormLearner } from "./closed-form-learner.ts";
import type { Encoder } from "./encoder.ts";
import type { Learner } from "./learner.ts";
import { oneHot } from "./logits.ts";

/** The support set in memory: features [n, d], and labels as rows of 0 and 1, [n, ways]. */
type Memory = { readonly features: np.Array; readonly labels: np.Array };

/**
 * The learner of Vinyals et al. with cosine attention.
 *
 * @param options.scale - s > 0, factor of the cosines. Default 10. The paper has 1: as the cosines of features ≥ 0 lie in [0, 1],
 *   no image then gets more than e times the attention of another, and of 20 classes none a probability above 0.125.
 * @param options.tasks - default "in turn".
 * @throws RangeError when `scale` is not a positive number.
 * @see Vinyals et al., "Matching networks for one shot learning", NIPS 2016.
 */
export function matching(options: {
  encoder: Encoder;
  scale?: number;
  tasks?: "stacked" | "in turn";
}): Learner {
  checkOptions("matching", options, { encoder: "object!", scale: "number", tasks: "string" });
  const { encoder, scale = 10, tasks = "in turn" } = options;
  if (!(scale > 0 && scale < Infinity)) {
    throw new RangeError(`matching: scale must be a finite number > 0; ${scale} came.`);
  }
  return closedFormLearner<Memory>({
    name: "matching",
    encoder,
    tasks,
    response: ({ features, y }, ways) => ({ features, labels: oneHot(y, ways, features.dtype) }),
    inner: (w, { features, y }) => {
      const labels = oneHot(y, w.labels.shape[1]!, features.dtype);
      const distance = np.sum(np.square(w.features.sub(features)));
      return distance.add(np.sum(np.square(w.labels.sub(labels)))).mul(0.5);
    },
    predict: (w, { features }) => {
      const cosines = np.matmul(normalize(features), normalize(w.features).transpose());
      const probabilities = np.matmul(nn.softmax(cosines.mul(scale)), w.labels);
      // They sum to 1, so their logarithms are logits. The floor keeps the logarithm finite.
      return np.log(np.maximum(probabilities, 1e-8));
    },
  });
}

/** Rows at length 1; a row of zeros stays one. */
function normalize(x: np.Array): np.Array {
  const square = np.sum(np.square(x), 1, { keepdims: true });
  return x.div(np.sqrt(square.add(1e-12)));
}
