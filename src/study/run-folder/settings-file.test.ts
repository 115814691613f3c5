import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DamagedFileError, sealJson } from "../../files/index.ts";
import { readSettings, writeSettings } from "./settings-file.ts";

const folder = await mkdtemp(join(tmpdir(), "stackelberg-settings-"));
const path = join(folder, "settings.json");
afterAll(() => rm(folder, { recursive: true }));

test("settings come back; a folder without them has none", async () => {
  expect(await readSettings(join(folder, "none"))).toBeUndefined();
  const written = {
    command: "stackelberg tune",
    data: { path: "/data/a.csv", sha256: "0".repeat(64) },
    settings: { seed: 0, exclude: ["a, b"] },
  };
  await writeSettings(folder, written);
  expect(await readSettings(folder)).toEqual(written);
});

test("a training of before has its settings alone in the file", async () => {
  const settings = { data: "omniglot", split: "1200/100/323" };
  await writeFile(path, sealJson(JSON.stringify(settings)));
  expect(await readSettings(folder)).toEqual({ settings });
});

test.each([
  ["a list", "[]"],
  ["no command of ours", sealJson('{"command": "make", "settings": {}}')],
  ["a member more", sealJson('{"command": "stackelberg tune", "settings": {}, "more": 1}')],
  [
    "a changed byte",
    sealJson('{"command": "stackelberg tune", "settings": {}}').replace("tune", "tunE"),
  ],
])("%s is refused", async (_, text) => {
  await writeFile(path, text);
  await expect(readSettings(folder)).rejects.toThrow(DamagedFileError);
});
