// Files that are no files and files that become too large, as the command line says it: one sentence, exit code 2, at once.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import { expect, test } from "vitest";
import { gzipOf } from "../privacy/packed.ts";
import { stackelberg, temporaryFolder } from "./run-cli.ts";

const folder = temporaryFolder();
const rows = Buffer.from("1,2,3\n".repeat(2_000_000));

test("a gzip bomb as a table", async () => {
  writeFileSync(join(folder, "bomb.csv.gz"), gzipOf(rows, 100));
  for (const command of ["tune", "clean"]) {
    const words = [command, "bomb.csv.gz", "--target", "last"];
    expect(await stackelberg(words, { cwd: folder })).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "stackelberg: bomb.csv.gz: it unpacks to more than 256 MB; raise maxUnpacked (--max-unpacked) if you trust the file.\n",
    });
  }
});

test("the option lowers and raises the limit", async () => {
  const table = `x,y\n${Array.from({ length: 200 }, (_, i) => `${i},${2 * i + 1}\n`).join("")}`;
  writeFileSync(join(folder, "line.csv.gz"), gzipSync(table));
  const words = ["tune", "line.csv.gz", "--target", "y", "--repeats", "1", "--steps", "1"];
  const small = await stackelberg([...words, "--max-unpacked", "1kB"], { cwd: folder });
  expect(small).toMatchObject({ exitCode: 2, stdout: "" });
  expect(small.stderr).toContain("it unpacks to more than 1000 bytes; raise");
  const enough = await stackelberg([...words, "--max-unpacked", "1MB"], { cwd: folder });
  expect(enough.exitCode).toBe(0);
});

test.runIf(process.platform === "linux")("pipes and devices are never waited for", async () => {
  execFileSync("mkfifo", [join(folder, "pipe.csv")]);
  mkdirSync(join(folder, "letters", "a"), { recursive: true });
  mkdirSync(join(folder, "letters", "b"));
  const image = encodePng({ width: 2, height: 2, data: new Uint8Array(4), channels: 1 });
  for (const name of ["a/1.png", "b/1.png", "b/Thumbs.db"]) {
    writeFileSync(join(folder, "letters", name), image);
  }
  symlinkSync(join(folder, "pipe.csv"), join(folder, "pipe.png"));
  const none = { exitCode: 2, stdout: "" };
  const run = (...words: string[]): ReturnType<typeof stackelberg> =>
    stackelberg(words, { cwd: folder });

  const table = await run("tune", "pipe.csv", "--target", "last");
  expect(table).toMatchObject(none);
  expect(table.stderr).toBe(
    "stackelberg: pipe.csv: it is a pipe, not a file; write its contents to a file first.\n",
  );
  const device = await run("clean", "/dev/zero", "--target", "last");
  expect(device).toMatchObject(none);
  expect(device.stderr).toContain("/dev/zero: it is a device, not a file;");
  const image_ = await run("fewshot", "predict", "--support", "letters", "--images", "pipe.png");
  expect(image_).toMatchObject(none);
  expect(image_.stderr).toBe(
    'letters: left out 1 entry that is no image of a class ("b/Thumbs.db").\n' +
      "stackelberg: images: of 1 image 1 cannot be read: pipe.png (it is a pipe, not a file); repair or remove them.\n",
  );

  // The models and runs that the commands read back.
  execFileSync("mkfifo", [join(folder, "model.json"), join(folder, "checkpoint.json")]);
  for (const words of [
    ["predict", ".", "pipe.csv"],
    ["fewshot", "eval", "--model", "pipe.csv"],
    ["fewshot", "table", "pipe.csv"],
  ]) {
    const read = await run(...words);
    expect(read).toMatchObject(none);
    expect(read.stderr).toMatch(
      /^stackelberg: [^\n]*(pipe\.csv|model\.json)[^\n]*: it is a pipe, not a file\n$/,
    );
  }
  expect(readdirSync(folder).filter((name) => name.startsWith("stackelberg-pipe"))).toEqual([]);
});

test("a model.json that nests without end", async () => {
  mkdirSync(join(folder, "nested"));
  writeFileSync(join(folder, "nested", "model.json"), "[".repeat(10_000_000));
  writeFileSync(join(folder, "rows.csv"), "x,y\n1,2\n");
  const refused = await stackelberg(["predict", "nested", "rows.csv"], { cwd: folder });
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(
    /^stackelberg: nested\/model\.json is damaged: it nests more than 100 levels deep; [^\n]+\n$/,
  );
});
