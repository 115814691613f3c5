/** Meta-learning with a convolutional network, the work of bench/peers/networks.py. */
import { grad, nn, numpy as np, tree, vmap } from "@jax-js/jax";

import {
  bilevel,
  disposePrograms,
  gradientDescent,
  hypergradient,
  type Problem,
  reverse,
} from "../../src/index.ts";
import { pooledBlock } from "../../src/layers/conv-block.ts";
import { compile, type Tensor } from "../../src/program/index.ts";
import type { RandomStream } from "../../src/random/index.ts";
import {
  type Case,
  constant,
  type Inputs,
  labels,
  normal,
  type Sizes,
  uniform,
  type Work,
} from "./case.ts";

interface Images {
  /** [images, 1, side, side] */
  readonly x: np.Array;
  readonly y: np.Array;
}

const blocks = 4;
/** Four blocks of 3×3 convolution, batch normalization by batch statistics, ReLU and 2×2 max pooling. */
function features(params: np.Array[], images: np.Array): np.Array {
  let image = images;
  for (let i = 0; i < blocks; i++) {
    const [kernel, bias, gain] = params.slice(3 * i, 3 * i + 3) as [np.Array, np.Array, np.Array];
    ({ image } = pooledBlock({ kernel, bias, gain }, image, { epsilon: 1e-5 }));
  }
  return image.reshape([images.shape[0]!, -1]);
}

function crossEntropy(logits: np.Array, y: np.Array): np.Array {
  const likelihood = nn.logSoftmax(logits).mul(nn.oneHot(y, logits.shape[1]!));
  return np.sum(likelihood).div(-logits.shape[0]!);
}

const networkLoss = (params: np.Array[], { x, y }: Images): np.Array => {
  const [weight, offset] = params.slice(3 * blocks) as [np.Array, np.Array];
  return crossEntropy(np.matmul(features(params, x), weight).add(offset), y);
};

/** The network's weights are the leader's; each task's follower starts there and moves all of them. */
const maml = bilevel({
  init: (lambda: np.Array[]) => lambda,
  inner: (w: np.Array[], _: np.Array[], support: Images) => networkLoss(w, support),
  outer: (w: np.Array[], _: np.Array[], query: Images) => networkLoss(w, query),
});

const headLosses = (w: np.Array[], { x, y }: Images): np.Array => {
  const loss = (weight: np.Array, offset: np.Array, x: np.Array, y: np.Array): np.Array =>
    crossEntropy(np.matmul(x, weight).add(offset), y);
  return vmap(loss)(w[0]!, w[1]!, x, y) as np.Array;
};

/**
 * The representation is the leader's; each task's follower is a linear classifier on it, tasks along the first axis. The
 * tasks are encoded one after the other: the arrays of one fit the processor's caches better than those of all.
 */
const hyperRepresentation = bilevel({
  prepare: (lambda: np.Array[], { x, y }: Images) => ({
    x: np.stack(Array.from({ length: x.shape[0]! }, (_, task) => features(lambda, x.slice(task)))),
    y,
  }),
  inner: (w: np.Array[], _: np.Array[], support: Images) => np.sum(headLosses(w, support)),
  outer: (w: np.Array[], _: np.Array[], query: Images) => np.mean(headLosses(w, query)),
});

function body({ filters }: Sizes, random: RandomStream): Inputs {
  const layers = Array.from({ length: blocks }, (_, i) => ({
    [`kernel${i}`]: normal(random, [filters!, i === 0 ? 1 : filters!, 3, 3], 0.1),
    [`bias${i}`]: constant([filters!], 0),
    [`gain${i}`]: constant([filters!], 1),
  }));
  return Object.assign({}, ...layers) as Inputs;
}

function head({ filters, ways }: Sizes, random: RandomStream): Inputs {
  return {
    weight: normal(random, [filters!, ways!], 0.1),
    offset: constant([ways!], 0),
  };
}

