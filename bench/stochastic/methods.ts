/** The rules that are compared, with the schedules of their papers, and how many calls a step of each makes. */
import {
  amigo,
  fsla,
  mrbo,
  pzobo,
  saba,
  soba,
  srba,
  stocBio,
  sustain,
  ttsa,
  vrbo,
  type Rate,
} from "../../src/bilevel/rules/index.ts";
import {
  fixedBatches,
  gradientDescent,
  minibatches,
  powerLaw,
  type Cost,
  type FixedBatchSampler,
  type Optimizer,
  type Rule,
  type Sampler,
} from "../../src/bilevel/index.ts";
import type { Examples, Task } from "./task.ts";

/** ρ of the follower and γ of the leader, both at outer step 0. */
export interface Rates {
  readonly inner: number;
  readonly leader: number;
}

/** A rule on a task, ready to run. */
export interface Method {
  readonly rule: Rule;
  readonly optimizer: Optimizer;
  readonly data: { readonly inner: Sampler | Examples; readonly outer: Sampler | Examples };
  /** Mean calls of an outer step, by the counts of the rule's own cost. */
  calls(cost: Cost): number;
}

/** Steps of the response and products of a series where a rule has several. */
const [steps, products] = [10, 10];

/** The methods by name. */
export const methods: Readonly<Record<string, (task: Task, rates: Rates, seed: number) => Method>> =
  {
    SOBA: (task, rates) => {
      const [rho, gamma] = falling(rates, 1 / 2, 1 / 2);
      return drawn(task, soba({ learningRate: rho }), gamma);
    },
    "SOBA, constant rates": (task, { inner: learningRate, leader }) =>
      drawn(task, soba({ learningRate }), leader),
    SABA: (task, { inner: learningRate, leader }) => {
      const data = fixed(task);
      const batches = { inner: data.inner.count, outer: data.outer.count };
      return { ...drawn(task, saba({ learningRate, batches }), leader), data };
    },
    SRBA: (task, { inner: learningRate, leader }, seed) => {
      const { all, size, count } = whole(task);
      const period = count.inner + count.outer;
      const rule = srba({ learningRate, size, period, seed });
      const refresh = (3 * count.inner + count.outer) / period;
      const calls = (cost: Cost): number => callsOf(cost) * (1 - 1 / period) + refresh;
      return { ...drawn(task, rule, leader), data: all, calls };
    },
    FSLA: (task, rates) => {
      const [rho, gamma] = falling(rates, 1 / 2, 1 / 2);
      const momentum = powerLaw({ initial: 0.9, power: -1 / 2 });
      return drawn(task, fsla({ learningRate: rho, momentum }), gamma);
    },
    AmIGO: (task, { inner: learningRate, leader }) =>
      drawn(task, amigo({ learningRate, steps }), leader),
    StocBiO: (task, { inner: learningRate, leader }) =>
      drawn(task, stocBio({ learningRate, steps, products }), leader),
    BSA: (task, rates, seed) => {
      const [rho, gamma] = falling(rates, 1 / 2, 1 / 2);
      const rule = ttsa({
        learningRate: rho,
        steps,
        terms: products,
        seriesStep: rates.inner,
        seed,
      });
      return lazy(drawn(task, rule, gamma), 1);
    },
    TTSA: (task, rates, seed) => {
      const [rho, gamma] = falling(rates, 2 / 5, 3 / 5);
      const rule = ttsa({ learningRate: rho, terms: products, seriesStep: rates.inner, seed });
      return lazy(drawn(task, rule, gamma), 1);
    },
    SUSTAIN: (task, rates, seed) => {
      const [rho, gamma] = falling(rates, 1 / 3, 1 / 3);
      const momentum = powerLaw({ initial: 0.9, power: -2 / 3 });
      const rule = sustain({
        learningRate: rho,
        terms: products,
        seriesStep: rates.inner,
        momentum,
        seed,
      });
      return lazy(drawn(task, rule, gamma), 2);
    },
    MRBO: (task, rates) => {
      const [rho, gamma] = falling(rates, 1 / 3, 1 / 3);
      const momentum = powerLaw({ initial: 0.9, power: -2 / 3 });
      const rule = mrbo({ learningRate: rho, products, seriesStep: rates.inner, momentum });
      return drawn(task, rule, gamma);
    },
    VRBO: (task, { inner: learningRate, leader }, seed) => {
      const { all, size, count } = whole(task);
      const period = 10;
      const rule = vrbo({ learningRate, size, period, steps: 3, products, seed });
      const refresh = ((2 + products) * count.inner + count.outer) / period;
      const calls = (cost: Cost): number => callsOf(cost) + refresh;
      return { ...drawn(task, rule, leader), data: all, calls };
    },
    PZOBO: (task, { inner, leader }, seed) => {
      const dynamics = gradientDescent({ learningRate: inner });
      return drawn(task, pzobo({ steps, dynamics, directions: 5, seed }), leader);
    },
  };

/** ρ and γ that fall as k to the given powers. */
function falling({ inner, leader }: Rates, rho: number, gamma: number): [Rate, Rate] {
  return [powerLaw({ initial: inner, power: -rho }), powerLaw({ initial: leader, power: -gamma })];
}

/** On minibatches of reshuffled examples, one for each inner step. */
function drawn({ data, size }: Task, rule: Rule, learningRate: Rate): Method {
  const { innerSteps: perStep } = rule;
  const inner = minibatches({ data: data.inner, size, ...(perStep > 1 && { perStep }) });
  const outer = minibatches({ data: data.outer, size });
  const optimizer = gradientDescent({ learningRate });
  return { rule, optimizer, data: { inner, outer }, calls: callsOf };
}

/** The method with only the products of a random term that matter, (N − 1)/2 of N − 1 in the mean, at each of the points. */
function lazy(method: Method, points: number): Method {
  return { ...method, calls: (cost) => callsOf(cost) - (points * (products - 1)) / 2 };
}

function fixed({ data, size }: Task): Record<"inner" | "outer", FixedBatchSampler> {
  return {
    inner: fixedBatches({ data: data.inner, size }),
    outer: fixedBatches({ data: data.outer, size }),
  };
}

/** All the examples, for rules that draw batches themselves. */
function whole({ data, examples, size }: Task): {
  all: Task["data"];
  size: { inner: number; outer: number };
  count: { inner: number; outer: number };
} {
  const count = { inner: examples.inner / size, outer: examples.outer / size };
  return { all: data, size: { inner: size, outer: size }, count };
}

/** Gradients of both objectives and products with second derivatives, one call each; the leader's gradient counts too. */
function callsOf(cost: Cost): number {
  const products = cost.hessianVectorProducts + cost.crossProducts;
  return cost.innerGradients + (cost.outerGradients ?? 1) + products;
}
