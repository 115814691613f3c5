/**
 * MAML and its kin: the leader chooses the weights that every task's follower starts from.
 *
 *     w_0 = λ,   w_t = w_{t−1} − s ∇L(w_{t−1}),   E = cross-entropy of w_T on the query set
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../bilevel/index.ts";
import { firstOrder, reverse } from "../bilevel/rules/index.ts";
import { randomKey, randomStream } from "../random/index.ts";
import { type Tensor, tensor, zeros } from "../program/index.ts";
import { descentLearner, type DescentOptions } from "./descent-learner.ts";
import type { Block, Encoder } from "./encoder.ts";
import type { Labelled, Learner, TaskShape } from "./learner.ts";
import { crossEntropy, linear, type Head } from "./logits.ts";

/** All weights of a network: what MAML's leader and followers have. */
export type Network<T> = { readonly encoder: Block<T>[]; readonly head: Head<T> };

/**
 * Second-order MAML: the derivative goes through all of the follower's steps, second derivatives included.
 *
 * @param options.steps - default 5.
 * @param options.learningRate - default 0.4.
 * @param options.learnRate - default false.
 * @param options.rule - default `reverse`; any rule that takes problems with an `init`.
 * @param options.tasks - default "in turn".
 * @see Finn et al., "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017.
 */
export function maml(options: { encoder: Encoder } & DescentOptions): Learner {
  checkOptions("maml", options, {
    encoder: "object!",
    steps: "number",
    learningRate: "number",
    learnRate: "boolean",
    optimizer: "function",
    rule: "function",
    tasks: "string",
  });
  const { encoder, ...descent } = options;
  const logits = classify(encoder);
  return descentLearner({
    name: "maml",
    encoder,
    steps: 5,
    learningRate: 0.4,
    learnRate: false,
    rule: reverse,
    tasks: "in turn",
    ...descent,
    init: (shape, seed, dtype) => ({ ...firstNetwork(encoder, shape, seed, dtype) }),
    problem: wholeNetwork(encoder),
    predict: (w: Network<np.Array>, _lambda, query: Labelled<np.Array>) => logits(w, query),
  });
}

/**
 * First-order MAML: {@link maml} with the derivative of each step taken for the identity.
 *
 * @see Finn et al., "Model-agnostic meta-learning for fast adaptation of deep networks", ICML 2017, section 5.2.
 */
export function firstOrderMaml(
  options: { encoder: Encoder } & Omit<DescentOptions, "rule" | "learnRate">,
): Learner {
  checkOptions("firstOrderMaml", options, {
    encoder: "object!",
    optimizer: "function",
    steps: "number",
    learningRate: "number",
    tasks: "string",
  });
  return { ...maml({ ...options, rule: firstOrder }), name: "first-order maml" };
}

/** A whole network that starts at λ as one task's problem. */
export function wholeNetwork(encoder: Encoder): Problem {
  const logits = classify(encoder);
  const loss = (w: Network<np.Array>, _lambda: unknown, data: Labelled<np.Array>): np.Array =>
    crossEntropy(logits(w, data), data.y);
  return bilevel({
    init: ({ encoder, head }: Network<np.Array>) => ({ encoder, head }),
    inner: loss,
    outer: loss,
  });
}

/** Images to logits. */
export function classify(
  encoder: Encoder,
): (w: Network<np.Array>, images: Labelled<np.Array>) => np.Array {
  return (w, { x, statistics }) => linear(w.head, encoder.encode(w.encoder, x, statistics));
}

/** A network before training: the encoder's first weights, a head by Glorot's uniform distribution, bias 0. */
export function firstNetwork(
  encoder: Encoder,
  { image, ways }: Pick<TaskShape, "image" | "ways">,
  seed: number,
  dtype: "float32" | "float64",
): Network<Tensor> {
  const features = encoder.size(image);
  const stream = randomStream(randomKey(seed, "head"));
  const limit = Math.sqrt(6 / (features + ways));
  const weight = Array.from({ length: features * ways }, () => limit * (2 * stream.uniform() - 1));
  return {
    encoder: encoder.init(seed, image, dtype),
    head: {
      weight: tensor(weight, { shape: [features, ways], dtype }),
      bias: zeros([ways], dtype),
    },
  };
}
