// A run's folder under kills at every file operation: one run is whole at any moment, and the next run finds its way.

import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { killedAt } from "../../../test/killed-at.ts";
import { isLockName } from "../../files/folder-lock.ts";
import { replaceFile, replaceFiles } from "../../files/replace-file.ts";
import { readEvents } from "../event-log.ts";
import { createRunFolder } from "./run-folder.ts";
import { readSettings } from "./settings-file.ts";

let root = "";
let folder = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "stackelberg-test-"));
  folder = join(root, "out");
});
afterEach(() => rm(root, { recursive: true }));

/** Of files that a run wrote, what they begin with; `play` writes such ones. */
const beginnings: Record<string, string> = {
  "model.onnx": "\b\b\x12\vstackelberg",
  "model.json": '{\n"checked": "by a sum",\n"format": "stackelberg tabular model",',
  "report.html":
    '<!doctype html><meta http-equiv="Content-Security-Policy" /><title>y — tuning report</title>',
  "result.json": '{\n "version": 1,\n "status": "completed",',
  "checkpoint.json": '{\n"checked": "by a sum",\n"version":1,"data":{"path":',
  "settings.json": '{\n  "command": "stackelberg tune",',
};
const trueFile = (name: string, version: string): string => `${beginnings[name]!}${version}`;

const results = ["model.onnx", "model.json", "report.html", "result.json", "checkpoint.json"];
const silent = (): void => undefined;

/** A run as `tune` makes one: checkpoints on the way, then all results. */
async function play(version: string, force = true, at = folder): Promise<void> {
  const run = createRunFolder("stackelberg tune", silent);
  try {
    run.tell({ type: "note", text: version });
    await run.begin(at, { force });
    await run.describe({ settings: { version } });
    await replaceFile(
      join(at, "checkpoint.json"),
      trueFile("checkpoint.json", `${version} at step 1`),
    );
    await replaceFile(
      join(at, "checkpoint.json"),
      trueFile("checkpoint.json", `${version} at step 2`),
    );
    await replaceFiles(
      at,
      results.map((name) => ({ name, contents: trueFile(name, version) })),
    );
    await run.complete();
  } finally {
    await run.release();
  }
}

const readNames = async (path: string): Promise<string[]> => readdir(path).catch(() => []);
const contents = async (path: string): Promise<Record<string, string>> => {
  const names = (await readNames(path)).filter((name) => results.includes(name));
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), "utf8")));
  return Object.fromEntries(
    names.map((name, i) => [name, texts[i]!.slice(beginnings[name]!.length)]),
  );
};
/** The sentences in the log. */
const told = async (): Promise<string[]> => {
  const { events } = await readEvents(join(folder, "events.jsonl"));
  return events.flatMap((event) => (event.type === "note" ? event.text : []));
};
const whole = (version: string): Record<string, string> =>
  Object.fromEntries(results.map((name) => [name, version]));
const isWhole = (found: Record<string, string>, version: string): boolean =>
  results.every((name) => found[name] === version);

/** What a kill leaves bears the number of a living process here: as if it had ended. */
async function bury(): Promise<void> {
  for (const name of await readNames(folder)) {
    if (isLockName(name)) await rm(join(folder, name));
    else if (name.includes(`.${process.pid}-`)) {
      const to = name.replace(`.${process.pid}-`, ".999999999-");
      await rename(join(folder, name), join(folder, to));
    }
  }
}

async function expectOneWhole(versions: readonly string[], moment: string): Promise<void> {
  const places = [await contents(folder), await contents(join(folder, "previous"))];
  const found = versions.some((version) => places.some((place) => isWhole(place, version)));
  expect(found, `${moment}: ${JSON.stringify(places)}`).toBe(true);
  // Never a mixture under the seal.
  for (const place of places) {
    if (place["result.json"] === undefined) continue;
    const { "checkpoint.json": _, ...rest } = place;
    expect(new Set(Object.values(rest)).size, `${moment}: ${JSON.stringify(place)}`).toBe(1);
  }
}

test.each([false, true])("--force, killed at every operation (half done: %s)", async (half) => {
  let moments = 0;
  for (let at = 0; ; at++) {
    await rm(folder, { recursive: true, force: true });
    await play("old", false);
    const { killed } = await killedAt(at, half, () => play("new"));
    await expectOneWhole(["old", "new"], `killed at ${at}`);
    if (!killed) break;
    moments++;
    await bury();
    await play("next");
    expect(await contents(folder)).toEqual(whole("next"));
    expect(await told()).toEqual(["next"]);
    const ofNext = { command: "stackelberg tune", settings: { version: "next" } };
    expect(await readSettings(folder)).toEqual(ofNext);
    expect((await readdir(folder)).sort()).toEqual(
      [...results, "events.jsonl", "settings.json"].sort(),
    );
  }
  expect(moments).toBeGreaterThan(30);
});

test("settings and a log without results give way to a new run, and go with one that writes nothing", async () => {
  const run = createRunFolder("stackelberg tune", silent);
  await run.begin(folder, { force: false });
  await run.describe({ settings: { version: "killed" } });
  run.tell({ type: "note", text: "killed" });
  const left = await readdir(folder);
  expect(left).toContain("settings.json");
  await run.release();
  expect(await readNames(folder)).toEqual([]);

  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "settings.json"), trueFile("settings.json", "mine"));
  const next = createRunFolder("stackelberg tune", silent);
  await expect(next.begin(folder, { force: false })).rejects.toThrow("is not empty");
  await next.release();
});

