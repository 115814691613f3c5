import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkOutputFolder, openOutputFolder, writeFiles } from "./output-folder.ts";

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
  await expect(checkOutputFolder(folder, false)).rejects.toThrow(/not empty; use --force/);
  await checkOutputFolder(folder, true);
  await expect(checkOutputFolder(join(folder, "notes.txt"), true)).rejects.toThrow(/is a file/);
  await expect(checkOutputFolder(join(folder, "notes.txt", "x"), true)).rejects.toThrow(
    /not a folder|under a file/,
  );
});

test("undo removes only what was created", async () => {
  const undo = await openOutputFolder(join(root, "a", "b"));
  await writeFile(join(root, "a", "b", "demo.csv"), "x");
  await undo(["demo.csv"]);
  expect(await readdir(root)).toEqual([]);

  await mkdir(join(root, "kept"));
  const undoKept = await openOutputFolder(join(root, "kept"));
  await writeFile(join(root, "kept", "demo.csv"), "x");
  await undoKept(["demo.csv"]);
  expect(await readdir(join(root, "kept"))).toEqual(["demo.csv"]);
});

test("folders at once are created together, and one that is a file is refused", async () => {
  await Promise.all([1, 2, 3].map((k) => openOutputFolder(join(root, "a", "b", String(k)))));
  expect((await readdir(join(root, "a", "b"))).sort()).toEqual(["1", "2", "3"]);
  await writeFile(join(root, "file"), "x");
  await expect(openOutputFolder(join(root, "file"))).rejects.toThrow(/ENOTDIR|not a directory/);
});

test.runIf(process.platform === "linux")("a place without new folders is named", async () => {
  await expect(openOutputFolder("/proc/stackelberg/out")).rejects.toThrow(
    "the output folder /proc/stackelberg/out cannot be created: /proc takes no new folders; choose another place",
  );
});

test("when one file cannot be written, all earlier contents stay and nothing is left over", async () => {
  await writeFile(join(root, "model.onnx"), "old");
  const full = async (path: string, contents: string | Uint8Array): Promise<void> => {
    if (path.includes("report")) {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", path });
    }
    await writeFile(path, contents);
  };
  const files = [
    { name: "model.onnx", contents: "new" },
    { name: "report.html", contents: "<p>" },
  ];
  await expect(writeFiles(root, files, full)).rejects.toMatchObject({
    code: "ENOSPC",
    path: join(root, "report.html"),
  });
  expect(await readdir(root)).toEqual(["model.onnx"]);
  expect(await readFile(join(root, "model.onnx"), "utf8")).toBe("old");

  await writeFiles(root, files);
  expect((await readdir(root)).sort()).toEqual(["model.onnx", "report.html"]);
  expect(await readFile(join(root, "model.onnx"), "utf8")).toBe("new");
});
