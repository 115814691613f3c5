/** Evaluation on listed episodes: accuracies, intervals, numbers of steps, batch-norm modes, ties. */
import { numpy as np, tree } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { bilevel, disposePrograms, hypergradient } from "../../src/bilevel/index.ts";
import { reverse } from "../../src/bilevel/rules/index.ts";
import { listEpisodes, stackEpisodes } from "../../src/data/images/episodes.ts";
import { imageTensor } from "../../src/data/images/image-set.ts";
import {
  decodeParameters,
  encodeParameters,
  evaluate,
  hyperRepresentation,
  joint,
  maml,
  openClassifier,
  openEvaluation,
  populationStatistics,
  prototypical,
  type Learner,
} from "../../src/fewshot/index.ts";
import { compile, tensor, type Tensor } from "../../src/program/index.ts";
import { encoder, episode, flat, set, shape } from "./tiny.ts";

const episodes = listEpisodes(set, episode, { seed: 4, count: 7 });

describe("steps at test", () => {
  test.each([
    ["maml", maml({ encoder, steps: 2, learningRate: 0.2 })],
    ["hyper-representation", hyperRepresentation({ encoder, steps: 2, learningRate: 0.2 })],
  ])(
    "%s: the logits after T steps are those at the weights of T steps in training",
    async (_, learner) => {
      const lambda = learner.init(shape, 0);
      const classifier = openClassifier(learner, shape, { steps: [4, 0, 2, 4] });
      expect(classifier.steps).toEqual([0, 2, 4]);
      const batch = stackEpisodes(set, episodes.slice(0, 2));
      const logits = await classifier.logits(lambda, batch);
      await classifier.dispose();
      const { problem, start, dynamics, predict } = learner.adaptation(shape);
      for (const [i, steps] of [2, 4].entries()) {
        for (const task of [0, 1]) {
          const own = (values: { x: Tensor; y: Tensor }): { x: Tensor; y: Tensor } =>
            tree.map(({ dtype, shape: [, ...rest], data }: Tensor) => {
              const size = data.length / 2;
              return tensor(data.slice(task * size, (task + 1) * size), { dtype, shape: rest });
            }, values) as never;
          // The outer objective shows the logits' sum of squares, which no other weights would give.
          const seen = bilevel({
            ...problem,
            outer: (w: unknown, lambda: unknown, query: unknown) =>
              np.sum(np.square(predict(w, lambda, query))),
          });
          const { value } = await hypergradient(seen, {
            rule: reverse({ steps, dynamics: dynamics! }),
            lambda,
            ...(start && { w: start }),
            data: { inner: own(batch.support), outer: own(batch.query) },
          });
          const rows = logits[i + 1]!.data.subarray(task * 27, (task + 1) * 27);
          const sum = Array.from(rows).reduce((total, v) => total + v * v, 0);
          expect(sum / value.item()).toBeCloseTo(1, 4);
          await disposePrograms(seen);
        }
      }
      expect(flat(logits[1])).not.toEqual(flat(logits[2]));
    },
  );
});

describe("accuracy", () => {
  const learner = prototypical({ encoder });
  const lambda = learner.init(shape, 0);

  test("mean, deviation and interval are those of the episodes' accuracies", async () => {
    const [result] = await evaluate(learner, lambda, { set, episodes });
    const { accuracies, mean, standardDeviation, halfWidth, count, steps } = result!;
    expect([steps, count, accuracies.length]).toEqual([0, 7, 7]);
    const average = accuracies.reduce((a, b) => a + b) / 7;
    expect(mean).toBeCloseTo(average, 14);
    const variance = accuracies.reduce((sum, v) => sum + (v - average) ** 2, 0) / 6;
    expect(standardDeviation).toBeCloseTo(Math.sqrt(variance), 14);
    expect(halfWidth).toBeCloseTo((1.96 * Math.sqrt(variance)) / Math.sqrt(7), 14);
  });

  test("does not depend on how many episodes a run takes", async () => {
    const one = await evaluate(learner, lambda, { set, episodes, chunk: 1 });
    const three = await evaluate(learner, lambda, { set, episodes, chunk: 3 });
    expect(three).toEqual(one);
  });

  test("classes that differ are told apart, with statistics of either kind", async () => {
    const options = { set, episodes: listEpisodes(set, episode, { seed: 5, count: 5 }) };
    const statistics = await populationStatistics(learner, lambda, options);
    for (const given of [undefined, statistics]) {
      const asked = { ...options, ...(given && { statistics: given }) };
      const [result] = await evaluate(learner, lambda, asked);
      // Chance is 1/3.
      expect(result!.mean).toBeGreaterThan(0.6);
    }
  });

  // A head of zeros after no step: all logits are equal.
  test("equal logits are decided at random, by seed", async () => {
    const blind = hyperRepresentation({ encoder });
    const many = listEpisodes(set, episode, { seed: 6, count: 60 });
    const at = (seed: number) =>
      evaluate(blind, blind.init(shape, 0), { set, episodes: many, steps: [0], seed });
    const [[a], [again], [b]] = [await at(0), await at(0), await at(1)];
    // 540 draws of probability 1/3 deviate by 0.02; six of that.
    expect(Math.abs(a!.mean - 1 / 3)).toBeLessThan(0.12);
    expect(a).toEqual(again);
    expect(a!.accuracies).not.toEqual(b!.accuracies);
  });

  test("the joint baseline probes with a head of the episode's size", async () => {
    const baseline = joint({ encoder });
    const results = await evaluate(baseline, baseline.init(shape, 0), {
      set,
      episodes,
      steps: [1, 20],
    });
    expect(results.map(({ steps }) => steps)).toEqual([1, 20]);
    expect(results[1]!.mean).toBeGreaterThan(0.6);
  });

  test("an evaluation that is repeated sees other parameters", async () => {
    const evaluator = openEvaluation(learner, { set, episodes });
    const first = await evaluator.evaluate(lambda);
    const other = await evaluator.evaluate(learner.init(shape, 9));
    expect(await evaluator.evaluate(lambda)).toEqual(first);
    expect(other[0]!.accuracies).not.toEqual(first[0]!.accuracies);
    await evaluator.dispose();
  });

  test("misuse is refused", () => {
    expect(() => openEvaluation(learner, { set, episodes: [] })).toThrow("at least one episode");
    expect(() => openEvaluation(learner, { set, episodes, chunk: 0 })).toThrow("chunk must be");
    expect(() => openEvaluation(learner, { set, episodes, steps: [-1] })).toThrow(
      "openClassifier: steps must be a list of whole numbers >= 0; -1 came",
    );
  });
});

