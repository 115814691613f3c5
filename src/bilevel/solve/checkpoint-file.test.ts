import { execFileSync } from "node:child_process";
import { mkdtemp, open, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  readCheckpointFile,
  writeCheckpointFile,
  writeThrough,
  type FileSystem,
} from "./checkpoint-file.ts";

let folder: string;
let path: string;
const previous = new Uint8Array([1, 2, 3]);
const next = new Uint8Array(1000).fill(7);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoint-"));
  path = join(folder, "run.safetensors");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => writeFile(path, previous));

const full = (): Error =>
  Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });

/** The real file system with one operation that fails; a failing write leaves half the bytes behind. */
function failing(operation: "open" | "write" | "sync" | "rename"): FileSystem {
  return {
    readFile,
    unlink,
    rename: async (from, to) => {
      if (operation === "rename") throw full();
      await rename(from, to);
    },
    open: async (file, flags) => {
      if (operation === "open") throw full();
      const handle = await open(file, flags);
      return {
        writeFile: async (bytes) => {
          await handle.writeFile(operation === "write" ? bytes.slice(0, 500) : bytes);
          if (operation === "write") throw full();
        },
        sync: async () => {
          if (operation === "sync") throw full();
          await handle.sync();
        },
        close: () => handle.close(),
      };
    },
  };
}

test("a checkpoint replaces the previous one and leaves nothing else behind", async () => {
  await writeCheckpointFile(path, next);
  expect(new Uint8Array(await readCheckpointFile(path))).toEqual(next);
  expect(await readdir(folder)).toEqual(["run.safetensors"]);
});

test.each(["open", "write", "sync", "rename"] as const)(
  "a disk that fills up in %s leaves the previous checkpoint intact",
  async (operation) => {
    await expect(writeThrough(path, next, failing(operation))).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/cannot be written \(ENOSPC.*previous checkpoint.*intact/),
    });
    expect(new Uint8Array(await readFile(path))).toEqual(previous);
    expect(await readdir(folder)).toEqual(["run.safetensors"]);
  },
);

test("bytes are on the disk before the rename", async () => {
  const calls: string[] = [];
  const file = {
    writeFile: async () => void calls.push("write"),
    sync: async () => void calls.push("sync"),
    close: async () => void calls.push("close"),
  };
  await writeThrough("a/b", next, {
    readFile,
    unlink,
    open: async (name, flags) => (calls.push(`open ${name} ${flags}`), file),
    rename: async (from, to) => void calls.push(`rename ${from} ${to}`),
  });
  const temporary = /^open (.*) w$/.exec(calls[0]!)![1];
  expect(temporary).toMatch(/^a\/\.b\.\d+-[0-9a-f]{8}\.tmp$/);
  expect(calls).toEqual([
    ...[`open ${temporary} w`, "write", "sync", "close", `rename ${temporary} a/b`],
    ...["open a/ r", "sync", "close"],
  ]);
});

test("a missing file and a missing folder are said in words", async () => {
  await expect(readCheckpointFile(join(folder, "none"))).rejects.toThrow(
    /none cannot be read \(ENOENT/,
  );
  await expect(writeCheckpointFile(join(folder, "none", "x"), next)).rejects.toThrow(
    /x cannot be written \(ENOENT/,
  );
});

test.each([
  ["a pipe", "mkfifo"],
  ["a folder", "mkdir"],
])("%s is no checkpoint, which is said at once", async (what, make) => {
  const other = join(folder, make);
  execFileSync(make, [other]);
  await expect(readCheckpointFile(other)).rejects.toThrow(
    `resume: ${other} cannot be read (it is ${what}, not a file).`,
  );
});
