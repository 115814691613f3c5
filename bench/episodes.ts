/**
 * How much of a few-shot training goes into drawing its episodes: `npm run bench:episodes`. Prints the table of
 * docs/results/omniglot.md: medians of the time in which a step's images are drawn and copied, beside those of the
 * whole step, on one thread. Images are random: the time does not depend on what they show. Idle machine, please.
 */
import { gradientDescent } from "../src/bilevel/index.ts";
import { randomKey, randomStream, type ImageSet } from "../src/data/index.ts";
import {
  convolutionalEncoder,
  hyperRepresentation,
  maml,
  prototypical,
  train,
  type Learner,
  type TaskSource,
} from "../src/fewshot/index.ts";
import { episodeBatches } from "../src/fewshot/episode-batches.ts";
import { median } from "./scale/measure.ts";

/** Outer steps that are timed; the first ones, in which caches fill, are not. */
const [untimed, timed] = [2, 9];

const encoder = convolutionalEncoder();
const learners: Readonly<Record<string, Learner>> = {
  prototypical: prototypical({ encoder }),
  "hyper-representation": hyperRepresentation({ encoder, steps: 16, learningRate: 0.05 }),
  maml: maml({ encoder, learningRate: 0.1 }),
};
const gray = randomImages({ classes: 4800, each: 20, size: 28, channels: 1 });
const color = randomImages({ classes: 64, each: 60, size: 84, channels: 3 });
const sources: Readonly<Record<string, TaskSource>> = {
  "28×28 gray, 4 episodes of 5-way 1-shot, 15 queries": sourceOf(gray, 5, 15, 4),
  "28×28 gray, 2 episodes of 20-way 1-shot, 5 queries": sourceOf(gray, 20, 5, 2),
  "84×84 color, 4 episodes of 5-way 1-shot, 15 queries": sourceOf(color, 5, 15, 4),
};

say("| images and episodes | learner | drawing | step | share |");
say("| --- | --- | --: | --: | --: |");
for (const [name, source] of Object.entries(sources)) {
  const drawing = drawingMs(source);
  for (const [learner, made] of Object.entries(learners)) {
    const step = await stepMs(made, source);
    const share = ((100 * drawing) / step).toFixed(1);
    say(`| ${name} | ${learner} | ${drawing.toFixed(1)} ms | ${step.toFixed(0)} ms | ${share} % |`);
  }
}

/** Both levels' images of a step. */
function drawingMs(source: TaskSource): number {
  const { inner, outer } = episodeBatches(source);
  const times = Array.from({ length: untimed + timed }, (_, step) => {
    const started = performance.now();
    for (const level of [inner, outer]) void level.batch(step, { seed: 0, stream: "episodes" });
    return performance.now() - started;
  });
  return median(times.slice(untimed));
}

/** A whole outer step, drawing included. */
async function stepMs(learner: Learner, source: TaskSource): Promise<number> {
  const times: number[] = [];
  const run = train(learner, {
    ...source,
    optimizer: gradientDescent({ learningRate: 1e-6 }),
    budget: { steps: untimed + timed },
    threads: 1,
  });
  for await (const { seconds } of run) times.push(1000 * (seconds ?? 0));
  return median(times.slice(untimed));
}

function sourceOf(set: ImageSet, ways: number, queries: number, tasks: number): TaskSource {
  return { set, episode: { ways, shots: 1, queries }, tasks, seed: 0 };
}

function randomImages(of: {
  classes: number;
  each: number;
  size: number;
  channels: 1 | 3;
}): ImageSet {
  const { classes, each, size, channels } = of;
  const pixels = new Uint8Array(classes * each * channels * size ** 2);
  const stream = randomStream(randomKey(0, "pixels"));
  for (let i = 0; i < pixels.length; i++) pixels[i] = stream.integer(256);
  return {
    height: size,
    width: size,
    channels,
    classes: Array.from({ length: classes }, (_, k) => `class ${k}`),
    offsets: Array.from({ length: classes + 1 }, (_, k) => k * each),
    pixels,
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
