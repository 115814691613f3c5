/**
 * What each learner's leader descends on, in float64: against gradients written out with jax-js alone, step by step and
 * task by task, and against central differences.
 */
import { grad, numpy as np, tree } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import {
  bilevel,
  checkHypergradient,
  conjugateGradient,
  disposePrograms,
  hypergradient,
  implicit,
  oneStage,
  reverse,
  truncated,
} from "../../src/index.ts";
import {
  anil,
  firstOrderMaml,
  hyperRepresentation,
  maml,
  type Block,
  type DescentOptions,
  type Labelled,
  type Learner,
} from "../../src/fewshot/index.ts";
import { crossEntropy, linear, type Head } from "../../src/fewshot/logits.ts";
import { repeatForTasks } from "../../src/bilevel/tasks.ts";
import * as tiny from "./tiny.ts";

type Tasks = Labelled<np.Array>;
type Weights = { encoder: Block<np.Array>[]; head: Head<np.Array>; logRate?: np.Array };
const { encoder, distance, gradientOf, lambdaOf, run, support, query } = tiny;
const steps = 3;
const rate = 0.3;
/** Sums in another order, over a few hundred numbers. */
const rounding = 1e-11;
const dtype = "float64" as never;

const features = (params: Block<np.Array>[], x: np.Array): np.Array => encoder.encode(params, x);
const take = (all: Tasks, task: number): Tasks => ({ x: all.x.slice(task), y: all.y.slice(task) });
const descend = <T>(loss: (w: T) => np.Array, w: T, s: np.Array | number, count = steps): T => {
  for (let t = 0; t < count; t++) {
    const slope = grad((v: T) => loss(v))(w as never);
    w = tree.map((a: np.Array, g: np.Array) => a.sub(g.mul(s)), w as never, slope as never) as T;
  }
  return w;
};
const network = (w: Weights, { x, y }: Tasks): np.Array =>
  crossEntropy(linear(w.head, features(w.encoder, x)), y);
const onTop = (f: np.Array, y: np.Array) => (w: Head<np.Array>) => crossEntropy(linear(w, f), y);
/** Mean over the two tasks of a loss of λ and a task's sets. */
const mean =
  (loss: (lambda: Weights, s: Tasks, q: Tasks) => np.Array) =>
  (lambda: Weights, s: Tasks, q: Tasks): np.Array =>
    loss(lambda, take(s, 0), take(q, 0))
      .add(loss(lambda, take(s, 1), take(q, 1)))
      .mul(0.5);
const gradientOfMean =
  (loss: (lambda: Weights, s: Tasks, q: Tasks) => np.Array) =>
  (lambda: Weights, s: Tasks, q: Tasks): unknown =>
    grad((l: Weights) => mean(loss)(l, s, q))(lambda as never);

const hyperLoss = (lambda: Weights, s: Tasks, q: Tasks): np.Array => {
  const [fs, fq] = [features(lambda.encoder, s.x), features(lambda.encoder, q.x)];
  const width = fs.shape[1]!;
  const zero = { weight: np.zeros([width, 3], { dtype }), bias: np.zeros([3], { dtype }) };
  return onTop(fq, q.y)(descend(onTop(fs, s.y), zero, np.exp(lambda.logRate!)));
};
const anilLoss = (lambda: Weights, s: Tasks, q: Tasks): np.Array => {
  const [fs, fq] = [features(lambda.encoder, s.x), features(lambda.encoder, q.x)];
  return onTop(fq, q.y)(descend(onTop(fs, s.y), lambda.head, rate));
};
const mamlLoss = (lambda: Weights, s: Tasks, q: Tasks): np.Array =>
  network(
    descend((w: Weights) => network(w, s), lambda, rate),
    q,
  );

const options = { encoder, steps, learningRate: rate };
const learned = { ...options, learnRate: true };
const unrolled: [string, Learner, (lambda: Weights, s: Tasks, q: Tasks) => np.Array][] = [
  ["hyper-representation", hyperRepresentation(learned), hyperLoss],
  [
    "hyper-representation, stacked",
    hyperRepresentation({ ...learned, tasks: "stacked" }),
    hyperLoss,
  ],
  ["anil", anil(options), anilLoss],
  ["anil, stacked", anil({ ...options, tasks: "stacked" }), anilLoss],
  ["maml", maml(options), mamlLoss],
  ["maml, stacked", maml({ ...options, tasks: "stacked" }), mamlLoss],
];

