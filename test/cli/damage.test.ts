// Files that were damaged or changed after they were written: one sentence and exit code 2, never a wrong answer.

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { demoTable } from "../../src/automl/tabular/demo.ts";
import { tune } from "../../src/automl/tabular/tune.ts";
import { checkpointName, readInterruptedRun } from "../../src/cli/tune/saved-run.ts";
import { describeFailure } from "../../src/cli/command/errors.ts";
import { readForTuning } from "../../src/cli/input/input-table.ts";
import { runCommandLine } from "../../src/cli/run.ts";
import { randomKey, randomStream } from "../../src/data/index.ts";
import { sealJson } from "../../src/files/sealed-json.ts";
import { mutated } from "../mutations.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const stream = randomStream(randomKey(5, "damage"));

const classes = Array.from({ length: 90 }, (_, i) => {
  const kind = ["a", "b", "c"][i % 3]!;
  return [(i % 3) + stream.normal() / 4, stream.normal(), i % 7 ? `l${i % 2}` : "", kind].join();
});

beforeAll(async () => {
  writeFileSync(at("numbers.csv"), demoTable({ rows: 80, seed: 3 }).csv);
  writeFileSync(at("classes.csv"), ["x,y,level,kind", ...classes, ""].join("\n"));
  const words = ["--repeats", "2", "--steps", "4", "--threads", "1", "--quiet"];
  for (const [name, target] of [
    ["numbers", "target"],
    ["classes", "kind"],
  ] as const) {
    const short = ["tune", `${name}.csv`, "--target", target, ...words, "--out", name];
    const done = await stackelberg([...short, "--budget", "1ms"], { cwd: folder });
    expect(done).toMatchObject({ exitCode: 0 });
  }
});

// The commands that run in this process print their notes.
beforeEach(() => void vi.spyOn(process.stderr, "write").mockReturnValue(true));
afterEach(() => void vi.restoreAllMocks());

/** Predicts in this process; the sentence, when it is refused. */
async function predict(model: string, table: string): Promise<string> {
  let said = "";
  const words = ["predict", model, table, "--out", at("predictions.csv"), "--force"];
  const exitCode = await runCommandLine(words, (text) => (said += text));
  expect(exitCode, said).toBe(said === "" ? 0 : 2);
  if (said !== "") expect(said.trimEnd().split("\n").length).toBe(1);
  return said;
}

/** Goes on with a run in this process, as `tune --resume` does, but writes nothing. */
async function resume(from: string): Promise<string> {
  try {
    const saved = await readInterruptedRun(from, () => undefined);
    const { settings } = saved;
    const { table } = await readForTuning(saved.data.path, settings);
    const { device: _, ...options } = settings;
    await tune(table, { ...options, resume: saved.state, threads: 1, budgetSeconds: 0.001 });
    return "";
  } catch (error) {
    const { exitCode, sentence } = describeFailure(error);
    expect(exitCode, sentence).toBe(2);
    return sentence;
  }
}

