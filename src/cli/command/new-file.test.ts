import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkNewFile } from "./new-file.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stackelberg-test-"));
  writeFileSync(join(root, "input.csv"), "mine");
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (...names: string[]): string => join(root, ...names);

test("a file is new, or replaced with force", async () => {
  await checkNewFile(at("new.csv"), { force: false });
  await expect(checkNewFile(at("input.csv"), { force: false })).rejects.toThrow(
    /input\.csv exists already; use --force to overwrite it, or --out for another$/,
  );
  await checkNewFile(at("input.csv"), { force: true });
});

test("what cannot become a file is refused, also with force", async () => {
  mkdirSync(at("folder"));
  execFileSync("mkfifo", [at("pipe")]);
  symlinkSync("b", at("a"));
  symlinkSync("a", at("b"));
  for (const [path, sentence] of [
    [at("folder"), /--out .*folder is a folder; give a file name/],
    [`${at("none")}/`, /none\/ is a folder; give a file name/],
    [at("pipe"), /is a pipe; give a file name/],
    ["/dev/null", /--out \/dev\/null is a device; give a file name/],
    [at("none", "x.csv"), /none is not a folder; create it, or choose another --out/],
    [at("input.csv", "x.csv"), /input\.csv is not a folder/],
    [at("a"), /ELOOP/],
    [at("x".repeat(300)), /ENAMETOOLONG/],
  ] as const) {
    await expect(checkNewFile(path, { force: true }), path).rejects.toThrow(sentence);
  }
});

test("a file that is read is refused under any of its names, also with force", async () => {
  symlinkSync(at("input.csv"), at("link.csv"));
  linkSync(at("input.csv"), at("second.csv"));
  symlinkSync(root, at("here"));
  const inputs = [at("none.csv"), at("input.csv")];
  for (const path of [at("input.csv"), at("link.csv"), at("second.csv"), at("here", "input.csv")]) {
    await expect(checkNewFile(path, { force: true, inputs }), path).rejects.toThrow(
      /is the input file itself; choose another name/,
    );
  }
  mkdirSync(at("support", "a"), { recursive: true });
  writeFileSync(at("support", "a", "1.png"), "image");
  const folders = [at("support")];
  await expect(checkNewFile(at("support", "a", "1.png"), { force: true, folders })).rejects.toThrow(
    /1\.png is one of the input files in .*support; choose another name/,
  );
  await checkNewFile(at("support", "labels.csv"), { force: false, folders });
});

test.runIf(process.getuid?.() !== 0)("a folder that takes no files is named", async () => {
  mkdirSync(at("closed"), { mode: 0o500 });
  await expect(checkNewFile(at("closed", "x.csv"), { force: false })).rejects.toThrow(
    /closed takes no files of this user; choose another folder/,
  );
});
