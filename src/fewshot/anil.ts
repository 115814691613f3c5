/**
 * ANIL, almost no inner loop: as MAML, but only the head adapts to a task; the encoder is the leader's alone.
 *
 *     w_0 = λ.head,   L and E: mean cross-entropy of f_λ(x)·W + b on the support and on the query set
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { bilevel } from "../bilevel/index.ts";
import { reverse } from "../bilevel/rules/index.ts";
import { descentLearner, type DescentOptions } from "./descent-learner.ts";
import type { Encoder } from "./encoder.ts";
import { linearProbe, type Encoded } from "./hyper-representation.ts";
import type { Learner } from "./learner.ts";
import { linear, type Head } from "./logits.ts";
import { firstNetwork, type Network } from "./maml.ts";

/**
 * The learner of Raghu et al. It differs from `hyperRepresentation` in the head's first weights, which are learned.
 *
 * @param options.steps - default 5.
 * @param options.learningRate - default 0.4.
 * @param options.learnRate - default false.
 * @param options.rule - default `reverse`; any rule that takes problems with an `init`.
 * @param options.tasks - default "in turn".
 * @see Raghu et al., "Rapid learning or feature reuse? Towards understanding the effectiveness of MAML", ICLR 2020.
 */
export function anil(options: { encoder: Encoder } & DescentOptions): Learner {
  checkOptions("anil", options, {
    encoder: "object!",
    steps: "number",
    learningRate: "number",
    learnRate: "boolean",
    optimizer: "function",
    rule: "function",
    tasks: "string",
  });
  const { encoder, ...descent } = options;
  return descentLearner({
    name: "anil",
    encoder,
    steps: 5,
    learningRate: 0.4,
    learnRate: false,
    rule: reverse,
    tasks: "in turn",
    ...descent,
    init: (shape, seed, dtype) => ({ ...firstNetwork(encoder, shape, seed, dtype) }),
    problem: bilevel({
      ...linearProbe(encoder),
      init: (lambda: Network<np.Array>) => lambda.head,
    }),
    predict: (w: Head<np.Array>, _lambda, { features }: Encoded<np.Array>) => linear(w, features),
  });
}
