/**
 * What the number T of the follower's steps does to accuracy, time and the hypergradient: `npm run bench:effect-of-t --
 * [parts] [seeds] [T] [ρ]`. Omniglot is downloaded, or read from STACKELBERG_DATA. Each run leaves a file in
 * stackelberg-effect-of-t/, so that an interrupted bench goes on where it was, and several share the work. Prints the tables
 * of docs/results/effect-of-t.md and writes its charts.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readOmniglot, type ImageSet, type ImageSplits } from "../src/data/index.ts";
import { accuracyCharts, decayChart, episodeChart, timeChart } from "./effect-of-t/charts.ts";
import { measureDecay } from "./effect-of-t/decay.ts";
import {
  fixedRateTables,
  learnedRateTables,
  type EpisodeRuns,
} from "./effect-of-t/episode-tables.ts";
import { runEpisodes, trainingSteps, type EpisodeRun, type Rate } from "./effect-of-t/episodes.ts";
import { runOne, type EffectRun, type Steps } from "./effect-of-t/run.ts";
import { accuracyTable, decayTable, gainTable, timeTable } from "./effect-of-t/tables.ts";
import { drawTask, turnedCharacters } from "./effect-of-t/task.ts";
import { measureTimes } from "./effect-of-t/timing.ts";

const [
  partList = "accuracy,decay,time,episodes",
  seedList = "0,1,2,3,4",
  stepList = "1,4,16,64,256,exact",
  ridgeList = "0.1",
] = process.argv.slice(2);
const seeds = seedList.split(",").map(Number);
const allSteps = stepList.split(",").map((name): Steps => (name === "exact" ? name : Number(name)));
const folder = "stackelberg-effect-of-t";
const results = new URL("../docs/results/", import.meta.url);

/** Read when the first run needs them. */
let characters: Promise<ImageSet> | undefined;
let splits: Promise<ImageSplits> | undefined;

const parts: Readonly<Record<string, (ridge: number) => Promise<void>>> = {
  accuracy: async (ridge) => {
    const found = new Map<Steps, EffectRun[]>(allSteps.map((steps) => [steps, []]));
    for (const seed of seeds) {
      for (const steps of allSteps) {
        const run = await saved(`ridge-${ridge}-seed-${seed}-steps-${steps}`, async () =>
          runOne(
            drawTask(await (characters ??= turnedCharacters()), seed, "float32"),
            steps,
            ridge,
          ),
        );
        found.get(steps)!.push(run);
      }
    }
    say(`### Accuracy, ρ = ${ridge}, seeds ${seedList}\n\n${accuracyTable(found)}\n`);
    say(`${gainTable(found)}\n`);
    for (const [name, chart] of accuracyCharts(found)) {
      await writeFile(new URL(`effect-of-t-${name}-${ridge}.svg`, results), chart);
    }
  },
  decay: async (ridge) => {
    const decay = await saved(`ridge-${ridge}-decay`, async () =>
      measureDecay(drawTask(await (characters ??= turnedCharacters()), 0, "float64"), ridge),
    );
    say(`### The hypergradient's error, ρ = ${ridge}\n\n${decayTable(decay)}\n`);
    await writeFile(new URL(`effect-of-t-error-${ridge}.svg`, results), decayChart(decay));
  },
  time: async (ridge) => {
    const times = await saved(`ridge-${ridge}-time`, async () =>
      measureTimes(
        drawTask(await (characters ??= turnedCharacters()), 0, "float32"),
        allSteps,
        ridge,
      ),
    );
    say(`### Processor time of an outer step\n\n${timeTable(times)}\n`);
    await writeFile(new URL("effect-of-t-time.svg", results), timeChart(times));
  },
  episodes: async () => {
    for (const shots of [1, 5]) {
      const fixed = await trainings(shots, "fixed");
      await show(shots, "fixed", fixed, fixedRateTables(fixed));
      const learned = await trainings(shots, "learned");
      await show(shots, "learned", learned, learnedRateTables(learned, fixed));
    }
  },
};

await mkdir(folder, { recursive: true });
for (const part of partList.split(",")) {
  for (const ridge of ridgeList.split(",").map(Number)) await parts[part]!(ridge);
}

async function trainings(shots: number, rate: Rate): Promise<EpisodeRuns> {
  const found = new Map<number, EpisodeRun[]>(trainingSteps.map((steps) => [steps, []]));
  for (const seed of seeds) {
    for (const steps of trainingSteps) {
      const run = await saved(
        `episodes-${shots}-shot-${rate}-seed-${seed}-steps-${steps}`,
        async () => runEpisodes(await (splits ??= readOmniglot()), { shots, rate, seed, steps }),
      );
      found.get(steps)!.push(run);
    }
  }
  return found;
}

async function show(
  shots: number,
  rate: Rate,
  found: EpisodeRuns,
  tables: readonly string[],
): Promise<void> {
  const title = `5-way ${shots}-shot, ${rate} rate`;
  say(`### ${title}, seeds ${seedList}\n\n${tables.join("\n\n")}\n`);
  await writeFile(
    new URL(`effect-of-t-${shots}-shot-${rate}.svg`, results),
    episodeChart(`${title}: test accuracy, 95 % intervals`, found),
  );
}

/** What the file of this name holds; made, and written, when there is none. */
async function saved<R>(name: string, make: () => Promise<R>): Promise<R> {
  const path = join(folder, `${name}.json`);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined) return JSON.parse(text) as R;
  const found = await make();
  await writeFile(`${path}.part`, JSON.stringify(found));
  await rename(`${path}.part`, path);
  return found;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
