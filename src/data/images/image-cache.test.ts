import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cachedImageSet, cacheFolder } from "./image-cache.ts";
import type { ImageSet } from "./image-set.ts";
import { DataError } from "../data-error.ts";

const set: ImageSet = {
  height: 1,
  width: 2,
  channels: 1,
  classes: ["é\n", "b"],
  offsets: [0, 1, 3],
  // A line break among the pixels.
  pixels: Uint8Array.of(10, 0, 255, 10, 7, 8),
  invert: true,
};

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "image-cache-"));
  path = join(folder, "set.images");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test("built once, then read back the same", async () => {
  const build = vi.fn(async () => set);
  expect(await cachedImageSet(path, build)).toEqual(set);
  expect(await cachedImageSet(path, build)).toEqual(set);
  expect(build).toHaveBeenCalledTimes(1);
  expect(await readdir(folder)).toEqual(["set.images"]);
});

test("a changed byte, a cut and an addition are noticed and mended", async () => {
  await cachedImageSet(path, async () => set);
  const good = await readFile(path);
  const damaged = [...good.keys()]
    .filter((i) => i % 7 === 0)
    .map((i) => good.with(i, good[i]! ^ 1));
  damaged.push(good.subarray(0, -1), good.subarray(0, 0), Buffer.concat([good, Buffer.of(0)]));
  for (const bytes of damaged) {
    await writeFile(path, bytes);
    const build = vi.fn(async () => set);
    expect(await cachedImageSet(path, build)).toEqual(set);
    expect(build).toHaveBeenCalledTimes(1);
    expect(await readFile(path)).toEqual(good);
  }
});

test("a failed build leaves nothing behind", async () => {
  const failing = cachedImageSet(path, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(await readdir(folder)).toEqual([]);
});

test("the folder: as given, or in XDG_CACHE_HOME", async () => {
  vi.stubEnv("XDG_CACHE_HOME", folder);
  expect(await cacheFolder()).toBe(join(folder, "stackelberg"));
  expect(await cacheFolder(join(folder, "a", "b"))).toBe(join(folder, "a", "b"));
  expect((await readdir(folder)).toSorted()).toEqual(["a", "stackelberg"]);
});

test("a folder that cannot be made", async () => {
  await writeFile(path, "a file");
  await expect(cacheFolder(join(path, "below"))).rejects.toThrow(DataError);
  await expect(cacheFolder(join(path, "below"))).rejects.toThrow("name another one as cache");
});

test.each([
  ["a pipe", "mkfifo"],
  ["a folder", "mkdir"],
])("%s in the place of a cache is refused at once", async (what, make) => {
  execFileSync(make, [path]);
  await expect(cachedImageSet(path, () => Promise.resolve(set))).rejects.toThrow(
    new DataError(`${path}: it is ${what}, not a file; remove it, decoded images are kept there.`),
  );
});
