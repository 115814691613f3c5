import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FolderInUseError, isLockName, lockFolder, type FolderLock } from "./folder-lock.ts";
import { stateOf, thisProcess } from "./process.ts";

let root = "";
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), "stackelberg-test-"))));
afterEach(() => rm(root, { recursive: true }));

const dead = 999_999_999;
const lockOf = (pid: number): string => join(root, `.run-${pid}-0123abcd.lock`);

test("one holder at a time, whose release leaves nothing", async () => {
  const lock = await lockFolder(root, "tune");
  expect((await readdir(root)).every(isLockName)).toBe(true);
  const second = lockFolder(root, "clean");
  await expect(second).rejects.toThrow(FolderInUseError);
  await expect(second).rejects.toMatchObject({ owner: { pid: process.pid, doing: "tune" } });
  await lock.release();
  expect(await readdir(root)).toEqual([]);
  await (await lockFolder(root, "clean")).release();
});

test("of many at once exactly one wins, time after time", async () => {
  for (let round = 0; round < 20; round++) {
    const all = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) => lockFolder(root, `run ${i}`)),
    );
    const won = all.filter(
      (one): one is PromiseFulfilledResult<FolderLock> => one.status === "fulfilled",
    );
    expect(won.length).toBe(1);
    for (const one of all) {
      if (one.status === "rejected") expect(one.reason).toBeInstanceOf(FolderInUseError);
    }
    await won[0]!.value.release();
  }
  expect(await readdir(root)).toEqual([]);
});

test("the lock of an ended process is taken over, and said", async () => {
  const self = await thisProcess();
  const owner = { ...self, pid: dead, doing: "tune" };
  await writeFile(lockOf(dead), JSON.stringify(owner));
  const lock = await lockFolder(root, "tune");
  expect(lock.abandoned).toEqual([owner]);
  await lock.release();
  expect(await readdir(root)).toEqual([]);
});

test("a damaged lock counts by the number in its name", async () => {
  await writeFile(lockOf(dead), "");
  await writeFile(lockOf(process.ppid), "{");
  await expect(lockFolder(root, "tune")).rejects.toMatchObject({ owner: { pid: process.ppid } });
  expect(await readdir(root)).toEqual([`.run-${process.ppid}-0123abcd.lock`]);
});

test("a number that another process has now is no owner", async () => {
  // This process's own number, in a lock that it did not take.
  await writeFile(lockOf(process.pid), JSON.stringify({ ...(await thisProcess()), doing: "x" }));
  await (await lockFolder(root, "tune")).release();
});

test("who runs: this process, not one before a restart, not one that began at another time", async () => {
  const self = await thisProcess();
  expect(await stateOf(self)).toBe("runs");
  expect(await stateOf({ ...self, pid: dead })).toBe("ended");
  expect(await stateOf({ ...self, host: "another" })).toBe("unknown");
  if (self.boot !== null) expect(await stateOf({ ...self, boot: "another" })).toBe("ended");
  if (self.begun !== null) expect(await stateOf({ ...self, begun: "1" })).toBe("ended");
});

test("a lock of another machine is kept, and its file is named", async () => {
  const owner = { ...(await thisProcess()), host: "another", pid: 17, doing: "tune" };
  await writeFile(lockOf(17), JSON.stringify(owner));
  await expect(lockFolder(root, "tune")).rejects.toMatchObject({ owner, path: lockOf(17) });
  expect(JSON.parse(await readFile(lockOf(17), "utf8"))).toEqual(owner);
});

test("a process that exits takes its lock with it, a killed one leaves it to the next", async () => {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(new URL("./folder-lock.ts", import.meta.url).href)});
    await lockFolder(process.argv[1], "child");
    console.log("locked");
    process.stdin.once("data", () => process.exit(3)).resume();
  `;
  const start = async (): Promise<ReturnType<typeof spawn>> => {
    const words = ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", script];
    const child = spawn(process.execPath, [...words, root], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    return child;
  };
  const exiting = await start();
  await expect(lockFolder(root, "tune")).rejects.toMatchObject({ owner: { doing: "child" } });
  exiting.stdin!.write("go\n");
  expect(await once(exiting, "close")).toEqual([3, null]);
  expect(await readdir(root)).toEqual([]);
  const killed = await start();
  killed.kill("SIGKILL");
  await once(killed, "close");
  const lock = await lockFolder(root, "tune");
  expect(lock.abandoned).toMatchObject([{ pid: killed.pid, doing: "child" }]);
  await lock.release();
});