test("--force, killed twice in a row at any two moments", async () => {
  const { operations } = await killedAt(Infinity, false, () => play("old", false));
  for (let first = 0; first < operations + 12; first += 3) {
    for (let second = 0; second < operations + 12; second += 10) {
      await rm(folder, { recursive: true, force: true });
      await play("old", false);
      await killedAt(first, first % 2 === 0, () => play("new"));
      await bury();
      await killedAt(second, second % 2 === 0, () => play("newer"));
      await expectOneWhole(["old", "new", "newer"], `killed at ${first}, then ${second}`);
      await bury();
    }
  }
  await play("next");
  expect((await readdir(folder)).sort()).toEqual(
    [...results, "events.jsonl", "settings.json"].sort(),
  );
});

test("a run that writes nothing leaves what it found, and no folder that it made", async () => {
  const run = createRunFolder("stackelberg tune", silent);
  await run.begin(join(root, "a", "b"), { force: false, beside: { "demo.csv": /^x/ } });
  await writeFile(join(root, "a", "b", "demo.csv"), "x");
  await run.release();
  expect(await readdir(root)).toEqual([]);

  await play("old", false);
  await writeFile(join(folder, "notes.txt"), "mine");
  const forced = createRunFolder("stackelberg tune", silent);
  await forced.begin(folder, { force: true });
  expect((await readdir(folder)).sort()).toEqual([
    expect.stringMatching(/^\.run-/),
    "notes.txt",
    "previous",
  ]);
  await forced.release();
  expect(await contents(folder)).toEqual(whole("old"));
  expect((await readdir(folder)).sort()).toEqual(
    [...results, "events.jsonl", "notes.txt", "settings.json"].sort(),
  );
});

test("an interrupted run leaves the earlier one aside until it has gone on to its end", async () => {
  await play("old", false);
  const said: string[] = [];
  const run = createRunFolder("stackelberg tune", (text) => said.push(text));
  await run.begin(folder, { force: true });
  await replaceFile(join(folder, "checkpoint.json"), trueFile("checkpoint.json", "new at step 1"));
  await run.release();
  expect(said).toEqual([
    `The earlier run waits in ${join(folder, "previous")} until this one has its result.`,
  ]);
  expect(await contents(join(folder, "previous"))).toEqual(whole("old"));
  const more = createRunFolder("stackelberg tune", silent);
  await more.resume(folder);
  await more.complete();
  await more.release();
  expect(await readdir(folder)).toEqual(["checkpoint.json"]);
});

test("what is not a run's is never set aside nor replaced", async () => {
  await play("old", false);
  await mkdir(join(folder, "previous"));
  await writeFile(join(folder, "previous", "thesis.tex"), "mine");
  await expect(play("new")).rejects.toThrow(/holds thesis\.tex, which no run has written$/);
  expect(await contents(folder)).toEqual(whole("old"));
  expect(await readFile(join(folder, "previous", "thesis.tex"), "utf8")).toBe("mine");
  await rm(join(folder, "previous"), { recursive: true });
  await mkdir(join(folder, "ranked.csv"));
  await expect(play("new")).rejects.toThrow(/ranked\.csv is a folder, and the run has a file/);
  expect(await contents(folder)).toEqual(whole("old"));
  const run = createRunFolder("stackelberg tune", silent);
  const input = join(folder, "model.json");
  await expect(run.begin(folder, { force: true, input })).rejects.toThrow(/would be replaced/);
});

test("the second of two is told who works there", async () => {
  const first = createRunFolder("stackelberg tune", silent);
  await first.begin(folder, { force: false });
  await expect(play("other")).rejects.toThrow(
    /out is in use by stackelberg tune \(process \d+ on .*, since \d{4}-.*\)/,
  );
  const resumed = createRunFolder("stackelberg tune", silent);
  await expect(resumed.resume(folder)).rejects.toThrow(/is in use by/);
  await resumed.release();
  await first.release();
  expect(await readNames(root)).toEqual([]);
});

test("a killed run is mentioned to the next", async () => {
  await mkdir(folder);
  const owner = { host: "", pid: 999999999, boot: null, begun: null, at: 0, doing: "clean" };
  const { hostname } = await import("node:os");
  const text = JSON.stringify({ ...owner, host: hostname() });
  await writeFile(join(folder, ".run-999999999-0123abcd.lock"), text);
  const said: string[] = [];
  const run = createRunFolder("stackelberg tune", (line) => said.push(line));
  await run.begin(folder, { force: false });
  await run.release();
  expect(said).toEqual([
    expect.stringMatching(/was left by clean \(process 999999999, since 1970/),
  ]);
});

test("a name is not enough: what other programs wrote is refused, also with --force, and untouched", async () => {
  const foreign: Record<string, string> = {
    "result.json": '{"accuracy": 0.93}\n',
    "model.onnx": "\b\b\x12\x07pytorch",
    "settings.json": '{\n  "theme": "dark"\n}\n',
    "log.jsonl": '{"level":"info"}\n',
    "ranked.csv": "name,rank\n",
    "report.html": "<!doctype html><title>Quarter — tuning report</title>",
    "model.json": "",
  };
  for (const [name, text] of Object.entries(foreign)) {
    for (const at of [folder, join(folder, "previous")]) {
      await rm(folder, { recursive: true, force: true });
      await play("old", false);
      await mkdir(at, { recursive: true });
      await writeFile(join(at, name), text);
      const before = await contents(folder);
      await expect(play("new"), name).rejects.toThrow(
        `${join(at, name)} is not what a run writes under this name`,
      );
      expect(await readFile(join(at, name), "utf8")).toBe(text);
      expect(await contents(folder)).toEqual(before);
    }
  }
});
