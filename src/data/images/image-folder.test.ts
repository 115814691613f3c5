import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LoadProgress } from "./decode-classes.ts";
import { readImageFolder, readImages } from "./image-folder.ts";
import { DataError } from "../data-error.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function put(files: Record<string, Uint8Array | string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

function png(value: number, side = 2): Uint8Array {
  const data = new Uint8Array(side * side).fill(value);
  return encodePng({ width: side, height: side, data, channels: 1 });
}

function jpg(value: number, side = 8): Uint8Array {
  const data = new Uint8Array(4 * side * side).fill(value);
  return jpeg.encode({ width: side, height: side, data }, 100).data;
}

const gray = { size: 2, channels: 1 } as const;

test("a folder a class, sorted, PNG and JPEG of any size", async () => {
  await put({
    "dog/b.jpeg": jpg(30),
    "dog/a.PNG": png(20),
    "cat/10.png": png(11, 5),
    "cat/9.png": png(12),
    "cat/notes.txt": "not an image",
    "cat/.hidden.png": "not an image",
    ".git/x.png": png(1),
    "README.md": "about",
  });
  const set = await readImageFolder(folder, gray);
  expect(set).toMatchObject({ height: 2, width: 2, channels: 1, classes: ["cat", "dog"] });
  expect(set.offsets).toEqual([0, 2, 4]);
  expect([...set.pixels]).toEqual([11, 12, 20, 30].flatMap((v) => [v, v, v, v]));
});

test("a class folder that is a link is followed, a link that leads nowhere is left out", async () => {
  await put({ "images/cat/1.png": png(11), "elsewhere/1.png": png(12) });
  await symlink(join(folder, "elsewhere"), join(folder, "images", "dog"));
  await symlink(join(folder, "nowhere"), join(folder, "images", "eel"));
  const set = await readImageFolder(join(folder, "images"), gray);
  expect([set.classes, set.offsets]).toEqual([
    ["cat", "dog"],
    [0, 1, 2],
  ]);
});

test("colour and inversion as asked, progress after each class", async () => {
  await put({ "a/1.png": png(5), "b/1.png": png(6), "b/2.png": png(7) });
  const seen: LoadProgress[] = [];
  const set = await readImageFolder(folder, {
    size: 1,
    channels: 3,
    invert: true,
    onProgress: (progress) => seen.push(progress),
  });
  expect([...set.pixels]).toEqual([5, 5, 5, 6, 6, 6, 7, 7, 7]);
  expect(set.invert).toBe(true);
  expect(seen.map(({ done, total }) => [done, total])).toEqual([
    [1, 3],
    [3, 3],
  ]);
});

