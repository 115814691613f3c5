import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readMiniImageNet } from "./mini-imagenet.ts";
import { DataError } from "../data-error.ts";

let root: string;
let folder: string;
let cache: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mini-imagenet-"));
  [folder, cache] = [join(root, "data"), join(root, "cache")];
});

afterEach(() => rm(root, { recursive: true }));

async function put(files: Record<string, Uint8Array | string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** Images of one colour; jpg of gray, which JPEG keeps exactly. */
const png = (...color: number[]): Uint8Array =>
  encodePng({ width: 2, height: 1, data: Uint8Array.from([...color, ...color]), channels: 3 });
const jpg = (value: number): Uint8Array =>
  jpeg.encode({ width: 8, height: 8, data: new Uint8Array(256).fill(value) }, 100).data;

const lists = {
  "train.csv": "filename,label\na1.jpg,n1\nb1.jpg,n2\na2.jpg,n1\n",
  "val.csv": "filename,label\nc1.jpg,n3\n",
  "test.csv": "filename,label\r\nd1.png,n4\r\n",
};

const images = {
  "images/a1.jpg": jpg(1),
  "images/a2.jpg": jpg(2),
  "images/b1.jpg": jpg(3),
  "images/c1.jpg": jpg(4),
  "images/d1.png": png(5, 6, 7),
};

test("classes and images in the order of the lists", async () => {
  await put({ ...lists, ...images });
  const { train, validation, test } = await readMiniImageNet(folder, { cache, size: 1 });
  expect(train).toMatchObject({ channels: 3, classes: ["n1", "n2"], offsets: [0, 2, 3] });
  expect([...train.pixels]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  expect(validation.classes).toEqual(["n3"]);
  expect([...test.pixels]).toEqual([5, 6, 7]);
  expect((await readMiniImageNet(folder, { cache })).train).toMatchObject({
    height: 84,
    width: 84,
  });
});

test("images beside zipped lists in another folder", async () => {
  const loose = Object.entries(images).map(([name, bytes]) => [name.slice(7), bytes]);
  const zipped = Object.entries(lists).map(([name, list]) => [`lists/${name}.gz`, gzipSync(list)]);
  await put({ ...Object.fromEntries(loose), ...Object.fromEntries(zipped) });
  const splits = join(folder, "lists");
  const { test } = await readMiniImageNet(folder, { cache, splits, size: 1 });
  expect([...test.pixels]).toEqual([5, 6, 7]);
});

test("decoded once, and again when an image changes", async () => {
  await put({ ...lists, ...images });
  const decoded: number[] = [];
  const options = {
    cache,
    size: 1,
    onProgress: ({ done }: { done: number }): unknown => decoded.push(done),
  };
  await readMiniImageNet(folder, options);
  expect(decoded).toEqual([2, 3, 1, 1]);
  await readMiniImageNet(folder, options);
  expect(decoded.length).toBe(4);
  await put({ "images/d1.png": png(50, 60, 70).slice() });
  expect([...(await readMiniImageNet(folder, options)).test.pixels]).toEqual([50, 60, 70]);
  expect(decoded.length).toBe(5);
  expect((await readdir(cache)).length).toBe(4);
});

test("what is missing or malformed is named", async () => {
  const read = (): Promise<unknown> => readMiniImageNet(folder, { cache });
  await put(images);
  await expect(read()).rejects.toThrow(DataError);
  await expect(read()).rejects.toThrow(/train\.csv is not there; put them there or name/);
  await put({ ...lists, "train.csv": "filename,label\na1.jpg,n1\nx.jpg,n1\ny.jpg,n1\n" });
  await expect(read()).rejects.toThrow(
    "2 of the 3 images in the list are not there, such as x.jpg",
  );
  await put({ "train.csv": "file;class\na1.jpg;n1\n" });
  await expect(read()).rejects.toThrow('record 1 begins with "file;class"');
  await put({ "train.csv": "filename,label\na1.jpg\n" });
  await expect(read()).rejects.toThrow('record 2 begins with "a1.jpg"');
  await put({ ...lists, "images/c1.jpg": "no image" });
  await expect(read()).rejects.toThrow("1 cannot be read: c1.jpg (it is neither PNG nor JPEG)");
});

const data = process.env["STACKELBERG_DATA"];
const reason = data === undefined ? " (needs STACKELBERG_DATA, with miniimagenet-splits/)" : "";

describe.skipIf(data === undefined)(`published lists${reason}`, () => {
  test("are read as they are", async () => {
    await mkdir(folder);
    const splits = join(data!, "miniimagenet-splits");
    await expect(readMiniImageNet(folder, { cache, splits })).rejects.toThrow(
      "38400 of the 38400 images in the list are not there",
    );
  });
});