describe("the support set's statistics for the query set", () => {
  const [first] = episodes;
  const batch = stackEpisodes(set, [first!]);
  const few = stackEpisodes(set, [{ ...first!, query: [0, 3, 6].map((i) => first!.query[i]!) }]);
  const learners = [maml({ encoder, learningRate: 0.2 }), prototypical({ encoder })];

  test.each(learners.map((learner) => [learner.name, learner] as const))(
    "%s: a label does not depend on the other queries",
    async (_, learner) => {
      const lambda = learner.init(shape, 0);
      const classifier = openClassifier(learner, shape, { steps: [2] });
      const rows = async (of: typeof batch, mode?: "support"): Promise<number[]> =>
        flat(await classifier.logits(lambda, of, mode));
      const at = (all: number[]): number[] => [0, 3, 6].flatMap((i) => all.slice(3 * i, 3 * i + 3));
      const whole = at(await rows(batch, "support"));
      const gap = (a: number[]): number => Math.max(...a.map((v, i) => Math.abs(v - whole[i]!)));
      expect(gap(await rows(few, "support"))).toBeLessThan(1e-4);
      expect(gap(at(await rows(batch)))).toBeGreaterThan(1e-2);
      await classifier.dispose();
    },
  );

  // Before the first step the follower's encoder is the leader's, of which the statistics can be measured and given.
  test.each([
    [0, maml({ encoder })],
    [3, hyperRepresentation({ encoder })],
  ])("after %d steps they are those measured on the support set", async (count, learner) => {
    const lambda = learner.init(shape, 0);
    const measure = compile((l: { encoder: never }, x: np.Array) =>
      encoder.statistics(l.encoder, x.slice(0)),
    );
    const statistics = await measure(lambda, batch.support.x);
    await measure.dispose();
    const classifier = openClassifier(learner, shape, { steps: [count] });
    const wanted = flat(await classifier.logits(lambda, batch, statistics));
    const actual = flat(await classifier.logits(lambda, batch, "support"));
    expect(Math.max(...actual.map(Math.abs))).toBeGreaterThan(0.1);
    actual.forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 4));
    await classifier.dispose();
  });
});

// Before the first normalization nothing depends on the other images: there the formula is the plain moments of all.
test("population statistics of the first block are the moments over all images", async () => {
  const learner: Learner = prototypical({ encoder });
  const lambda = learner.init(shape, 0);
  const [first] = await populationStatistics(learner, lambda, { set, episodes });
  const all = imageTensor(
    set,
    episodes.flatMap(({ support, query }) => [...support, ...query]),
  );
  const measure = compile(
    (l: { encoder: never }, x: np.Array) => encoder.statistics(l.encoder, x)[0]!,
  );
  const wanted = await measure(lambda, all);
  await measure.dispose();
  for (const name of ["mean", "variance"] as const) {
    flat(first![name]).forEach((v, i) => expect(v).toBeCloseTo(flat(wanted[name])[i]!, 5));
  }
});

describe("parameters as a file", () => {
  const learner = maml({ encoder });

  test("come back bit for bit, with what was said of them", () => {
    const lambda = learner.init(shape, 3);
    const bytes = encodeParameters(lambda, { learner: "maml" });
    const read = decodeParameters(bytes, learner.init(shape, 0));
    expect(read.lambda).toEqual(lambda);
    expect(read.metadata["learner"]).toBe("maml");
  });

  test("of another learner are refused", () => {
    const other = hyperRepresentation({ encoder, learnRate: true });
    const bytes = encodeParameters(other.init(shape, 0));
    expect(() => decodeParameters(bytes, learner.init(shape, 0))).toThrow("has lambda.logRate");
    const fewer = encodeParameters(prototypical({ encoder }).init(shape, 0));
    expect(() => decodeParameters(fewer, learner.init(shape, 0))).toThrow(
      "lambda.head.weight must be",
    );
  });
});
