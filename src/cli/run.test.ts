// Bad command lines and bad data: one clear sentence, exit code 2, nothing written.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommandLine } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "stackelberg-run-"));
const startedIn = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(startedIn);
  rmSync(folder, { recursive: true });
});
const write = (name: string, contents: string | Uint8Array): void =>
  writeFileSync(join(folder, name), contents);

const rows = (count: number): string =>
  Array.from({ length: count }, (_, i) => `${i},${i % 7},${i % 2 ? "yes" : "no"}\n`).join("");
write("good.csv", `a,b,label\n${rows(60)}`);
write("empty.csv", "");
write("header.csv", "a,b,label\n");
write("ragged.csv", "a,b,label\n1,2,yes\n1,2\n");
write("one-class.csv", "a,label\n1,yes\n2,yes\n3,yes\n");
write("no-target.csv", "a,label\n1,\n2,\n3,\n");
write("duplicate.csv", "a,a,label\n1,2,yes\n3,4,no\n");
write("greek.csv", Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0xe1, 0xeb, 0xf6, 0x2c, 0x31, 0x0a]));
mkdirSync(join(folder, "occupied"));
write("occupied/notes.txt", "mine");
write("a-file", "mine");

/** Runs a command line that must be refused; the result is its sentence. */
async function refusal(words: readonly string[]): Promise<string> {
  let text = "";
  const exitCode = await runCommandLine(words, (line) => (text += line));
  expect(text).toMatch(/^stackelberg: [^\n]+\n$/);
  expect(exitCode).toBe(2);
  return text;
}

const good = ["tune", "good.csv", "--target", "label"];
const commandLines: readonly (readonly [string[], RegExp])[] = [
  [[], /no command given/],
  [["train"], /no command "train"; the commands are tune, (\w+, )+\w+ and \w+\n$/],
  [["tune"], /no data file given/],
  [["tune", "good.csv"], /--target is missing/],
  [["tune", "good.csv", "--demo"], /--demo brings its own data/],
  [["tune", "good.csv", "other.csv", "--target", "label"], /2 words came/],
  [["tune", "good.csv", "--target"], /--target needs a value/],
  [["tune", "good.csv", "--target", "--seed", "1"], /--target needs a value, but --seed follows/],
  [[...good, "--buget", "60s"], /unknown option '--buget' \(Did you mean --budget\?\)/],
  [[...good, "--budget", "60"], /--budget must be a time above 0 with its unit/],
  [[...good, "--holdout", "20"], /--holdout must be a fraction/],
  [[...good, "--holdout", "0.5", "--validation", "0.5"], /leave nothing to train on/],
  [[...good, "--repeats", "0"], /--repeats must be a whole number of at least 1/],
  [[...good, "--task", "ranking"], /--task must be one of regression, binary, multiclass/],
  [[...good, "--device", "wasm"], /--device wasm does not work here/],
  [[...good, "--out", "occupied"], /not empty; use --force/],
  [[...good, "--out", "a-file", "--force"], /is a file/],
  [[...good, "--out", "a-file/out"], /not a folder/],
  [[...good, "--resume", "occupied"], /--target cannot be combined with --resume/],
  [["tune", "--resume", "occupied"], /there is neither checkpoint.json nor settings.json in it/],
  [["predict", "occupied"], /file is missing/],
  [["predict", "occupied", "good.csv"], /holds no model.json/],
  [["predict", "occupied", "good.csv", "--out", "good.csv"], /is the input file itself/],
  [["predict", "occupied", "good.csv", "--out", "none/x.csv"], /none is not a folder; create it/],
  [["predict", "occupied", "good.csv", "--out", "occupied"], /--out occupied is a folder; give/],
  [["predict", "occupied", "good.csv", "--out", "new/"], /--out new\/ is a folder; give a file/],
  [["predict", "occupied", "good.csv", "--out", "a-file"], /a-file exists already; use --force/],
  [["predict", "occupied", "good.csv", "--out", "/dev/null", "--force"], /is a device; give/],
];
const badData: readonly (readonly [string, string, RegExp])[] = [
  ["missing.csv", "label", /missing\.csv: there is no such file/],
  ["-", "label", /standard input is not read as a table/],
  ["occupied", "label", /occupied/],
  ["empty.csv", "label", /empty/],
  ["header.csv", "label", /header|no rows/],
  ["ragged.csv", "label", /line 3/],
  ["good.csv", "lable", /no column "lable"; .*"label"/],
  ["one-class.csv", "label", /class|value/],
  ["no-target.csv", "label", /no rows|target/],
  ["duplicate.csv", "label", /"label"/],
  ["greek.csv", "b", /not UTF-8.*--encoding/],
];

describe("refused with one sentence and exit code 2", () => {
  const before = readdirSync(folder, { recursive: true });

  test.each(commandLines)("stackelberg %j", async (words, pattern) => {
    expect(await refusal(words)).toMatch(pattern);
  });

  test.each(badData)("tune %s --target %s", async (file, target, pattern) => {
    expect(await refusal(["tune", file, "--target", target, "--out", "result"])).toMatch(pattern);
    expect(
      await refusal(["tune", file, "--target", target, "--out", "occupied", "--force"]),
    ).toMatch(pattern);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
    expect(readFileSync(join(folder, "occupied", "notes.txt"), "utf8")).toBe("mine");
  });
});

test.each(["x", "0", "9000"])("STACKELBERG_THREADS=%s is refused by name", async (threads) => {
  vi.stubEnv("STACKELBERG_THREADS", threads);
  const lines: string[] = [];
  expect(await runCommandLine(["rules"], (line) => lines.push(line))).toBe(2);
  vi.unstubAllEnvs();
  expect(lines.join("")).toMatch(/^stackelberg: STACKELBERG_THREADS .*\n$/);
});
