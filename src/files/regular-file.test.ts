import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readRegularFile } from "./regular-file.ts";

const folder = await mkdtemp(join(tmpdir(), "stackelberg-regular-"));
afterAll(() => rm(folder, { recursive: true }));

test("a file of as many bytes as allowed is read, one of a byte more is not", async () => {
  const path = join(folder, "small");
  await writeFile(path, "12345");
  expect((await readRegularFile(path, 5)).toString()).toBe("12345");
  await expect(readRegularFile(path, 4)).rejects.toThrow("it is of 5 bytes, at most 4 are read");
});

test("a file that would fill the memory is refused by its size", async () => {
  const path = join(folder, "large");
  const file = await open(path, "w");
  await file.truncate(8e9);
  await file.close();
  const before = process.memoryUsage().rss;
  await expect(readRegularFile(path)).rejects.toThrow("8000000000 bytes");
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
});
