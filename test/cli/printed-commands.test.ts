// Every command that `tune` and `clean` print is given to a shell as it stands, from a folder other than the clone,
// for a file, a target and a column whose names a shell would take apart.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { randomKey, randomStream } from "../../src/data/index.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const cwd = join(folder, "it's $HOME");
const file = 'a "table" & more.csv';
mkdirSync(cwd);
const stream = randomStream(randomKey(2));
const lines = Array.from({ length: 60 }, () => {
  const x = stream.normal();
  const label = x + stream.normal() > 0 ? "up" : "down";
  return `${x.toFixed(3)},${label}!,${label}`;
});
writeFileSync(join(cwd, file), ['x,"it\'s, told",-y', ...lines, ""].join("\n"));

/** Runs a printed line; fails with what it says. */
async function shell(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd });
  return stdout;
}

/** The commands among what was printed, each on one line. */
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/(?:^ {2}|to go on: )(node .* (?:tune|clean) .*)$/gm)].map(([, line]) => line!);

/** The commands of a report. */
function commandsOf(...path: string[]): string[] {
  const page = readFileSync(join(cwd, ...path, "report.html"), "utf8");
  return [...page.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, text]) =>
    text!
      .replaceAll("&#39;", "'")
      .replaceAll("&quot;", '"')
      .replaceAll("&gt;", ">")
      .replaceAll("&lt;", "<")
      .replaceAll("&amp;", "&"),
  );
}

interface Result {
  command: string;
  data: { possibleLeaks: { name: string; kind: string; used: boolean }[] };
}
const resultOf = (name: string): Result =>
  JSON.parse(readFileSync(join(cwd, name, "result.json"), "utf8")) as Result;
const leak = [{ name: "it's, told", kind: "answer", used: true }];

test("tune: to go on, to repeat, and to leave out what gives the answer away", async () => {
  const words = ["tune", file, "--target=-y", "--repeats", "2", "--steps", "1", "--out", "-o u't"];
  const cut = await stackelberg([...words, "--budget", "1ms"], { cwd, sources: true });
  expect(cut.exitCode).toBe(0);
  const [goOn, ...noMore] = commandsIn(cut.stderr);
  expect(noMore).toEqual([]);
  const resumed = await shell(goOn!);
  expect(resumed).toContain(
    'Possible leaks among the columns used: "it\'s, told" alone gives 100 %',
  );
  const [without] = commandsIn(resumed);
  const result = resultOf("-o u't");
  expect(result.data.possibleLeaks).toMatchObject(leak);
  expect(commandsOf("-o u't")).toEqual([without, result.command]);

  await shell(result.command);
  const stem = 'stackelberg-a "table" & more';
  expect(resultOf(`${stem}-again`).data.possibleLeaks).toMatchObject(leak);
  await shell(without!);
  expect(resultOf(`${stem}-without`).data.possibleLeaks).toEqual([]);
});

test("clean: to repeat and to leave out", async () => {
  const words = ["clean", file, "--target=-y", "--folds", "2", "--repeats", "1", "--top", "3"];
  const done = await stackelberg(words, { cwd, sources: true });
  const [without] = commandsIn(done.stdout);
  const stem = 'stackelberg-a "table" & more-clean';
  expect(commandsOf(stem)).toEqual([without, resultOf(stem).command]);
  await shell(resultOf(stem).command);
  expect(resultOf(`${stem}-again`).data.possibleLeaks).toMatchObject(leak);
  await shell(without!);
  expect(resultOf(`${stem}-without`).data.possibleLeaks).toEqual([]);
});

test("the examples of the help run with the file that they name", async () => {
  const help = await stackelberg(["tune", "--help"], { cwd, sources: true });
  const example = help.stdout
    .split("\n")
    .find((line) => line.includes("adult.csv --target income"));
  writeFileSync(
    join(cwd, "adult.csv"),
    ["x,income", ...lines.map((line) => line.replace(/,.*,/, ","))].join("\n"),
  );
  expect(await shell(`${example!.trim()} --repeats 1 --steps 1`)).toContain(
    "Files in stackelberg-adult",
  );
});
