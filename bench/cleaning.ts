/**
 * Data hyper-cleaning on MNIST and Fashion-MNIST with every rule at the same budget of gradients: `npm run
 * bench:cleaning -- [data sets] [seeds] [gradients]`. Needs STACKELBERG_DATA, the data folder. Each run is a process of
 * its own and leaves a file in stackelberg-cleaning/, so that an interrupted bench goes on where it was; at the end come
 * the tables of docs/results/cleaning.md, from all the files there.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Result } from "./cleaning/clean.ts";
import { methods } from "./cleaning/methods.ts";
import { gainTable, resultTable } from "./cleaning/tables.ts";

const [names = "mnist,fashion-mnist", seedList = "0,1,2", gradients = "1000"] =
  process.argv.slice(2);
const folder = "stackelberg-cleaning";
const child = fileURLToPath(new URL("./cleaning/run.ts", import.meta.url));
const titles = ["baselines", ...Object.keys(methods(10))];

if (process.env["STACKELBERG_DATA"] === undefined) {
  say("Left out: set STACKELBERG_DATA to the folder that holds mnist/ and fashion-mnist/.");
} else {
  await mkdir(folder, { recursive: true });
  const found = new Map<string, Result[]>();
  // Seed by seed, so that an early end leaves whole tables.
  for (const seed of seedList.split(",")) {
    for (const name of names.split(",")) {
      for (const title of titles) {
        const results = await resultOf(name, seed, title);
        found.set(name, [...(found.get(name) ?? []), ...results]);
      }
    }
  }
  for (const [name, results] of found) {
    say(`\n### ${name}, ${gradients} gradients\n\n${resultTable(results)}\n`);
    say(`${gainTable(results)}\n`);
  }
}

/** The run's results, from its file or by running it. */
async function resultOf(name: string, seed: string, title: string): Promise<Result[]> {
  const words = [name, gradients, seed, title].join(" ").toLowerCase();
  const path = join(folder, `${words.replaceAll(/[^a-z0-9]+/g, "-")}.json`);
  const saved = await readFile(path, "utf8").catch(() => undefined);
  if (saved !== undefined) return read(saved, seed);
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...["--import", "tsx", child],
    ...[name, seed, title, gradients],
  ]);
  say(`${name}, seed ${seed}: ${stdout}`);
  await writeFile(`${path}.part`, stdout);
  await rename(`${path}.part`, path);
  return read(stdout, seed);
}

/** The saved results, with the seed that their file's name has. */
function read(text: string, seed: string): Result[] {
  const results = JSON.parse(text) as Omit<Result, "seed">[];
  return results.map((result) => ({ ...result, seed: Number(seed) }));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
