/**
 * Trains a few-shot learner on Omniglot and keeps its best parameters by validation accuracy: `node --import tsx
 * bench/fewshot/train.ts <folder> [learner] [ways] [shots] [steps]`. Omniglot is downloaded, or read from
 * STACKELBERG_DATA. The output folder gets checkpoint.safetensors, best.safetensors and log.jsonl; the same command goes on where it was ended.
 */
import { appendFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { adam, gradientDescent, inverseTimeDecay } from "../../src/bilevel/index.ts";
import { writeCheckpointFile } from "../../src/bilevel/checkpoint-file.ts";
import { listEpisodes } from "../../src/data/episodes.ts";
import { readOmniglot } from "../../src/data/omniglot.ts";
import {
  anil,
  convolutionalEncoder,
  encodeParameters,
  firstOrderMaml,
  hyperRepresentation,
  imaml,
  joint,
  maml,
  matching,
  openEvaluation,
  prototypical,
  reptile,
  train,
  type Learner,
} from "../../src/fewshot/index.ts";

const [folder, name = "hyper-representation", ways = "5", shots = "1", budget = "20000"] =
  process.argv.slice(2);
const number = (key: string, fallback: number): number => Number(process.env[key] ?? fallback);
const variant = process.env["VARIANT"] === "pooled" ? "pooled" : "strided";
const encoder = convolutionalEncoder({ variant, filters: number("FILTERS", 64) });
const learners: Record<string, () => Learner> = {
  "hyper-representation": () => hyperRepresentation({ encoder }),
  maml: () => maml({ encoder }),
  "first-order maml": () => firstOrderMaml({ encoder }),
  anil: () => anil({ encoder }),
  imaml: () => imaml({ encoder }),
  reptile: () => reptile({ encoder }),
  prototypical: () => prototypical({ encoder }),
  matching: () => matching({ encoder }),
  joint: () => joint({ encoder }),
};
/** Outer steps between two validations. */
const every = number("EVERY", 500);

interface Line {
  readonly step: number;
  /** Mean training loss since the last line. */
  readonly loss: number;
  readonly accuracy: number;
  readonly halfWidth: number;
  readonly stepsPerSecond: number;
}

if (folder === undefined || !(name in learners)) {
  say(`Name an output folder, and one of ${Object.keys(learners).join(", ")}.`);
} else {
  await run(folder, learners[name]!());
}

async function run(folder: string, learner: Learner): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = (name: string): string => join(folder, name);
  const checkpoint = file("checkpoint.safetensors");
  const exists = await stat(checkpoint).then(
    () => true,
    () => false,
  );
  const { train: training, validation } = await readOmniglot();
  const episode = { ways: Number(ways), shots: Number(shots), queries: 15 };
  const threads = number("THREADS", 1);
  const evaluator = openEvaluation(learner, {
    set: validation,
    episodes: listEpisodes(validation, episode, { seed: 1, count: number("VALIDATION", 200) }),
    threads,
  });
  const rate = inverseTimeDecay({ initial: 1e-3, decay: 1e-5 });
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  process.once("SIGTERM", () => abort.abort());
  const steps = train(learner, {
    set: training,
    episode,
    tasks: number("TASKS", 4),
    seed: number("SEED", 0),
    optimizer:
      name === "reptile" ? gradientDescent({ learningRate: 1 }) : adam({ learningRate: rate }),
    budget: { steps: Number(budget) },
    threads,
    signal: abort.signal,
    checkpoint: { path: checkpoint, everySteps: every },
    ...(exists && { resume: checkpoint }),
  });
  let lines = await readLines(file("log.jsonl"));
  let [sum, count, since] = [0, 0, performance.now()];
  for await (const { step, value, lambda } of steps) {
    if (count === 0) {
      // After a crash the log may know more than the checkpoint.
      lines = lines.filter((line) => line.step < step);
      await writeFile(file("log.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    }
    sum += value;
    count++;
    if (step % every !== 0 || step === 0) continue;
    const stepsPerSecond = count / ((performance.now() - since) / 1000);
    const [evaluation] = await evaluator.evaluate(lambda);
    const { mean: accuracy, halfWidth } = evaluation!;
    const line: Line = { step, loss: sum / count, accuracy, halfWidth, stepsPerSecond };
    if (lines.every((earlier) => earlier.accuracy < accuracy)) {
      const metadata = { learner: name, variant, ways, shots, step: String(step) };
      await writeCheckpointFile(file("best.safetensors"), encodeParameters(lambda, metadata));
    }
    lines.push(line);
    await appendFile(file("log.jsonl"), `${JSON.stringify(line)}\n`);
    say(
      `step ${step}: loss ${line.loss.toFixed(4)}, validation ${(100 * accuracy).toFixed(2)} ± ${(100 * halfWidth).toFixed(2)} %, ${stepsPerSecond.toFixed(2)} steps/s`,
    );
    [sum, count, since] = [0, 0.0, performance.now()];
  }
  const { sentence } = await steps;
  await evaluator.dispose();
  say(sentence);
}

async function readLines(path: string): Promise<Line[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