test("images that cannot be read are named, all of them, with reasons", async () => {
  await put({
    "a/1.png": png(1),
    "a/2.png": png(1).subarray(0, 50),
    "b/3.jpg": "GIF89a",
    "b/4.webp": "RIFF",
    "b/5.png": "",
    "b/6.jpg": jpg(1).subarray(0, 300),
  });
  const failure = readImageFolder(folder, gray);
  await expect(failure).rejects.toThrow(DataError);
  await expect(failure).rejects.toThrow(/of 6 images 5 cannot be read: a\/2\.png \(/);
  await expect(failure).rejects.toThrow("b/3.jpg (it is neither PNG nor JPEG)");
  await expect(failure).rejects.toThrow("and 2 more; repair or remove them");
});

test("another form of folder is refused", async () => {
  await put({ "loose.png": png(1), "a/b/c.png": png(1) });
  await expect(readImageFolder(folder, gray)).rejects.toThrow("needs one folder a class");
  const absent = readImageFolder(join(folder, "absent"), gray);
  await expect(absent).rejects.toThrow(/absent: this is no folder that can be read \(ENOENT\)/);
  await expect(readImageFolder(folder, { ...gray, size: 0 })).rejects.toThrow(DataError);
});

test("a list of files is one class", async () => {
  await put({ "x.png": png(3), "y.jpg": jpg(4) });
  const paths = ["y.jpg", "x.png"].map((name) => join(folder, name));
  const set = await readImages(paths, { size: 1, channels: 1 });
  expect(set.classes).toEqual(["images"]);
  expect([...set.pixels]).toEqual([4, 3]);
  const absent = readImages([join(folder, "z.png")], gray);
  await expect(absent).rejects.toThrow(/of 1 image 1 cannot be read: .*z\.png \(ENOENT/);
  await expect(readImages(paths, { ...gray, size: 1.5 })).rejects.toThrow("size is a whole number");
});

test("an abort ends the reading", async () => {
  await put({ "a/1.png": png(1), "b/1.png": png(1) });
  const seen: number[] = [];
  const aborted = readImageFolder(folder, {
    ...gray,
    signal: AbortSignal.abort(new Error("enough")),
    onProgress: ({ done }) => seen.push(done),
  });
  await expect(aborted).rejects.toThrow("enough");
  expect(seen).toEqual([1]);
});

test("a size that no memory has room for is refused", async () => {
  await put({ "a/1.png": png(5) });
  const huge = readImageFolder(folder, { size: 70_000, channels: 1 });
  await expect(huge).rejects.toThrow("1 image of 1×70000×70000 take 4.6 GiB of memory");
});

test("what archives and systems leave behind is left out, and counted", async () => {
  await put({
    "cat/1.png": png(11),
    "cat/._1.png": "resource fork",
    "cat/Thumbs.db": "thumbnails",
    "cat/desktop.ini": "[.ShellClassInfo]",
    "cat/more/2.png": png(12),
    "dog/1.png": png(13),
    "__MACOSX/cat/._1.png": "resource fork",
    "__MACOSX/1.png": png(14),
    "@eaDir/1.png": png(15),
    ".ipynb_checkpoints/1.png": png(16),
    ".DS_Store": "Bud1",
    "loose.png": png(17),
    "eel/notes.txt": "no image",
  });
  await mkdir(join(folder, "fox"));
  const notes: string[] = [];
  const set = await readImageFolder(folder, { ...gray, onNote: (note) => notes.push(note) });
  expect([set.classes, set.offsets]).toEqual([
    ["cat", "dog"],
    [0, 1, 2],
  ]);
  expect(notes).toEqual([
    `${folder}: left out 10 entries that are no image of a class (".DS_Store", ".ipynb_checkpoints", "@eaDir" and 7 more) and 2 class folders without images ("eel", "fox").`,
  ]);
});

test("a clean folder has no note", async () => {
  await put({ "cat/1.png": png(11), "dog/1.png": png(13) });
  await readImageFolder(folder, { ...gray, onNote: (note) => expect.fail(note) });
});

test.runIf(process.platform === "linux")(
  "pipes, devices and circles are refused at once",
  async () => {
    await put({ "cat/1.png": png(11) });
    execFileSync("mkfifo", [join(folder, "cat", "pipe.png")]);
    await symlink("/dev/zero", join(folder, "cat", "zero.png"));
    await symlink("self.png", join(folder, "cat", "self.png"));
    await symlink(folder, join(folder, "cat", "folder.png"));
    const failure = readImageFolder(folder, gray);
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(
      "cat/folder.png (it is a folder, not a file), cat/pipe.png (it is a pipe, not a file), cat/self.png (it is a link that leads in a circle) and 1 more",
    );
    const zero = readImages([join(folder, "cat", "zero.png")], gray);
    await expect(zero).rejects.toThrow("zero.png (it is a device, not a file)");
    await symlink("dog", join(folder, "dog"));
    await expect(readImageFolder(folder, gray)).rejects.toThrow(
      /dog: it is a link that leads in a circle; remove it/,
    );
  },
);

test("an image that says it is larger than allowed is refused, and read when the limit is raised", async () => {
  await put({ "a/1.png": png(5, 300) });
  const small = readImageFolder(folder, { ...gray, maxUnpacked: 200_000 });
  await expect(small).rejects.toThrow(
    "a/1.png (its 300×300 pixels take more than 200 kB; raise maxUnpacked (--max-unpacked) if you trust the file)",
  );
  const set = await readImageFolder(folder, { ...gray, maxUnpacked: 300_000 });
  expect([...set.pixels]).toEqual([5, 5, 5, 5]);
  const wrong = readImageFolder(folder, { ...gray, maxUnpacked: 0 });
  await expect(wrong).rejects.toThrow("maxUnpacked: a number of bytes above 0, not 0");
});