describe.each(["numbers", "classes"])("%s", (name) => {
  test("a flipped bit, a cut or an addition anywhere in model.json is noticed", async () => {
    const whole = readFileSync(at(name, "model.json"));
    cpSync(at(name), at(`${name}-model`), { recursive: true });
    const path = at(`${name}-model`, "model.json");
    const check = async (bytes: Uint8Array, how: string): Promise<void> => {
      writeFileSync(path, bytes);
      expect(await predict(at(`${name}-model`), at(`${name}.csv`)), how).toMatch(/model\.json is/);
    };
    for (let i = 0; i < 60; i++) {
      const bit = Math.floor(stream.uniform() * 8 * whole.length);
      const damaged = Buffer.from(whole);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await check(damaged, `bit ${bit}`);
    }
    for (const length of [0, 1, whole.length >> 1, whole.length - 20, whole.length - 1]) {
      await check(whole.subarray(0, length), `cut at ${length}`);
    }
    await check(Buffer.concat([whole, Buffer.from("\n")]), "one line more");
    writeFileSync(path, whole);
    expect(await predict(at(`${name}-model`), at(`${name}.csv`))).toBe("");
  });

  test("40 flipped bits of each file beside: model.onnx is noticed, the others are not read by predict", async () => {
    const model = at(`${name}-beside`);
    cpSync(at(name), model, { recursive: true });
    const files = readdirSync(model).filter((file) => file !== "model.json");
    expect(files.sort()).toEqual([
      "checkpoint.json",
      "events.jsonl",
      "model.onnx",
      "report.html",
      "result.json",
      "settings.json",
    ]);
    for (const file of files) {
      const whole = readFileSync(join(model, file));
      for (let i = 0; i < 40; i++) {
        const bit = Math.floor(stream.uniform() * 8 * whole.length);
        const damaged = Buffer.from(whole);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        writeFileSync(join(model, file), damaged);
        const said = await predict(model, at(`${name}.csv`));
        if (file !== "model.onnx") expect(said, `${file}, bit ${bit}`).toBe("");
        else
          expect(said, `bit ${bit}`).toMatch(/model\.onnx is damaged or was changed: its SHA-256/);
      }
      writeFileSync(join(model, file), whole);
    }
    rmSync(join(model, "model.onnx"));
    expect(await predict(model, at(`${name}.csv`))).toBe("");
  });

  test("100 changes of model.json, with a checksum that fits and without, are no internal error", async () => {
    cpSync(at(name), at(`${name}-changed`), { recursive: true });
    const path = at(`${name}-changed`, "model.json");
    const { checked: _, checksum: __, ...model } = JSON.parse(readFileSync(path, "utf8"));
    let refused = 0;
    for (let i = 0; i < 100; i++) {
      const { value, change } = mutated(model, stream);
      const text = JSON.stringify(value);
      // Without one, as a file of an older version.
      writeFileSync(path, i % 4 > 0 ? sealJson(text) : text);
      const said = await predict(at(`${name}-changed`), at(`${name}.csv`));
      expect(said, change).not.toContain("internal error");
      if (said !== "") refused++;
    }
    expect(refused).toBeGreaterThan(40);
  });

  test("60 changes of checkpoint.json are no internal error", async () => {
    cpSync(at(name), at(`${name}-resumed`), { recursive: true });
    const path = at(`${name}-resumed`, checkpointName);
    const whole = readFileSync(path);
    expect(await resume(at(`${name}-resumed`))).toBe("");
    const { checked: _, checksum: __, ...run } = JSON.parse(whole.toString());
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const { value, change } = mutated(run, stream);
      const text = JSON.stringify(value);
      writeFileSync(path, i % 4 > 0 ? sealJson(text) : text);
      const said = await resume(at(`${name}-resumed`));
      expect(said, change).not.toContain("internal error");
      if (said !== "") refused++;
    }
    expect(refused).toBeGreaterThan(30);
    for (let i = 0; i < 40; i++) {
      const bit = Math.floor(stream.uniform() * 8 * whole.length);
      const damaged = Buffer.from(whole);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, damaged);
      expect(await resume(at(`${name}-resumed`)), `bit ${bit}`).toMatch(/checkpoint\.json is/);
    }
  });
});

test("a damaged run is refused by the command in one line, and an old one is read with a note", async () => {
  cpSync(at("numbers"), at("command"), { recursive: true });
  const path = at("command", checkpointName);
  const whole = readFileSync(path);
  const damaged = Buffer.from(whole);
  damaged[whole.length >> 1]! ^= 4;
  writeFileSync(path, damaged);
  const refused = await stackelberg(["tune", "--resume", "command"], { cwd: folder });
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^stackelberg: command\/checkpoint\.json is damaged .*\n$/);
  const { checked: _, checksum: __, ...run } = JSON.parse(whole.toString());
  writeFileSync(path, JSON.stringify(run));
  const words = ["tune", "--resume", "command", "--budget", "1ms"];
  const read = await stackelberg(words, { cwd: folder });
  expect(read.exitCode).toBe(0);
  expect(read.stderr).toMatch(/checkpoint\.json has no checksum, an older version wrote it/);
});

test("--force sets aside the files of tune, clean and the demonstration, whichever comes next", async () => {
  const inFolder = (words: readonly string[]): ReturnType<typeof stackelberg> =>
    stackelberg([...words, "--force", "--quiet", "--out", "any"], { cwd: folder });
  const clean = ["clean", "classes.csv", "--target", "kind", "--folds", "2", "--repeats", "1"];
  const tuned = ["tune", "classes.csv", "--target", "kind", "--budget", "1ms"];
  const demo = ["tune", "--demo", "--budget", "1ms"];
  for (const words of [demo, demo, clean, clean, tuned, clean]) {
    expect(await inFolder(words)).toMatchObject({ exitCode: 0 });
  }
  const ofClean = ["events.jsonl", "ranked.csv", "report.html", "result.json", "settings.json"];
  // What the demonstration generated is data by now.
  expect(readdirSync(at("any")).sort()).toEqual(["demo.csv", ...ofClean]);
  writeFileSync(at("any", "demo.csv"), "mine\n");
  const refused = await inFolder(demo);
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(refused.stderr).toMatch(/any\/demo\.csv is not what a run writes under this name/);
  expect(readFileSync(at("any", "demo.csv"), "utf8")).toBe("mine\n");
});