describe.each(unrolled)("%s", (_, learner, loss) => {
  test("value and hypergradient are those of the unrolled tasks", async () => {
    const lambda = lambdaOf(learner);
    const { value, gradient } = await gradientOf(learner, lambda);
    expect(value.item()).toBeCloseTo(
      tiny.flat(await run(mean(loss), lambda, support, query))[0]!,
      12,
    );
    const wanted = await run(gradientOfMean(loss), lambda, support, query);
    expect(distance(gradient, wanted)).toBeLessThan(rounding);
  });
});

test("hyper-representation agrees with central differences", async () => {
  const learner = hyperRepresentation(learned);
  const { problem, rule } = learner.training({ ...tiny, tasks: 2, seed: 0 });
  const w = repeatForTasks(learner.adaptation(tiny.shape, "float64").start!, 2);
  const check = await checkHypergradient(problem, {
    rule,
    lambda: lambdaOf(learner),
    w,
    data: { inner: support, outer: query } as never,
  });
  expect(check.passed, check.sentence).toBe(true);
  await disposePrograms(problem);
});

test("first-order MAML: the query gradient at each task's adapted weights, on average", async () => {
  const learner = firstOrderMaml(options);
  const lambda = lambdaOf(learner);
  const { gradient, report } = await gradientOf(learner, lambda);
  const atAdapted = (lambda: Weights, s: Tasks, q: Tasks): unknown => {
    const each = [0, 1].map((task) => {
      const w = descend((w: Weights) => network(w, take(s, task)), lambda, rate);
      return grad((w: Weights) => network(w, take(q, task)))(w as never);
    });
    return tree.map((a: np.Array, b: np.Array) => a.add(b).mul(0.5), each[0], each[1] as never);
  };
  const wanted = await run(atAdapted, lambda, support, query);
  expect(distance(gradient, wanted)).toBeLessThan(rounding);
  const { gradient: full } = await gradientOf(maml(options), lambda);
  expect(distance(gradient, full)).toBeGreaterThan(1e-2);
  expect(report.sentence).toContain("biased");
});

describe("hyper-representation takes other rules", () => {
  const at = (rule: NonNullable<DescentOptions["rule"]>) =>
    gradientOf(hyperRepresentation({ ...options, rule }));

  test("truncated to all of its steps it is reverse; to one it is one stage", async () => {
    const [all, full] = [await at((o) => truncated({ ...o, keep: steps })), await at(reverse)];
    expect(distance(all.gradient, full.gradient)).toBeLessThan(rounding);
    const [last, one] = [await at((o) => truncated({ ...o, keep: 1 })), await at(oneStage)];
    expect(distance(last.gradient, one.gradient)).toBeLessThan(rounding);
    expect(distance(one.gradient, full.gradient)).toBeGreaterThan(1e-2);
  });

  // Cross-entropy alone has no curvature along equal shifts of all logits: a penalty gives the follower one solution.
  test("implicit and reverse meet at the follower's solution", async () => {
    const ridge = hyperRepresentation(options);
    const { problem: plain, dynamics, start } = ridge.adaptation(tiny.shape, "float64");
    const penalty = (w: Head<np.Array>): np.Array =>
      np
        .sum(np.square(w.weight))
        .add(np.sum(np.square(w.bias)))
        .mul(0.1);
    const problem = bilevel({
      ...plain,
      inner: (w: Head<np.Array>, lambda: unknown, data: unknown) =>
        plain.inner(w, lambda, data).add(penalty(w)),
    });
    const task = { inner: tiny.taskOf(support, 0), outer: tiny.taskOf(query, 0) } as never;
    const many = { steps: 400, dynamics: dynamics! };
    const point = { lambda: lambdaOf(ridge), w: start!, data: task };
    const solver = conjugateGradient({ maxSteps: 60, rtol: 1e-12 });
    const found = await hypergradient(problem, { rule: implicit({ ...many, solver }), ...point });
    const wanted = await hypergradient(problem, { rule: reverse(many), ...point });
    expect(distance(found.gradient, wanted.gradient)).toBeLessThan(1e-8);
    await disposePrograms(problem);
  });
});
