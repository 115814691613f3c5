import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkOutputFolder, createFolder } from "./output-folder.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "stackelberg-test-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

test("a folder that holds something is refused without force", async () => {
  const folder = join(root, "out");
  await checkOutputFolder(folder, false);
  await mkdir(folder);
  await checkOutputFolder(folder, false);
  await writeFile(join(folder, "notes.txt"), "mine");
  await expect(checkOutputFolder(folder, false)).rejects.toThrow(/exists and is not empty$/);
  await checkOutputFolder(folder, true);
  await expect(checkOutputFolder(join(folder, "notes.txt"), true)).rejects.toThrow(/is a file/);
  await expect(checkOutputFolder(join(folder, "notes.txt", "x"), true)).rejects.toThrow(
    /not a folder|under a file/,
  );
});

test("what a killed run leaves does not fill a folder", async () => {
  const folder = join(root, "out");
  await mkdir(folder);
  await writeFile(join(folder, ".run-999999999-0123abcd.lock"), "{}");
  await writeFile(join(folder, ".model.onnx.999999999-0123abcd.tmp"), "half");
  await checkOutputFolder(folder, false);
});

test("folders at once are created together, and a file in the way is named", async () => {
  const made = await Promise.all(
    [1, 2, 3].map((k) => createFolder(join(root, "a", "b", String(k)))),
  );
  expect((await readdir(join(root, "a", "b"))).sort()).toEqual(["1", "2", "3"]);
  expect(made.filter((path) => path === join(root, "a")).length).toBe(1);
  await writeFile(join(root, "file"), "x");
  await expect(createFolder(join(root, "file", "x"))).rejects.toThrow(/not a folder/);
});

test.runIf(process.platform === "linux")("a place without new folders is named", async () => {
  await expect(createFolder("/proc/stackelberg/out")).rejects.toThrow(
    "the output folder /proc/stackelberg/out cannot be created: /proc takes no new folders",
  );
});
