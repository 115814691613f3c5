/**
 * Few-shot learners on Omniglot: `npm run bench:fewshot -- <folder> [name or part of it] [scale]`. Trains every run
 * of that name for its minutes times the scale, or goes on with one that is in the folder; tests it on 600 episodes; prints the
 * table of docs/results/omniglot.md and writes its charts. A scale of 0 only prints and draws what is there.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bestLine, readLog } from "../src/fewshot/training/training-log.ts";
import { accuracyChart, type Curve } from "./fewshot/chart.ts";
import { runs, type FewshotRun, type Shape } from "./fewshot/runs.ts";

const [folder, part = "", scale = "1"] = process.argv.slice(2);
const oneThread = ["--threads", "1"];
const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

if (folder === undefined) {
  process.stdout.write(`Name a folder for the runs: ${runs.map(({ name }) => name).join(", ")}.\n`);
} else {
  const exact = runs.filter(({ name }) => name === part);
  const chosen = exact.length > 0 ? exact : runs.filter(({ name }) => name.includes(part));
  for (const run of chosen) {
    const minutes = run.minutes * Number(scale);
    if (minutes > 0) await trainAndTest(run, folder, minutes);
  }
  const tests = runs
    .flatMap(({ name, tests }) => tests.map((shape) => testFile(join(folder, name), shape)))
    .filter((path) => existsSync(path));
  await stackelberg(["table", ...tests, "--markdown"]);
  for (const task of ["5way-1shot", "20way-1shot"]) {
    const chart = accuracyChart(
      `${task.replace("way-", "-way ").replace("shot", "-shot")} on Omniglot`,
      await curves(folder, task),
    );
    await writeFile(new URL(`../docs/results/omniglot-${task}.svg`, import.meta.url), chart);
  }
}

async function trainAndTest(
  { name, options, from, tests, testOptions }: FewshotRun,
  folder: string,
  minutes: number,
): Promise<void> {
  const out = join(folder, name);
  const start = from === undefined ? [] : ["--from", join(folder, from)];
  const begin = existsSync(out) ? ["--resume", out] : [...options, ...start, "--out", out];
  await stackelberg(["train", ...begin, "--budget", `${minutes}m`, ...oneThread]);
  for (const { ways, shots } of tests) {
    const episodes = ["--ways", String(ways), "--shots", String(shots), "--queries", "15"];
    const result = ["--out", testFile(out, { ways, shots }), "--force"];
    await stackelberg([
      "eval",
      "--model",
      out,
      ...episodes,
      ...testOptions,
      ...oneThread,
      ...result,
    ]);
  }
}

/** Where the result of a run's test is. */
function testFile(out: string, { ways, shots }: Shape): string {
  return join(out, `test-${ways}way-${shots}shot.json`);
}

/** The validations of the runs of a task, as their logs have them: until the best one, then those of the second phase. */
async function curves(folder: string, task: string): Promise<Curve[]> {
  const found: Curve[] = [];
  for (const { name } of runs.filter((run) => run.name.endsWith(`-${task}`))) {
    const points = await readLog(join(folder, name, "log.jsonl"));
    const after = await readLog(join(folder, `${name}-slow`, "log.jsonl"));
    const start = after.length > 0 ? points.indexOf(bestLine(points)!) + 1 : points.length;
    const title = name.replace(`-${task}`, "");
    if (points.length > 0) found.push({ title, points: [...points.slice(0, start), ...after] });
  }
  return found;
}

/** Runs one of the few-shot commands; its output is this one's. */
async function stackelberg(words: readonly string[]): Promise<void> {
  const command = ["--import", "tsx", main, "fewshot", ...words];
  const child = spawn(process.execPath, command, { stdio: "inherit" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`stackelberg fewshot ${words[0]} ended with exit code ${code}.`);
}
