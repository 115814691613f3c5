import { mkdtemp, open, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeLeftovers } from "./leftovers.ts";
import { replaceFile, replaceFiles, temporaryName, temporaryOwner } from "./replace-file.ts";

let root = "";
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "stackelberg-test-"))));
afterEach(() => rm(root, { recursive: true }));

test("parts follow one another, and calls at once do not mix", async () => {
  const path = join(root, "a");
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(texts.map((text) => replaceFile(path, [text, new Uint8Array([10])])));
  expect(texts.map((text) => `${text}\n`)).toContain(await readFile(path, "utf8"));
  expect(await readdir(root)).toEqual(["a"]);
});

test.each(["open", "write", "sync", "rename"])(
  "a disk that is full in %s changes no file and leaves nothing",
  async (operation) => {
    await writeFile(join(root, "model.onnx"), "old");
    const fail = (): never => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    };
    const isReport = (path: string): boolean => path.includes("report");
    const files = {
      unlink,
      rename: async (from: string, to: string) => {
        if (operation === "rename") {
          throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", path: from });
        }
        await rename(from, to);
      },
      open: async (path: string, flags: "r" | "w") => {
        if (operation === "open" && isReport(path)) {
          throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", path });
        }
        const handle = await open(path, flags);
        return {
          writeFile: async (bytes: string | Uint8Array) => {
            const isHalf = operation === "write" && isReport(path);
            await handle.writeFile(isHalf ? bytes.slice(0, 1) : bytes);
            if (isHalf) fail();
          },
          sync: async () => (operation === "sync" && isReport(path) ? fail() : handle.sync()),
          close: () => handle.close(),
        };
      },
    };
    const list = [
      { name: "report.html", contents: "<p>" },
      { name: "model.onnx", contents: "new" },
    ];
    await expect(replaceFiles(root, list, files)).rejects.toMatchObject({
      code: "ENOSPC",
      path: join(root, "report.html"),
    });
    expect(await readdir(root)).toEqual(["model.onnx"]);
    expect(await readFile(join(root, "model.onnx"), "utf8")).toBe("old");
    await replaceFiles(root, list);
    expect((await readdir(root)).sort()).toEqual(["model.onnx", "report.html"]);
    expect(await readFile(join(root, "model.onnx"), "utf8")).toBe("new");
  },
);

test("temporary names are known again, and those of ended processes go", async () => {
  for (const path of ["a", "./a.b", join(root, "x.json"), "é/ü"]) {
    expect(temporaryOwner(temporaryName(path).replace(/^.*\//, ""))).toBe(process.pid);
  }
  for (const name of ["a.tmp", ".a.tmp", "model.json", ".env", ".a.12-xyz.tmp"]) {
    expect(temporaryOwner(name)).toBeUndefined();
  }
  const living = [`.a.${process.pid}-0123abcd.tmp`, `.b.${process.ppid}.tmp`];
  for (const name of [...living, ".c.999999999-0123abcd.tmp", ".d.999999999.tmp", "e"]) {
    await writeFile(join(root, name), "x");
  }
  expect((await removeLeftovers(root)).length).toBe(2);
  expect((await readdir(root)).sort()).toEqual([...living, "e"].sort());
});