/** Images of `tasks` tasks, class by class; of one task without the first axis when `tasks` is absent. */
function episode(
  name: string,
  perClass: number,
  { ways, tasks }: Sizes,
  random: RandomStream,
): Inputs {
  const first = tasks === undefined ? [] : [tasks];
  const images = ways! * perClass;
  return {
    [`x${name}`]: uniform(random, [...first, images, 1, 28, 28]),
    [`y${name}`]: labels([...first, images], (i) => Math.floor((i % images) / perClass)),
  };
}

const parameters = /^(kernel|bias|gain|weight|offset)/;

const named = (inputs: Inputs, pattern: RegExp): Tensor[] =>
  Object.keys(inputs)
    .filter((name) => pattern.test(name))
    .map((name) => inputs[name]!);

const images = (inputs: Inputs, name: string): { x: Tensor; y: Tensor } => ({
  x: inputs[`x${name}`]!,
  y: inputs[`y${name}`]!,
});

/** The hypergradient of the network's parameters, as a user evaluates it. */
function evaluate(problem: Problem, learningRate: number, weights?: RegExp): Case["open"] {
  return (inputs, { steps }, threads): Work => {
    const rule = reverse({ steps: steps!, dynamics: gradientDescent({ learningRate }) });
    const lambda = named(inputs, parameters);
    const data = { inner: images(inputs, "s"), outer: images(inputs, "q") };
    const point = { rule, lambda, ...(weights && { w: named(inputs, weights) }), data, threads };
    return {
      run: async () => {
        const evaluated: { gradient: unknown } = await hypergradient(problem, point as never);
        return tree.leaves<Tensor>(evaluated.gradient as never);
      },
      dispose: () => disposePrograms(problem, rule),
    };
  };
}

export const networkCases: readonly Case[] = [
  {
    name: "convnet-grad",
    title: "gradient of a network of 4 blocks with 64 filters on 75 images 28×28",
    floor: 1,
    full: { filters: 64, ways: 5, queries: 15 },
    small: { filters: 4, ways: 3, queries: 2 },
    inputs: (sizes, random) => ({
      ...body(sizes, random),
      ...head(sizes, random),
      ...episode("q", sizes["queries"]!, sizes, random),
    }),
    open: (inputs, _, threads) => {
      const gradient = compile(
        (params: np.Array[], data: Images) =>
          grad((p: np.Array[]) => networkLoss(p, data))(params as never),
        { threads },
      );
      return {
        run: async () => {
          const result = await gradient(
            named(inputs, parameters) as never,
            images(inputs, "q") as never,
          );
          return tree.leaves<Tensor>(result as never);
        },
        dispose: () => gradient.dispose(),
      };
    },
  },
  {
    name: "maml5",
    title: "second-order MAML of that network, 5 inner steps, 5-way 1-shot, 15 queries a class",
    floor: 1,
    full: { filters: 64, ways: 5, shots: 1, queries: 15, steps: 5 },
    small: { filters: 4, ways: 3, shots: 2, queries: 2, steps: 2 },
    inputs: (sizes, random) => ({
      ...body(sizes, random),
      ...head(sizes, random),
      ...episode("s", sizes["shots"]!, sizes, random),
      ...episode("q", sizes["queries"]!, sizes, random),
    }),
    open: evaluate(maml, 0.4),
  },
  {
    name: "hyperrep",
    title:
      "hyper-representation: that network, linear heads, 5-way 1-shot, T = 5, 15 queries a class, 4 tasks",
    floor: 1.2,
    full: { filters: 64, ways: 5, shots: 1, queries: 15, steps: 5, tasks: 4 },
    small: { filters: 4, ways: 3, shots: 1, queries: 2, steps: 3, tasks: 2 },
    inputs: (sizes, random) => ({
      ...body(sizes, random),
      head0: constant([sizes["tasks"]!, sizes["filters"]!, sizes["ways"]!], 0),
      head1: constant([sizes["tasks"]!, sizes["ways"]!], 0),
      ...episode("s", sizes["shots"]!, sizes, random),
      ...episode("q", sizes["queries"]!, sizes, random),
    }),
    open: evaluate(hyperRepresentation, 0.1, /^head/),
  },
];
