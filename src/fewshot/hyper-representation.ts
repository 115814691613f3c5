/**
 * Hyper-representation: the layers of the encoder are hyperparameters, and each task's follower is a linear classifier on
 * top of them, trained from zero.
 *
 *     L(w, λ) = mean cross-entropy of f_λ(x)·W + b on the support set,   E(w, λ) = the same on the query set
 */
import { checkOptions } from "../program/internal.ts";
import type { numpy as np } from "@jax-js/jax";
import { bilevel, type Problem } from "../bilevel/index.ts";
import { reverse } from "../bilevel/rules/index.ts";
import { type Tensor, type Tree, zeros } from "../program/index.ts";
import { descentLearner, type DescentOptions } from "./descent-learner.ts";
import type { Block, Encoder } from "./encoder.ts";
import type { Labelled, Learner, TaskShape } from "./learner.ts";
import { crossEntropy, linear, type Head } from "./logits.ts";

/** Images of a task once they are encoded. */
export type Encoded<T> = {
  /** [n, features] */
  readonly features: T;
  /** int32 [n] */
  readonly y: T;
};

/** Hyperparameters with an encoder among them. */
export type WithEncoder<T> = { readonly encoder: Block<T>[] };

/**
 * The learner of Franceschi et al. The support and the query set are encoded once for each outer step, and the derivative
 * goes back through the encoder once.
 *
 * @param options.steps - default 5.
 * @param options.learningRate - default 0.4. The curvature of N classes' mean cross-entropy is proportional to 1/N: a rate
 *   for tasks of other sizes goes with N.
 * @param options.learnRate - default false: in long trainings a learned rate rises until the steps diverge.
 * @param options.rule - default `reverse`; any rule for problems without an `init`. With `firstOrder`, the effect of the
 *   representation on the classifier is left out.
 * @param options.tasks - default "in turn".
 * @see Franceschi et al., "Bilevel programming for hyperparameter optimization and meta-learning", ICML 2018, section 5.2.
 */
export function hyperRepresentation(options: { encoder: Encoder } & DescentOptions): Learner {
  checkOptions("hyperRepresentation", options, {
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
    name: "hyper-representation",
    encoder,
    steps: 5,
    learningRate: 0.4,
    learnRate: false,
    rule: reverse,
    tasks: "in turn",
    ...descent,
    init: ({ image }, seed, dtype) => ({ encoder: encoder.init(seed, image, dtype) }),
    problem: linearProbe(encoder),
    start: (shape, dtype) => zeroHead(encoder, shape, dtype),
    predict: (w: Head<np.Array>, _lambda, { features }: Encoded<np.Array>) => linear(w, features),
  });
}

/** A linear classifier on an encoder's features as one task's problem. */
export function linearProbe(encoder: Encoder): Problem {
  const loss = (w: Head<np.Array>, _lambda: unknown, data: Encoded<np.Array>): np.Array =>
    crossEntropy(linear(w, data.features), data.y);
  return bilevel({ prepare: encodeWith(encoder), inner: loss, outer: loss });
}

/** A problem's `prepare` that encodes the images. */
export function encodeWith(encoder: Encoder): NonNullable<Problem["prepare"]> {
  return (lambda: WithEncoder<np.Array>, data: Labelled<np.Array>): Encoded<np.Array> => ({
    features: encoder.encode(lambda.encoder, data.x, data.statistics),
    y: data.y,
  });
}

/** The classifier that prefers no class. */
export function zeroHead(
  encoder: Encoder,
  { ways, image }: TaskShape,
  dtype: "float32" | "float64",
): Tree<Tensor> {
  return { weight: zeros([encoder.size(image), ways], dtype), bias: zeros([ways], dtype) };
}
