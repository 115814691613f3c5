/**
 * Few-shot learners on Omniglot: `npm run bench:fewshot -- <folder> [part of a name] [scale]`. Trains every run whose name has
 * that part for its minutes times the scale, or goes on with one that is in the folder; tests it on 600 episodes; prints the
 * table of docs/results/omniglot.md and writes its chart. A scale of 0 only prints and draws what is there.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readLog } from "../src/cli/fewshot/training-log.ts";
import { accuracyChart, type Curve } from "./fewshot/chart.ts";
import { runs, type FewshotRun } from "./fewshot/runs.ts";

const [folder, part = "", scale = "1"] = process.argv.slice(2);
const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

if (folder === undefined) {
  process.stdout.write(`Name a folder for the runs: ${runs.map(({ name }) => name).join(", ")}.\n`);
} else {
  for (const run of runs.filter(({ name }) => name.includes(part))) {
    const minutes = run.minutes * Number(scale);
    if (minutes > 0) await trainAndTest(run, folder, minutes);
  }
  const tests = (await readdir(folder))
    .map((name) => join(folder, name, "model-test-seed0.json"))
    .filter((path) => existsSync(path));
  await stackelberg(["table", ...tests, "--markdown"]);
  const chart = accuracyChart("5-way 1-shot on Omniglot", await curves(folder, "-5way-1shot"));
  await writeFile(new URL("../docs/results/omniglot.svg", import.meta.url), chart);
}

async function trainAndTest(
  { name, options, from }: FewshotRun,
  folder: string,
  minutes: number,
): Promise<void> {
  const out = join(folder, name);
  const start = from === undefined ? [] : ["--from", join(folder, from)];
  const begin = existsSync(out) ? ["--resume", out] : [...options, ...start, "--out", out];
  await stackelberg(["train", ...begin, "--budget", `${minutes}m`, "--threads", "1"]);
  await stackelberg(["eval", "--model", out, "--threads", "1", "--force"]);
}

/** The validations of the runs of a task, as their logs have them. */
async function curves(folder: string, task: string): Promise<Curve[]> {
  const found: Curve[] = [];
  for (const { name } of runs.filter((run) => run.name.includes(task))) {
    const points = await readLog(join(folder, name, "log.jsonl"));
    const title = name.replace(task, "").replace("-20ways", ", 20 ways").replace("-slow", ", slow");
    if (points.length > 0) found.push({ title, points });
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
