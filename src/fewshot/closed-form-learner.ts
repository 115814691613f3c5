/** Learners whose follower's response has a closed form: nothing to descend on, at training or at test. */
import type { numpy as np } from "@jax-js/jax";
import { bilevel, perTask, stackTasks } from "../bilevel/index.ts";
import { closedForm } from "../bilevel/rules/index.ts";
import type { Tensor, Tree } from "../program/index.ts";
import type { Encoder } from "./encoder.ts";
import { episodeBatches } from "./episode-batches.ts";
import { encodeWith, type Encoded } from "./hyper-representation.ts";
import { shapeOf, type Adaptation, type Learner } from "./learner.ts";
import { crossEntropy } from "./logits.ts";

/** A learner as the parts of one task; all functions are jax-js functions of encoded images. */
export interface ClosedFormParts<W> {
  readonly name: string;
  readonly encoder: Encoder;
  /** See {@link DescentOptions.tasks}. */
  readonly tasks: "stacked" | "in turn";
  /** The follower's response to a support set. */
  response(support: Encoded<np.Array>, ways: number): W;
  /** What it minimises, the inner objective. */
  inner(w: W, support: Encoded<np.Array>): np.Array;
  /** The logits of a query set, [n, ways]. */
  predict(w: W, query: Encoded<np.Array>): np.Array;
}

/** Puts a learner together; λ is the encoder. */
export function closedFormLearner<W>(parts: ClosedFormParts<W>): Learner {
  const { name, encoder, tasks } = parts;
  const adaptation: Learner["adaptation"] = ({ ways }): Adaptation => ({
    problem: bilevel({
      prepare: encodeWith(encoder),
      init: (_lambda: unknown, support: Encoded<np.Array>) => parts.response(support, ways),
      inner: (w: W, _lambda: unknown, support: Encoded<np.Array>) => parts.inner(w, support),
      outer: (w: W, _lambda: unknown, query: Encoded<np.Array>) =>
        crossEntropy(parts.predict(w, query), query.y),
    }),
    steps: 0,
    predict: (w: W, _lambda: unknown, query: Encoded<np.Array>) => parts.predict(w, query),
  });
  return {
    name,
    encoder,
    init: ({ image }, seed, dtype = "float32") =>
      ({ encoder: encoder.init(seed, image, dtype) }) as Tree<Tensor>,
    training: (source) => {
      const { problem } = adaptation(shapeOf(source));
      return {
        problem: tasks === "stacked" ? stackTasks(problem) : problem,
        rule: tasks === "stacked" ? closedForm() : perTask(closedForm()),
        data: episodeBatches(source),
      };
    },
    adaptation,
  };
}
