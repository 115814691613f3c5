/** Training through `solve`: what a step sees, that it learns, and that an interrupted run ends with the same bytes. */
import { describe, expect, test } from "vitest";
import { adam, decodeCheckpoint } from "../../src/bilevel/index.ts";
import { drawEpisode, listEpisodes, stackEpisodes } from "../../src/data/images/episodes.ts";
import { episodeBatches } from "../../src/fewshot/episode-batches.ts";
import {
  evaluate,
  hyperRepresentation,
  joint,
  maml,
  prototypical,
  train,
  type Learner,
  type TrainOptions,
} from "../../src/fewshot/index.ts";
import { encoder, episode, set, shape } from "./tiny.ts";

const source = { set, episode, tasks: 2, seed: 8 };

/** The checkpoints of a run that is ended after a step. */
async function checkpoints(
  learner: Learner,
  change: Partial<TrainOptions>,
  stopAfter = Infinity,
): Promise<Uint8Array[]> {
  const saved: Uint8Array[] = [];
  const run = train(learner, {
    ...source,
    threads: 1,
    budget: { steps: 9 },
    checkpoint: { save: (bytes) => void saved.push(bytes), everySteps: 3 },
    ...change,
  });
  for await (const { step } of run) if (step === stopAfter) break;
  await run;
  return saved;
}

describe("a run that was ended and goes on", () => {
  const learners = [
    hyperRepresentation({ encoder, steps: 2 }),
    maml({ encoder, steps: 2 }),
    prototypical({ encoder }),
    joint({ encoder }),
  ];
  test.each(learners.map((learner) => [learner.name, learner] as const))(
    "%s: ends with the same bytes",
    async (_, learner) => {
      const whole = await checkpoints(learner, {});
      const part = await checkpoints(learner, {}, 4);
      expect(decodeCheckpoint(part.at(-1)!).state.history).toHaveLength(5);
      const rest = await checkpoints(learner, { resume: part.at(-1)! });
      expect(rest.at(-1)!).toEqual(whole.at(-1)!);
      expect(whole.at(-1)!).not.toEqual(part.at(-1)!);
    },
  );

  test("other episodes are another run", async () => {
    const learner = prototypical({ encoder });
    const part = await checkpoints(learner, {}, 1);
    const change = { resume: part.at(-1)!, episode: { ...episode, shots: 1 } };
    await expect(checkpoints(learner, change)).rejects.toThrow("inner data");
  });
});

test("a step sees the next episodes: support sets inside, query sets outside", async () => {
  const { inner, outer } = episodeBatches(source);
  const next = [6, 7].map((index) => drawEpisode(set, episode, source.seed, index));
  const { support, query } = stackEpisodes(set, next);
  const stream = { seed: 0, stream: "inner" };
  expect(await inner.batch(3, stream)).toEqual(support);
  expect(await outer.batch(3, stream)).toEqual(query);
  expect(await inner.batch(2, stream)).not.toEqual(support);
  expect(() => episodeBatches({ ...source, tasks: 0 })).toThrow("tasks, the episodes of an outer");
});

describe("training lowers the loss", () => {
  test.each(
    [hyperRepresentation({ encoder, steps: 2 }), joint({ encoder })].map(
      (l) => [l.name, l] as const,
    ),
  )("%s", async (_, learner) => {
    const run = await train(learner, {
      ...source,
      optimizer: adam({ learningRate: 0.02 }),
      budget: { steps: 60 },
    });
    const losses = run.history.map(({ value }) => value);
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 10)));
    const episodes = listEpisodes(set, episode, { seed: 9, count: 10 });
    const [after] = await evaluate(learner, run.lambda as never, { set, episodes });
    expect(after!.mean).toBeGreaterThan(0.75);
    expect(learner.init(shape, 0)).not.toEqual(run.lambda);
  });
});
