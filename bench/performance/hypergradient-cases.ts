/** Hypergradients of one task, the work of bench/peers/hypergradients.py: reverse mode and implicit differentiation. */
import { nn, numpy as np, tree } from "@jax-js/jax";

import {
  bilevel,
  conjugateGradient,
  disposePrograms,
  gradientDescent,
  hypergradient,
  implicit,
  type Problem,
  reverse,
  type Rule,
} from "../../src/index.ts";
import type { Tensor } from "../../src/program/index.ts";
import type { RandomStream } from "../../src/random/index.ts";
import {
  type Case,
  constant,
  type Inputs,
  labels,
  normal,
  signs,
  type Sizes,
  uniform,
} from "./case.ts";

interface Data {
  readonly x: np.Array;
  readonly y: np.Array;
}

const affine = (x: np.Array, w: np.Array, b: np.Array): np.Array => np.dot(x, w).add(b);

function crossEntropy(logits: np.Array, y: np.Array): np.Array {
  return np.sum(nn.logSoftmax(logits).mul(nn.oneHot(y, 10)), 1).neg();
}

const logisticLoss = ([w]: np.Array[], { x, y }: Data): np.Array =>
  np.mean(nn.softplus(np.dot(x, w!).mul(y).neg()));

const logistic = bilevel({
  inner: (w: np.Array[], l: np.Array, data: Data) =>
    logisticLoss(w, data).add(np.sum(np.exp(l).mul(np.square(w[0]!))).mul(0.5 / w[0]!.shape[0]!)),
  outer: (w: np.Array[], _: np.Array, data: Data) => logisticLoss(w, data),
});

const cleaning = bilevel({
  inner: (w: np.Array[], l: np.Array, { x, y }: Data) =>
    np.mean(nn.sigmoid(l).mul(crossEntropy(affine(x, w[0]!, w[1]!), y))),
  outer: (w: np.Array[], _: np.Array, { x, y }: Data) =>
    np.mean(crossEntropy(affine(x, w[0]!, w[1]!), y)),
});

const network = (w: np.Array[], x: np.Array): np.Array =>
  affine(nn.relu(affine(x, w[0]!, w[1]!)), w[2]!, w[3]!);

const mlp = bilevel({
  inner: (w: np.Array[], l: np.Array, { x, y }: Data) => {
    const penalty = (k: number): np.Array => np.exp(l.slice(k)).mul(np.sum(np.square(w[2 * k]!)));
    return np.mean(crossEntropy(network(w, x), y)).add(penalty(0).add(penalty(1)).mul(1e-3));
  },
  outer: (w: np.Array[], _: np.Array, { x, y }: Data) => np.mean(crossEntropy(network(w, x), y)),
});

const descend =
  (learningRate: number) =>
  ({ steps }: { readonly steps?: number }): Rule =>
    reverse({ steps: steps!, dynamics: gradientDescent({ learningRate }) });

function logisticInputs({ n, d }: Sizes, random: RandomStream): Inputs {
  return {
    x: normal(random, [n!, d!]),
    y: signs(random, n!),
    xv: normal(random, [n!, d!]),
    yv: signs(random, n!),
    w0: constant([d!], 0),
    lambda0: normal(random, [d!]),
  };
}

function digits(n: number, d: number, random: RandomStream): Inputs {
  const digit = (): number => random.integer(10);
  return {
    x: uniform(random, [n, d]),
    y: labels([n], digit),
    xv: uniform(random, [n, d]),
    yv: labels([n], digit),
  };
}

/** A case that evaluates the hypergradient as a user does. */
function evaluate(
  problem: Problem,
  rule: (sizes: { readonly steps?: number }) => Rule,
): Case["open"] {
  return (inputs, sizes, threads) => {
    const options = {
      rule: rule(sizes),
      lambda: inputs["lambda0"]!,
      w: Object.keys(inputs)
        .filter((name) => /^w\d$/.test(name))
        .map((name) => inputs[name]!),
      data: {
        inner: { x: inputs["x"]!, y: inputs["y"]! },
        outer: { x: inputs["xv"]!, y: inputs["yv"]! },
      },
      threads,
    };
    return {
      run: async () => {
        const evaluated: { gradient: unknown } = await hypergradient(problem, options as never);
        return tree.leaves<Tensor>(evaluated.gradient as never);
      },
      dispose: () => disposePrograms(problem, options.rule),
    };
  };
}

export const hypergradientCases: readonly Case[] = [
  {
    name: "rhg-small",
    title: "logistic regression, n = 200, d = 60, T = 100, one coefficient per feature",
    floor: 6,
    full: { n: 200, d: 60, steps: 100 },
    small: { n: 20, d: 6, steps: 7 },
    inputs: logisticInputs,
    open: evaluate(logistic, descend(0.5)),
  },
  {
    name: "rhg-long",
    title: "the same with T = 1000",
    floor: 6,
    full: { n: 200, d: 60, steps: 1000 },
    small: { n: 20, d: 6, steps: 50 },
    inputs: logisticInputs,
    open: evaluate(logistic, descend(0.5)),
  },
  {
    name: "rhg-medium",
    title: "the same with n = 2000, d = 500, T = 100",
    floor: 2,
    full: { n: 2000, d: 500, steps: 100 },
    small: { n: 40, d: 10, steps: 5 },
    inputs: logisticInputs,
    open: evaluate(logistic, descend(0.5)),
  },
  {
    name: "cleaning",
    title: "softmax regression 784 → 10, n = 2000, one weight per example, T = 100",
    floor: 2,
    full: { n: 2000, d: 784, steps: 100 },
    small: { n: 30, d: 12, steps: 5 },
    inputs: ({ n, d }, random) => ({
      ...digits(n!, d!, random),
      w0: constant([d!, 10], 0),
      w1: constant([10], 0),
      lambda0: constant([n!], 0),
    }),
    open: evaluate(cleaning, descend(0.1)),
  },
  {
    name: "mlp",
    title: "784 → 128 → 10, batch 128, one coefficient per layer, T = 20",
    floor: 2,
    full: { n: 128, d: 784, hidden: 128, steps: 20 },
    small: { n: 16, d: 12, hidden: 8, steps: 4 },
    inputs: ({ n, d, hidden }, random) => ({
      ...digits(n!, d!, random),
      w0: normal(random, [d!, hidden!], 0.05),
      w1: constant([hidden!], 0),
      w2: normal(random, [hidden!, 10], 0.05),
      w3: constant([10], 0),
      lambda0: constant([2], 0),
    }),
    open: evaluate(mlp, descend(0.1)),
  },
  {
    name: "cg-medium",
    title: "implicit gradient, n = 2000, d = 500, 20 conjugate-gradient steps",
    floor: 1.5,
    full: { n: 2000, d: 500, steps: 20 },
    small: { n: 40, d: 10, steps: 6 },
    inputs: (sizes, random) => ({
      ...logisticInputs(sizes, random),
      w0: normal(random, [sizes["d"]!], 0.01),
    }),
    open: evaluate(logistic, ({ steps }) =>
      implicit({
        steps: 0,
        dynamics: gradientDescent({ learningRate: 0.5 }),
        solver: conjugateGradient({ maxSteps: steps!, rtol: 0 }),
      }),
    ),
  },
];
