import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseIdx, readIdx } from "./idx.ts";
import { DataError } from "../data-error.ts";

/** Two images of 2 by 3. */
const images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...Array(12).keys()];

test("shape and elements", () => {
  const { shape, data } = parseIdx(Uint8Array.from(images), "images");
  expect(shape).toEqual([2, 2, 3]);
  expect([...data]).toEqual([...Array(12).keys()]);
});

test("a length above 255 is big-endian", () => {
  const bytes = new Uint8Array(8 + 258);
  bytes.set([0, 0, 8, 1, 0, 0, 1, 2]);
  bytes[8 + 257] = 9;
  const { shape, data } = parseIdx(bytes, "labels");
  expect(shape).toEqual([258]);
  expect(data[257]).toBe(9);
});

test("bytes that begin inside a larger buffer", () => {
  const larger = Uint8Array.from([7, 7, 7, ...images]);
  expect(parseIdx(larger.subarray(3), "images").shape).toEqual([2, 2, 3]);
});

test.each([
  ["two zero bytes", [1, 0, 8, 1, 0, 0, 0, 0]],
  ["two zero bytes", [0, 0]],
  ["type 0x0d", [0, 0, 13, 1, 0, 0, 0, 0]],
  ["names 3 axes", [0, 0, 8, 3, 0, 0, 0, 1]],
  ["needs 12 elements, the file holds 11", images.slice(0, -1)],
  ["needs 12 elements, the file holds 13", [...images, 0]],
])("refused: %s", (message, bytes) => {
  const parse = (): unknown => parseIdx(Uint8Array.from(bytes), "bad.idx");
  expect(parse).toThrow(DataError);
  expect(parse).toThrow(message);
  expect(parse).toThrow("bad.idx");
});

test("a file, plain and zipped", async () => {
  const folder = await mkdtemp(join(tmpdir(), "idx-"));
  try {
    await writeFile(join(folder, "plain"), Uint8Array.from(images));
    await writeFile(join(folder, "zipped"), gzipSync(Uint8Array.from(images)));
    const plain = await readIdx(join(folder, "plain"));
    const zipped = await readIdx(join(folder, "zipped"));
    expect(zipped.shape).toEqual(plain.shape);
    expect([...zipped.data]).toEqual([...plain.data]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const data = process.env["STACKELBERG_DATA"];
const reason = data === undefined ? " (needs STACKELBERG_DATA, a folder with mnist/)" : "";

describe.skipIf(data === undefined)(`real files${reason}`, () => {
  test.each(["mnist", "fashion-mnist"])("%s", async (name) => {
    const labels = await readIdx(join(data!, name, "t10k-labels-idx1-ubyte.gz"));
    const images = await readIdx(join(data!, name, "t10k-images-idx3-ubyte.gz"));
    expect(labels.shape).toEqual([10_000]);
    expect(images.shape).toEqual([10_000, 28, 28]);
    expect(Math.max(...labels.data)).toBe(9);
    expect(Math.max(...images.data.subarray(0, 784))).toBeGreaterThan(200);
  });
});
